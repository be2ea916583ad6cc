//! Embedding of features in the plane, to be looked at.

use crate::error::{EvaluateError, Result, need_at_least, need_size};
use crate::linear::{Matrix, principal_components, squared_distance};
use random::Stream;

/// Options of t-SNE.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TsneOptions {
    /// The effective number of neighbors of a point; a third of the points at most.
    pub perplexity: f64,
    /// Steps of the descent; the first quarter exaggerates what belongs together.
    pub steps: usize,
    /// Principal components that are kept before distances are measured.
    pub components: usize,
    /// The seed of the tiny noise that parts points which fall together.
    pub seed: u64,
}

impl Default for TsneOptions {
    fn default() -> Self {
        Self { perplexity: 30.0, steps: 1000, components: 50, seed: 42 }
    }
}

/// Points on a plane whose neighbors are those that the features have: exact t-SNE (van der Maaten and Hinton, JMLR
/// 2008) from the two principal components (Kobak and Berens, Nature Communications 2019).
///
/// Takes rows `[n, features]`, gives n points. Time grows with the square of n: some thousand rows are for minutes.
/// Distances between clusters and their sizes mean nothing.
///
/// # Errors
/// There are under 4 rows, their features differ in length or are not finite, or the perplexity is under 1.
pub fn tsne(features: &[&[f32]], options: TsneOptions) -> Result<Vec<[f64; 2]>> {
    need_at_least("feature vectors", 4, features.len())?;
    if !(options.perplexity >= 1.0 && options.perplexity.is_finite()) {
        return Err(EvaluateError::Range { name: "the perplexity", value: options.perplexity, allowed: "1 or more" });
    }
    let width = features[0].len();
    let mut rows = Matrix::zeros(features.len(), width);
    for (index, vector) in features.iter().enumerate() {
        need_size("features", width, vector.len())?;
        rows.row_mut(index).iter_mut().zip(*vector).for_each(|(value, feature)| *value = f64::from(*feature));
        if let Some(value) = vector.iter().find(|value| !value.is_finite()) {
            return Err(EvaluateError::Range { name: "a feature", value: f64::from(*value), allowed: "finite" });
        }
    }
    let points = principal_components(rows, options.components.max(2));
    let affinities = affinities(&points, options.perplexity.min((features.len() - 1) as f64 / 3.0));
    Ok(descend(&affinities, start(&points, options.seed), options.steps))
}

/// The two principal components, brought to a spread of 1e-4 in the first, with a little noise.
fn start(points: &Matrix, seed: u64) -> Vec<[f64; 2]> {
    let mut stream = Stream::new(seed);
    let first = |row: usize| points.row(row).first().copied().unwrap_or(0.0);
    let second = |row: usize| points.row(row).get(1).copied().unwrap_or(0.0);
    let variance = (0..points.rows).map(|row| first(row).powi(2)).sum::<f64>() / points.rows as f64;
    let scale = if variance > 0.0 { 1e-4 / variance.sqrt() } else { 0.0 };
    (0..points.rows)
        .map(|row| [scale * first(row) + 1e-6 * stream.normal(), scale * second(row) + 1e-6 * stream.normal()])
        .collect()
}

/// The symmetric chances `[n, n]` that two points are neighbors; they sum to 1.
fn affinities(points: &Matrix, perplexity: f64) -> Matrix {
    let count = points.rows;
    let mut chances = Matrix::zeros(count, count);
    for row in 0..count {
        let distances: Vec<f64> =
            (0..count).map(|other| squared_distance(points.row(row), points.row(other))).collect();
        let found = neighbor_chances(&distances, row, perplexity.ln());
        chances.row_mut(row).copy_from_slice(&found);
    }
    for row in 0..count {
        for other in row..count {
            let both = chances.row(row)[other] + chances.row(other)[row];
            let chance = both / (2.0 * count as f64);
            chances.row_mut(row)[other] = chance;
            chances.row_mut(other)[row] = chance;
        }
    }
    chances
}

