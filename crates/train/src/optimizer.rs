use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::variables::Snapshot;
use crate::{Result, Variables};

/// The optimizer of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerSettings {
    /// Length of a step.
    pub learning_rate: f64,
    /// Weight decay of kernels, times the learning rate (AdamW: Loshchilov and Hutter, ICLR 2019);
    /// 0 is plain Adam. Biases and norms do not decay.
    pub weight_decay: f64,
    /// Momentum: the share of the mean gradient that is kept from step to step.
    pub beta1: f64,
    /// The same for the mean square.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub eps: f64,
    /// Gradients longer than this, all tensors together, are shortened to it.
    pub clip_norm: Option<f64>,
    /// Keeps a mean of the weights over steps, of which this share stays at each step; it is what is used and saved.
    pub average_share: Option<f64>,
}

impl Default for OptimizerSettings {
    fn default() -> Self {
        Self {
            learning_rate: 1e-4,
            weight_decay: 0.0,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            clip_norm: None,
            average_share: None,
        }
    }
}

/// Adam and AdamW (Kingma and Ba, ICLR 2015), with clipping and a mean of the weights.
pub struct Optimizer {
    settings: OptimizerSettings,
    steps: u64,
    moments: BTreeMap<String, Moments>,
    average: Option<BTreeMap<String, Vec<f32>>>,
}

/// Running means of a tensor's gradient and of its square.
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Optimizer {
    /// An optimizer that has not seen a gradient.
    pub fn new(settings: OptimizerSettings) -> Self {
        Self { settings, steps: 0, moments: BTreeMap::new(), average: settings.average_share.map(|_| BTreeMap::new()) }
    }

    /// Moves the variables against `gradients`, `share` of a full learning rate, and gives the gradient's length before
    /// it was clipped.
    ///
    /// # Errors
    /// A gradient is not finite, or the device fails.
    pub fn step(&mut self, variables: &Variables, gradients: &GradStore, share: f64) -> Result<f64> {
        let mut tasks = Vec::new();
        for (name, variable) in variables.learned() {
            if let Some(gradient) = gradients.get(&variable) {
                tasks.push((name, variable, gradient.flatten_all()?.to_vec1::<f32>()?));
            }
        }
        // Summed tensor by tensor in the order of names, so that the result does not depend on threads.
        let squares: Vec<f64> =
            tasks.par_iter().map(|(_, _, gradient)| gradient.iter().map(|g| f64::from(*g).powi(2)).sum()).collect();
        let norm = squares.iter().sum::<f64>().sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        let clip = self.settings.clip_norm.map_or(1.0, |most| (most / norm.max(1e-12)).min(1.0));
        self.steps += 1;
        let step = Step { settings: self.settings, steps: self.steps, share, clip: clip as f32 };
        let mut moved = Vec::with_capacity(tasks.len());
        for (name, variable, gradient) in tasks {
            let moments = self.moments.remove(&name).unwrap_or_else(|| Moments::of(gradient.len()));
            moved.push((name, variable, gradient, moments));
        }
        let results: Vec<Result<(String, Moments)>> = moved
            .into_par_iter()
            .map(|(name, variable, gradient, moments)| Ok((name, step.apply(&variable, &gradient, moments)?)))
            .collect();
        for result in results {
            let (name, moments) = result?;
            self.moments.insert(name, moments);
        }
        self.follow(variables)?;
        Ok(norm)
    }

    /// Moves the mean of the weights towards the weights; the mean of few steps does not lean on the first ones.
    fn follow(&mut self, variables: &Variables) -> Result<()> {
        let (Some(share), Some(average)) = (self.settings.average_share, self.average.as_mut()) else { return Ok(()) };
        let steps = self.steps as f64;
        let share = share.min((1.0 + steps) / (10.0 + steps)) as f32;
        for (name, tensor) in variables.snapshot()?.tensors() {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            match average.get_mut(name) {
                Some(mean) => {
                    mean.par_iter_mut().zip(&values).for_each(|(mean, value)| *mean += (1.0 - share) * (value - *mean));
                }
                None => {
                    average.insert(name.clone(), values);
                }
            }
        }
        Ok(())
    }

    /// The weights to use: their mean over steps where one is kept, else the newest.
    ///
    /// # Errors
    /// The device fails.
    pub fn weights(&self, variables: &Variables) -> Result<Snapshot> {
        let newest = variables.snapshot()?;
        let Some(average) = self.average.as_ref().filter(|average| !average.is_empty()) else { return Ok(newest) };
        let mut weights = BTreeMap::new();
        for (name, tensor) in newest.tensors() {
            let tensor = match average.get(name) {
                Some(mean) => Tensor::from_slice(mean, tensor.shape(), &Device::Cpu)?,
                None => tensor.clone(),
            };
            weights.insert(name.clone(), tensor);
        }
        Ok(Snapshot::from_tensors(weights))
    }

    /// All that is kept between steps, as tensors for a checkpoint.
    pub(crate) fn state(&self) -> Result<Snapshot> {
        let mut tensors = BTreeMap::new();
        let vector = |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu);
        for (name, Moments { first, second }) in &self.moments {
            tensors.insert(format!("first/{name}"), vector(first)?);
            tensors.insert(format!("second/{name}"), vector(second)?);
        }
        for (name, mean) in self.average.iter().flatten() {
            tensors.insert(format!("average/{name}"), vector(mean)?);
        }
        Ok(Snapshot::from_tensors(tensors))
    }

    /// An optimizer that goes on from what [`Self::state`] gave after `steps` steps.
    pub(crate) fn resumed(settings: OptimizerSettings, steps: u64, state: &Snapshot) -> Result<Self> {
        let mut optimizer = Self::new(settings);
        optimizer.steps = steps;
        for (name, tensor) in state.tensors() {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            if let Some(name) = name.strip_prefix("average/") {
                optimizer.average.get_or_insert_default().insert(name.to_owned(), values);
                continue;
            }
            let (kind, name) = name.split_once('/').unwrap_or(("", name));
            let moments = optimizer.moments.entry(name.to_owned()).or_insert_with(|| Moments::of(values.len()));
            match kind {
                "first" => moments.first = values,
                _ => moments.second = values,
            }
        }
        Ok(optimizer)
    }

    /// Steps taken so far.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }
}

