use serde::{Deserialize, Serialize};

use crate::error::{EvaluateError, Result, need_at_least, need_size};
use crate::linear::{Matrix, add_scaled, covariance, dot, leading_eigenvectors, squared_distance};

/// The distance of a feature vector from the nearest class, in the units in which classes spread.
///
/// The squared Mahalanobis distance to the nearest class mean with one covariance for all classes (Lee et al., NeurIPS
/// 2018). A covariance of 1408 features cannot be estimated from some hundred rows, so it is that of probabilistic PCA
/// (Tipping and Bishop, JRSS B 1999): the leading directions of the spread within classes as measured, and the mean of
/// what is left in all others. It never lacks an inverse, and it is small enough to store beside a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureDistance {
    /// One mean a class that had rows, `[classes, features]`.
    means: Vec<Vec<f32>>,
    /// Directions of unit length in which rows spread most within their class, `[components, features]`.
    directions: Vec<Vec<f32>>,
    /// The variance along each direction.
    variances: Vec<f64>,
    /// The variance along every other direction.
    other_variance: f64,
}

impl FeatureDistance {
    /// How many directions are measured one by one unless stated otherwise.
    pub const COMPONENTS: usize = 64;

    /// Fits on training rows: feature vectors `[n, features]` and the class of each.
    ///
    /// At most a third as many directions are measured as there are rows beyond the means: with fewer rows a direction
    /// is noise. Choose a threshold for the scores on rows that were not fitted on (see [`super::threshold_at_loss`]):
    /// scores of the rows fitted on are too small.
    pub fn fit(features: &[&[f32]], classes: &[usize], components: usize) -> Result<Self> {
        need_size("classes of feature vectors", features.len(), classes.len())?;
        need_at_least("feature vectors", 2, features.len())?;
        let width = features[0].len();
        need_at_least("features", 1, width)?;
        for vector in features {
            need_size("features", width, vector.len())?;
            if let Some(value) = vector.iter().find(|value| !value.is_finite()) {
                return Err(EvaluateError::Range { name: "a feature", value: f64::from(*value), allowed: "finite" });
            }
        }
        let class_count = classes.iter().max().map_or(0, |last| last + 1);
        let mut counts = vec![0.0; class_count];
        let mut sums = Matrix::zeros(class_count, width);
        for (vector, class) in features.iter().zip(classes) {
            counts[*class] += 1.0;
            sums.row_mut(*class).iter_mut().zip(*vector).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let mut spread = Matrix::zeros(features.len(), width);
        for (row, (vector, class)) in features.iter().zip(classes).enumerate() {
            let centered = spread.row_mut(row);
            centered.iter_mut().zip(*vector).for_each(|(centered, value)| *centered = f64::from(*value));
            add_scaled(centered, -1.0 / counts[*class], sums.row(*class));
        }
        let present: Vec<usize> = (0..class_count).filter(|class| counts[*class] > 0.0).collect();
        let freedom = features.len() - present.len();
        need_at_least("feature vectors beyond one a class", 1, freedom)?;
        let covariance = covariance(&spread, freedom as f64);
        let total: f64 = (0..width).map(|index| covariance.row(index)[index]).sum();
        let components = components.min(freedom / 3).min(width - 1);
        let (variances, directions) = leading_eigenvectors(&covariance, components);
        let other_variance = (total - variances.iter().sum::<f64>()) / (width - components) as f64;
        // Features that never differ have no variance; a floor keeps their distance finite.
        let floor = (1e-9 * total / width as f64).max(f64::MIN_POSITIVE);
        let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
        Ok(Self {
            means: present
                .iter()
                .map(|class| sums.row(*class).iter().map(|sum| (sum / counts[*class]) as f32).collect())
                .collect(),
            directions: (0..components).map(|row| single(directions.row(row))).collect(),
            variances: variances.iter().map(|variance| variance.max(floor)).collect(),
            other_variance: other_variance.max(floor),
        })
    }

    /// The squared distance from the nearest class; about the number of features for a row like those fitted on.
    pub fn score(&self, features: &[f32]) -> Result<f64> {
        need_size("features", self.means.first().map_or(0, Vec::len), features.len())?;
        let vector = double(features);
        let of_class = |mean: &Vec<f32>| {
            let mut difference = vector.clone();
            add_scaled(&mut difference, -1.0, &double(mean));
            let length = squared_distance(&difference, &vec![0.0; difference.len()]);
            let mut along = 0.0;
            let mut scaled = 0.0;
            for (direction, variance) in self.directions.iter().zip(&self.variances) {
                let part = dot(&difference, &double(direction)).powi(2);
                along += part;
                scaled += part / variance;
            }
            scaled + (length - along).max(0.0) / self.other_variance
        };
        let nearest = self.means.iter().map(of_class).fold(f64::INFINITY, f64::min);
        if nearest.is_finite() {
            Ok(nearest)
        } else {
            Err(EvaluateError::Range { name: "a feature distance", value: nearest, allowed: "finite" })
        }
    }
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roc::auroc;
    use random::Stream;

    fn fit(rows: &[Vec<f32>], classes: &[usize], components: usize) -> Result<FeatureDistance> {
        FeatureDistance::fit(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>(), classes, components)
    }

    #[test]
    fn a_round_class_has_euclidean_distances() {
        let rows = vec![vec![1.0, 0.0], vec![-1.0, 0.0], vec![0.0, 1.0], vec![0.0, -1.0], vec![0.0, 0.0]];
        let distance = fit(&rows, &[0; 5], 0).unwrap();
        // Within-class variance is 4 / 4 over two features.
        assert!((distance.score(&[3.0, 4.0]).unwrap() - 25.0 / 0.5).abs() < 1e-6);
        assert!(distance.score(&[1.0]).is_err());
    }

    #[test]
    fn distances_are_those_of_scikit_learn() {
        // scikit-learn 1.9.1: PCA(n_components=2).fit(x).get_precision(), then d @ precision @ d; one class.
        let rows: Vec<Vec<f32>> = vec![
            vec![2.0, 1.0, 0.5, 0.0],
            vec![-1.0, -2.0, 0.0, 0.5],
            vec![4.0, 3.0, -0.5, 0.25],
            vec![-3.0, -1.0, 0.25, -0.5],
            vec![0.5, 2.0, 1.0, 0.0],
            vec![1.5, -1.0, -1.0, 0.5],
            vec![-2.0, 0.0, 0.75, -0.25],
        ];
        let distance = fit(&rows, &[0; 7], 2).unwrap();
        let found = distance.score(&[1.0, -1.0, 2.0, 0.5]).unwrap();
        assert!((found - 59.930_740_694_894_49).abs() < 1e-5 * 59.930_740_694_894_49, "{found}");
    }

    #[test]
    fn out_of_distribution_rows_are_told_from_few_rows_in_many_dimensions() {
        // 60 rows of three classes in 1408 features whose spread has 10 strong directions.
        let mut stream = Stream::new(4);
        let mut vector = |center: usize, shift: f64| -> Vec<f32> {
            let strong: Vec<f64> = (0..10).map(|_| 4.0 * stream.normal()).collect();
            (0..1408)
                .map(|index| {
                    let mean = if index % 7 == center { 1.0 } else { 0.0 };
                    (mean + shift * f64::from(index % 11 == 5) + strong[index % 10] * 0.3 + 0.5 * stream.normal())
                        as f32
                })
                .collect()
        };
        let rows: Vec<Vec<f32>> = (0..60).map(|index| vector(index % 3, 0.0)).collect();
        let classes: Vec<usize> = (0..60).map(|index| index % 3).collect();
        let known: Vec<Vec<f32>> = (0..60).map(|index| vector(index % 3, 0.0)).collect();
        let strange: Vec<Vec<f32>> = (0..60).map(|index| vector(index % 3, 1.2)).collect();
        let is_strange: Vec<bool> = (0..120).map(|index| index >= 60).collect();
        let area = |components| {
            let distance = fit(&rows, &classes, components).unwrap();
            let scores = known.iter().chain(&strange).map(|vector| distance.score(vector).unwrap());
            auroc(&scores.collect::<Vec<_>>(), &is_strange).unwrap()
        };
        let (measured, euclidean) = (area(FeatureDistance::COMPONENTS), area(0));
        assert!(measured > 0.95 && euclidean < 0.8, "{measured} {euclidean}");
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        assert!(fit(&[vec![1.0]], &[0], 1).is_err());
        assert!(fit(&[vec![1.0], vec![2.0]], &[0, 1], 1).is_err(), "one row a class has no spread");
        assert!(fit(&[vec![f32::NAN], vec![2.0]], &[0, 0], 1).is_err());
        let flat = fit(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[0, 0], 1).unwrap();
        assert_eq!(flat.score(&[1.0, 1.0]).unwrap(), 0.0);
    }

    #[test]
    fn it_survives_being_stored() {
        let fitted = fit(&[vec![1.0, 0.5], vec![2.0, 0.1], vec![0.0, 0.7]], &[0, 0, 0], 1).unwrap();
        let text = serde_json::to_string(&fitted).unwrap();
        assert_eq!(serde_json::from_str::<FeatureDistance>(&text).unwrap(), fitted);
    }
}
