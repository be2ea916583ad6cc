//! Checks gradients against what a small step in each input does.

use candle_core::{DType, Tensor, Var};

use super::{NormSettings, TrainableNorm};
use crate::{Result, seeded};

/// Asserts that the gradients of `function` by each of `inputs`, `f64`, are those of central differences.
pub(crate) fn assert_gradients(inputs: &[&Tensor], function: impl Fn(&[Tensor]) -> Result<Tensor>) {
    const STEP: f64 = 1e-5;
    let variables: Vec<Var> = inputs.iter().map(|input| Var::from_tensor(input).unwrap()).collect();
    let tracked: Vec<Tensor> = variables.iter().map(|variable| variable.as_tensor().clone()).collect();
    let output = function(&tracked).unwrap();
    let weighting = seeded::normal(99, output.shape(), DType::F64);
    let gradients = (output * &weighting).unwrap().sum_all().unwrap().backward().unwrap();
    for (index, input) in inputs.iter().enumerate() {
        assert_eq!(input.dtype(), DType::F64);
        let gradient = gradients.get(&variables[index]).unwrap_or_else(|| panic!("input {index} has no gradient"));
        assert_eq!(gradient.dims(), input.dims());
        let found: Vec<f64> = gradient.flatten_all().unwrap().to_vec1().unwrap();
        let values: Vec<f64> = input.flatten_all().unwrap().to_vec1().unwrap();
        let loss_at = |position: usize, step: f64| {
            let mut moved = values.clone();
            moved[position] += step;
            let mut tensors: Vec<Tensor> = inputs.iter().map(|&input| input.clone()).collect();
            tensors[index] = Tensor::from_vec(moved, input.shape(), input.device()).unwrap();
            let loss = (function(&tensors).unwrap() * &weighting).unwrap().sum_all().unwrap();
            loss.to_scalar::<f64>().unwrap()
        };
        for (position, found) in found.iter().enumerate() {
            let expected = (loss_at(position, STEP) - loss_at(position, -STEP)) / (2.0 * STEP);
            let error = (found - expected).abs();
            assert!(error < 1e-6 * (1.0 + expected.abs()), "input {index} at {position}: {found}, not {expected}");
        }
    }
}

/// The largest difference of two tensors of one shape.
pub(crate) fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap();
    difference.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

/// A norm of these weights whose running statistics are neither 0 nor 1.
pub(crate) fn norm_of(weight: &Tensor, bias: &Tensor) -> TrainableNorm {
    let constant = |value: f64| Var::from_tensor(&(weight.zeros_like().unwrap().detach() + value).unwrap()).unwrap();
    TrainableNorm {
        weight: weight.clone(),
        bias: bias.clone(),
        running_mean: constant(0.3),
        running_variance: constant(1.7),
        settings: NormSettings::TORCH,
    }
}

/// Paddings with fewer than `below` pixels on each side, for property tests.
pub(crate) fn paddings(below: usize) -> impl proptest::strategy::Strategy<Value = crate::Padding> {
    use proptest::strategy::Strategy as _;
    let side = || 0..below;
    (side(), side(), side(), side()).prop_map(|(top, left, bottom, right)| crate::Padding { top, left, bottom, right })
}