impl Moments {
    fn of(length: usize) -> Self {
        Self { first: vec![0.0; length], second: vec![0.0; length] }
    }
}

/// Values that all tensors share in one step.
struct Step {
    settings: OptimizerSettings,
    steps: u64,
    share: f64,
    clip: f32,
}

impl Step {
    fn apply(&self, variable: &Var, gradient: &[f32], mut moments: Moments) -> Result<Moments> {
        let OptimizerSettings { learning_rate, weight_decay, beta1, beta2, eps, .. } = self.settings;
        let rate = learning_rate * self.share;
        let correct = |beta: f64| 1.0 - beta.powf(self.steps as f64);
        let length = (rate / correct(beta1)) as f32;
        let scale = correct(beta2).sqrt() as f32;
        let decay = if variable.rank() > 1 { (1.0 - rate * weight_decay) as f32 } else { 1.0 };
        // Taken from 1 before the rounding: 1 - 0.999 in f32 is off by 1e-5 of itself.
        let (new1, new2) = ((1.0 - beta1) as f32, (1.0 - beta2) as f32);
        let (beta1, beta2, eps) = (beta1 as f32, beta2 as f32, eps as f32);
        let mut values = variable.as_tensor().flatten_all()?.to_vec1::<f32>()?;
        let both = moments.first.iter_mut().zip(&mut moments.second);
        for ((value, gradient), (first, second)) in values.iter_mut().zip(gradient).zip(both) {
            let gradient = gradient * self.clip;
            *first = beta1 * *first + new1 * gradient;
            *second = beta2 * *second + new2 * gradient * gradient;
            *value = *value * decay - length * *first / (second.sqrt() / scale + eps);
        }
        variable.set(&Tensor::from_vec(values, variable.shape(), variable.device())?)?;
        Ok(moments)
    }
}

#[cfg(test)]
mod tests {
    use zoo::weights::TensorSource;

    use super::*;

    #[test]
    fn two_steps_of_adamw_equal_the_ones_computed_by_hand() {
        let variables = Variables::random(1);
        variables.tensor("a.weight", &[1, 2]).unwrap();
        let start = Tensor::new(&[[1f32, -2.0]], &Device::Cpu).unwrap();
        variables.restore(&Snapshot::from_tensors([("a.weight".to_owned(), start)].into())).unwrap();
        let settings = OptimizerSettings { learning_rate: 0.1, weight_decay: 0.5, ..OptimizerSettings::default() };
        let mut optimizer = Optimizer::new(settings);
        let mut expected = [1.0f64, -2.0];
        let (mut first, mut second) = ([0.0f64; 2], [0.0f64; 2]);
        for step in 1..=2 {
            let variable = variables.learned().remove(0).1;
            let gradients = variable.as_tensor().sqr().unwrap().sum_all().unwrap().backward().unwrap();
            optimizer.step(&variables, &gradients, 1.0).unwrap();
            for index in 0..2 {
                let gradient = 2.0 * expected[index];
                first[index] = 0.9 * first[index] + 0.1 * gradient;
                second[index] = 0.999 * second[index] + 0.001 * gradient * gradient;
                let mean = first[index] / (1.0 - 0.9f64.powi(step));
                let square = second[index] / (1.0 - 0.999f64.powi(step));
                expected[index] = expected[index] * (1.0 - 0.05) - 0.1 * mean / (square.sqrt() + 1e-8);
            }
            let found = variables.tensor("a.weight", &[1, 2]).unwrap().to_vec2::<f32>().unwrap();
            for (found, expected) in found[0].iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
            }
        }
    }

    #[test]
    fn a_long_gradient_is_shortened() {
        let variables = Variables::random(1);
        let x = variables.tensor("a.weight", &[2, 2]).unwrap();
        let settings = OptimizerSettings { clip_norm: Some(1.0), ..OptimizerSettings::default() };
        let gradients = (x * 300.0).unwrap().sum_all().unwrap().backward().unwrap();
        let mut optimizer = Optimizer::new(settings);
        assert!((optimizer.step(&variables, &gradients, 1.0).unwrap() - 600.0).abs() < 1e-3);
        assert!((optimizer.moments["a.weight"].first[0] - 0.1 * 0.5).abs() < 1e-6);
    }
}