/// Gaussian chances around one point, as wide as it takes for their entropy to be `entropy` nats.
fn neighbor_chances(distances: &[f64], own: usize, entropy: f64) -> Vec<f64> {
    let others = || distances.iter().enumerate().filter(|(index, _)| *index != own);
    let nearest = others().map(|(_, distance)| *distance).fold(f64::INFINITY, f64::min);
    let mean = others().map(|(_, distance)| distance - nearest).sum::<f64>() / (distances.len() - 1) as f64;
    let chances_at = |precision: f64| {
        let mut chances: Vec<f64> =
            distances.iter().map(|distance| (-(distance - nearest) * precision).exp()).collect();
        chances[own] = 0.0;
        let sum: f64 = chances.iter().sum();
        chances.iter_mut().for_each(|chance| *chance /= sum);
        chances
    };
    let entropy_of = |chances: &[f64]| -> f64 {
        chances.iter().filter(|chance| **chance > 0.0).map(|chance| -chance * chance.ln()).sum()
    };
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut precision = if mean > 0.0 { 1.0 / mean } else { 1.0 };
    for _ in 0..60 {
        let difference = entropy_of(&chances_at(precision)) - entropy;
        if difference.abs() < 1e-5 {
            break;
        }
        if difference > 0.0 {
            low = precision;
        } else {
            high = precision;
        }
        precision = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * precision };
    }
    chances_at(precision)
}

/// Gradient descent with momentum and a gain for each coordinate, as in the paper's own program.
fn descend(affinities: &Matrix, mut points: Vec<[f64; 2]>, steps: usize) -> Vec<[f64; 2]> {
    let count = points.len();
    let rate = (count as f64 / EXAGGERATION).max(50.0);
    let mut speed = vec![[0.0; 2]; count];
    let mut gains = vec![[1.0_f64; 2]; count];
    for step in 0..steps {
        let (exaggeration, momentum) = if step < steps / 4 { (EXAGGERATION, 0.5) } else { (1.0, 0.8) };
        let gradient = gradient(affinities, &points, exaggeration);
        for index in 0..count {
            for axis in 0..2 {
                let same_way = gradient[index][axis] * speed[index][axis] > 0.0;
                let gain = if same_way { gains[index][axis] * 0.8 } else { gains[index][axis] + 0.2 };
                gains[index][axis] = gain.max(0.01);
                speed[index][axis] = momentum * speed[index][axis] - rate * gains[index][axis] * gradient[index][axis];
                points[index][axis] += speed[index][axis];
            }
        }
    }
    points
}

const EXAGGERATION: f64 = 12.0;

