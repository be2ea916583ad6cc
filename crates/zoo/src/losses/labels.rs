use candle_core::{DType, Device, Tensor};

use crate::{Result, ZooError};

/// The error that `loss` cannot be computed.
pub(super) fn fault<T>(loss: &'static str, problem: String) -> Result<T> {
    Err(ZooError::Loss { loss, problem })
}

/// The sizes of a matrix of floating-point numbers with a label for each of its rows.
pub(super) fn labelled_rows(loss: &'static str, rows: &Tensor, labels: &[usize]) -> Result<(usize, usize)> {
    if !matches!(rows.dtype(), DType::F32 | DType::F64) {
        return fault(loss, format!("it takes float32 or float64, got {:?}", rows.dtype()));
    }
    match *rows.dims() {
        [count, width] if count == labels.len() && count > 0 && width > 0 => Ok((count, width)),
        _ => fault(loss, format!("{} labels for rows of shape {:?}", labels.len(), rows.dims())),
    }
}

/// A matrix [N, M] of 1 where `holds` and 0 elsewhere, of the type and on the device of `like`.
pub(super) fn indicator(
    (count, width): (usize, usize),
    like: &Tensor,
    holds: impl Fn(usize, usize) -> bool,
) -> Result<Tensor> {
    let values: Vec<f64> = (0..count * width).map(|at| if holds(at / width, at % width) { 1.0 } else { 0.0 }).collect();
    tensor(values, (count, width), like)
}

/// A matrix of `values`, of the type and on the device of `like`.
pub(super) fn tensor(values: Vec<f64>, shape: (usize, usize), like: &Tensor) -> Result<Tensor> {
    // Devices need not have float64, so the type is changed before the tensor goes there.
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(like.dtype())?.to_device(like.device())?)
}
