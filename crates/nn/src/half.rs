use std::sync::{Arc, OnceLock};

use candle_core::{DType, Tensor};

use crate::Result;

/// Runs a layer whose sums are too long for half precision in single precision; its output is of the type of `x` again.
pub(crate) fn in_single(x: &Tensor, layer: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    match x.dtype() {
        half @ (DType::F16 | DType::BF16) => Ok(layer(&x.to_dtype(DType::F32)?)?.to_dtype(half)?),
        _ => layer(x),
    }
}

/// Numbers of a layer in single precision, in which norms are folded into them, and their copy in half precision, made when
/// the first maps of that type come by.
#[derive(Debug, Clone)]
pub(crate) struct Weight {
    single: Tensor,
    half: Arc<OnceLock<Tensor>>,
}

impl Weight {
    pub(crate) fn new(single: Tensor) -> Self {
        Self { single, half: Arc::default() }
    }

    /// As they were read and folded.
    pub(crate) fn single(&self) -> &Tensor {
        &self.single
    }

    /// In the type of `x`.
    pub(crate) fn like(&self, x: &Tensor) -> Result<Tensor> {
        let kind = x.dtype();
        if kind == self.single.dtype() {
            return Ok(self.single.clone());
        }
        if let Some(half) = self.half.get().filter(|half| half.dtype() == kind) {
            return Ok(half.clone());
        }
        let half = self.single.to_dtype(kind)?;
        // A model meets one type; the copy for another one would be made each time.
        let _kept = self.half.set(half.clone());
        Ok(half)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn half_copies_are_rounded_from_single_precision_and_kept() {
        let weight = Weight::new(Tensor::new(&[1.0f32, 1.0 + 1.0 / 512.0, -3.0], &Device::Cpu).unwrap());
        let maps = |kind| Tensor::zeros(1, kind, &Device::Cpu).unwrap();
        let numbers = |kind| {
            let like = weight.like(&maps(kind)).unwrap();
            assert_eq!(like.dtype(), kind);
            like.to_dtype(DType::F32).unwrap().to_vec1::<f32>().unwrap()
        };
        assert_eq!(numbers(DType::BF16), [1.0, 1.0, -3.0]);
        assert_eq!(weight.half.get().unwrap().dtype(), DType::BF16);
        assert_eq!(numbers(DType::F16), [1.0, 1.0 + 1.0 / 512.0, -3.0], "from single, not from the other half");
        assert_eq!(numbers(DType::F32), [1.0, 1.0 + 1.0 / 512.0, -3.0]);
    }
}
