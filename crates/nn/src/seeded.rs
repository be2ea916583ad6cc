//! Random tensors for tests, the same on every run, so that a test that fails fails again. Candle's own have no seed on a CPU.

use candle_core::{DType, Device, Shape, Tensor};
use random::Stream;

/// Normally distributed numbers of mean 0 and deviation 1.
pub(crate) fn normal(seed: u64, shape: impl Into<Shape>, dtype: DType) -> Tensor {
    let mut numbers = Stream::new(seed);
    tensor(shape, dtype, || numbers.normal())
}

/// Numbers in [0, 1).
pub(crate) fn uniform(seed: u64, shape: impl Into<Shape>, dtype: DType) -> Tensor {
    let mut numbers = Stream::new(seed);
    tensor(shape, dtype, || numbers.unit())
}

fn tensor(shape: impl Into<Shape>, dtype: DType, next: impl FnMut() -> f64) -> Tensor {
    let shape = shape.into();
    let values: Vec<f64> = std::iter::repeat_with(next).take(shape.elem_count()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

#[test]
fn a_seed_gives_its_numbers_alone_and_they_have_their_mean_and_deviation() {
    let values = |seed| normal(seed, 10_000, DType::F64).to_vec1::<f64>().unwrap();
    assert_eq!(values(1), values(1));
    assert_ne!(values(1), values(2));
    let mean = values(1).iter().sum::<f64>() / 1e4;
    let variance = values(1).iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 1e4;
    assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
}
