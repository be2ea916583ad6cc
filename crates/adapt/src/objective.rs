//! The loss that a new last layer minimizes.

use evaluate::dot;

use crate::LinearHead;
use crate::head::softmax;

/// Labelled vectors, ready for the fit.
pub(crate) struct TrainingRows {
    /// Standardized vectors, one a loop, [n, C].
    pub vectors: Vec<Vec<f64>>,
    /// The model's own logits, [n, views].
    pub own_logits: Vec<Vec<f64>>,
    /// The view of each loop.
    pub classes: Vec<usize>,
    /// The weight of each loop: views count alike however many loops they have. They sum to 1.
    pub weights: Vec<f64>,
}

/// The parameters: the share of the model's own answer, then of each view its correction [C] and bias.
pub(crate) struct Parameters<'a> {
    values: &'a [f64],
    width: usize,
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(values: &'a [f64], width: usize) -> Self {
        Self { values, width }
    }

    pub(crate) fn own_share(&self) -> f64 {
        self.values[0]
    }

    /// The correction of a view, [C], and its bias.
    pub(crate) fn of_view(&self, view: usize) -> (&'a [f64], f64) {
        let row = &self.values[1 + view * (self.width + 1)..][..self.width + 1];
        (&row[..self.width], row[self.width])
    }

    /// The number of parameters.
    pub(crate) fn count(views: usize, width: usize) -> usize {
        1 + views * (width + 1)
    }
}

/// Returns the mean cross-entropy plus `ridge` / 2 times the squared corrections, and its gradient.
///
/// The own share is held to 1 by the same penalty, biases by none.
pub(crate) fn loss(rows: &TrainingRows, views: usize, ridge: f64, values: &[f64]) -> (f64, Vec<f64>) {
    let width = rows.vectors.first().map_or(0, Vec::len);
    let parameters = Parameters::new(values, width);
    let mut gradient = vec![0.0; values.len()];
    let away = parameters.own_share() - 1.0;
    let mut value = 0.5 * ridge * away * away;
    gradient[0] = ridge * away;
    for view in 0..views {
        let (correction, _) = parameters.of_view(view);
        value += 0.5 * ridge * dot(correction, correction);
        let target = &mut gradient[1 + view * (width + 1)..][..width];
        target.iter_mut().zip(correction).for_each(|(slope, weight)| *slope = ridge * weight);
    }
    for (row, vector) in rows.vectors.iter().enumerate() {
        let (own, class, weight) = (&rows.own_logits[row], rows.classes[row], rows.weights[row]);
        let logits: Vec<f64> = (0..views)
            .map(|view| {
                let (correction, bias) = parameters.of_view(view);
                parameters.own_share() * own[view] + dot(correction, vector) + bias
            })
            .collect();
        let (probabilities, log_sum) = softmax(&logits);
        value += weight * (log_sum - logits[class]);
        for view in 0..views {
            let error = weight * (probabilities[view] - f64::from(u8::from(view == class)));
            gradient[0] += error * own[view];
            let target = &mut gradient[1 + view * (width + 1)..][..width + 1];
            target.iter_mut().zip(vector).for_each(|(slope, input)| *slope += error * input);
            target[width] += error;
        }
    }
    (value, gradient)
}

/// The mean and the deviation of each number of the vectors.
pub(crate) struct Standardization {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Standardization {
    pub(crate) fn new(vectors: &[Vec<f64>]) -> Self {
        let (count, width) = (vectors.len().max(1) as f64, vectors.first().map_or(0, Vec::len));
        let mean: Vec<f64> = (0..width).map(|at| vectors.iter().map(|row| row[at]).sum::<f64>() / count).collect();
        let variance =
            |at: usize| vectors.iter().map(|row| (row[at] - mean[at]) * (row[at] - mean[at])).sum::<f64>() / count;
        // A number that is the same in all vectors says nothing; it is left as zero.
        let deviation = (0..width).map(|at| variance(at).sqrt()).map(|d| if d > 1e-9 { d } else { f64::INFINITY });
        Self { deviation: deviation.collect(), mean }
    }

    pub(crate) fn apply(&self, vector: &[f64]) -> Vec<f64> {
        let place = vector.iter().zip(&self.mean).zip(&self.deviation);
        place.map(|((value, mean), deviation)| (value - mean) / deviation).collect()
    }

    /// Returns the layer on plain vectors that equals own answer and correction on standardized ones.
    pub(crate) fn merged(&self, own: &LinearHead, parameters: &Parameters<'_>) -> LinearHead {
        let views = own.bias.len();
        let mut merged = LinearHead::zeros(views, self.mean.len());
        for view in 0..views {
            let (correction, bias) = parameters.of_view(view);
            let mut shift = bias;
            let moments = self.mean.iter().zip(&self.deviation);
            for (at, ((mean, deviation), correction)) in moments.zip(correction).enumerate() {
                let weight = correction / deviation;
                shift -= weight * mean;
                merged.weight[view][at] = (parameters.own_share() * f64::from(own.weight[view][at]) + weight) as f32;
            }
            merged.bias[view] = (parameters.own_share() * f64::from(own.bias[view]) + shift) as f32;
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let rows = TrainingRows {
            vectors: vec![vec![0.5, -1.0], vec![1.5, 0.2], vec![-0.3, 0.9]],
            own_logits: vec![vec![1.0, 0.0], vec![0.2, 0.4], vec![-1.0, 0.5]],
            classes: vec![0, 1, 1],
            weights: vec![0.5, 0.25, 0.25],
        };
        let values: Vec<f64> = (0..Parameters::count(2, 2)).map(|index| 0.3 - 0.1 * index as f64).collect();
        let (_, gradient) = loss(&rows, 2, 0.7, &values);
        for index in 0..values.len() {
            let at = |step: f64| {
                let mut moved = values.clone();
                moved[index] += step;
                loss(&rows, 2, 0.7, &moved).0
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((slope - gradient[index]).abs() < 1e-8, "{index}: {slope} {}", gradient[index]);
        }
    }
}
