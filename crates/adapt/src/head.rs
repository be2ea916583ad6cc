//! The last layer of a model.

/// A linear layer from vectors to one logit a view.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearHead {
    /// One row a view, [views, C].
    pub weight: Vec<Vec<f32>>,
    /// One number a view.
    pub bias: Vec<f32>,
}

impl LinearHead {
    /// Returns the layer whose logits are all zero: every view equally likely.
    pub fn zeros(views: usize, width: usize) -> Self {
        Self { weight: vec![vec![0.0; width]; views], bias: vec![0.0; views] }
    }

    /// Returns one logit a view.
    pub fn logits(&self, vector: &[f32]) -> Vec<f64> {
        let logit = |(row, bias): (&Vec<f32>, &f32)| {
            let sum: f64 = row.iter().zip(vector).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            sum + f64::from(*bias)
        };
        self.weight.iter().zip(&self.bias).map(logit).collect()
    }
}

/// Returns the probabilities of logits, and the logarithm of the sum of their exponentials.
pub(crate) fn softmax(logits: &[f64]) -> (Vec<f64>, f64) {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    (exponentials.iter().map(|value| value / sum).collect(), largest + sum.ln())
}