/// The gradient of the Kullback-Leibler divergence at `points`, with attraction multiplied by `exaggeration`.
fn gradient(affinities: &Matrix, points: &[[f64; 2]], exaggeration: f64) -> Vec<[f64; 2]> {
    let closeness =
        |one: &[f64; 2], other: &[f64; 2]| 1.0 / (1.0 + (one[0] - other[0]).powi(2) + (one[1] - other[1]).powi(2));
    // Attraction and repulsion are summed apart, since the latter is divided by a sum over all pairs that is not known
    // yet.
    let mut attraction = vec![[0.0; 2]; points.len()];
    let mut repulsion = vec![[0.0; 2]; points.len()];
    let mut sum = 0.0;
    for (row, point) in points.iter().enumerate() {
        let (mut pull, mut push) = ([0.0; 2], [0.0; 2]);
        for (other, affinity) in points.iter().zip(affinities.row(row)) {
            let close = closeness(point, other);
            sum += close;
            let (strength, squared) = (affinity * close, close * close);
            for axis in 0..2 {
                let difference = point[axis] - other[axis];
                pull[axis] += strength * difference;
                push[axis] += squared * difference;
            }
        }
        (attraction[row], repulsion[row]) = (pull, push);
    }
    // Every point is at closeness 1 from itself, and that is no pair.
    let pairs = sum - points.len() as f64;
    let both = attraction.into_iter().zip(repulsion);
    both.map(|(pull, push)| [0, 1].map(|axis| 4.0 * (exaggeration * pull[axis] - push[axis] / pairs))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random_points(count: usize, seed: u64) -> Vec<[f64; 2]> {
        let mut stream = Stream::new(seed);
        (0..count).map(|_| [stream.normal(), stream.normal()]).collect()
    }

    #[test]
    fn chances_have_the_perplexity_that_was_asked_for() {
        let distances: Vec<f64> = (0..200).map(|index| f64::from(index).powi(2) / 100.0).collect();
        let chances = neighbor_chances(&distances, 0, 20.0_f64.ln());
        let entropy: f64 = chances.iter().filter(|chance| **chance > 0.0).map(|chance| -chance * chance.ln()).sum();
        assert!((entropy.exp() - 20.0).abs() < 1e-3, "{}", entropy.exp());
        assert_eq!(chances[0], 0.0);
        assert!(neighbor_chances(&[0.0; 5], 2, 1.0).iter().all(|chance| chance.is_finite()));
    }

    #[test]
    fn the_gradient_is_that_of_the_divergence() {
        let source = Matrix { rows: 12, columns: 3, values: random_points(18, 1).concat() };
        let affinities = affinities(&source, 3.0);
        assert!((affinities.values.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let points = random_points(12, 2);
        let divergence = |points: &[[f64; 2]]| {
            let close = |one: usize, other: usize| {
                let distance = squared_distance(&points[one], &points[other]);
                if one == other { 0.0 } else { 1.0 / (1.0 + distance) }
            };
            let sum: f64 =
                (0..12).flat_map(|one| (0..12).map(move |other| (one, other))).map(|(a, b)| close(a, b)).sum();
            let mut divergence = 0.0;
            for one in 0..12 {
                for other in 0..12 {
                    let chance = affinities.row(one)[other];
                    if chance > 0.0 {
                        divergence += chance * (chance / (close(one, other) / sum)).ln();
                    }
                }
            }
            divergence
        };
        let gradient = gradient(&affinities, &points, 1.0);
        for index in 0..12 {
            for axis in 0..2 {
                let (mut up, mut down) = (points.clone(), points.clone());
                up[index][axis] += 1e-5;
                down[index][axis] -= 1e-5;
                let slope = (divergence(&up) - divergence(&down)) / 2e-5;
                assert!((slope - gradient[index][axis]).abs() < 1e-7, "{slope} {}", gradient[index][axis]);
            }
        }
    }

    #[test]
    fn clusters_stay_together_and_apart() {
        let mut stream = Stream::new(3);
        let rows: Vec<Vec<f32>> = (0..90)
            .map(|row| (0..12).map(|index| (4.0 * f64::from(index % 3 == row % 3) + stream.normal()) as f32).collect())
            .collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let points = tsne(&rows, TsneOptions { steps: 400, ..TsneOptions::default() }).unwrap();
        let nearest = |row: usize| {
            let others = (0..90).filter(|other| *other != row);
            others.min_by(|a, b| {
                squared_distance(&points[row], &points[*a]).total_cmp(&squared_distance(&points[row], &points[*b]))
            })
        };
        let kept = (0..90).filter(|row| nearest(*row).unwrap() % 3 == row % 3).count();
        assert!(kept >= 88, "{kept} of 90 points have a neighbor of their own cluster");
        assert_eq!(points, tsne(&rows, TsneOptions { steps: 400, ..TsneOptions::default() }).unwrap());
    }

    #[test]
    fn what_cannot_be_embedded_is_refused_and_equal_rows_can() {
        let row: &[f32] = &[1.0, 2.0];
        assert!(tsne(&[row; 3], TsneOptions::default()).is_err());
        assert!(tsne(&[row; 5], TsneOptions { perplexity: 0.0, ..TsneOptions::default() }).is_err());
        let points = tsne(&[row; 5], TsneOptions { steps: 20, ..TsneOptions::default() }).unwrap();
        assert!(points.iter().flatten().all(|value| value.is_finite()));
    }
}
