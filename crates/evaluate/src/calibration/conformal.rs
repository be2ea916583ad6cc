use serde::{Deserialize, Serialize};

use crate::error::{Result, need_at_least, need_open_unit};
use crate::predictions::Predictions;

/// The measure of nonconformity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ConformalMethod {
    /// One minus the class's probability: the smallest sets on average (Sadinle, Lei and Wasserman, JASA 2019).
    /// Its set is empty where no class is likely enough.
    Lac,
    /// The probability of the class and of all more likely ones: sets adapt to hard rows (Romano, Sesia and Candès,
    /// NeurIPS 2020). Without their randomization, so that a loop has one answer; coverage is then at least the stated.
    /// The most likely class is always in the set.
    Aps,
    /// APS with `penalty` for every rank beyond `free_ranks`: no long tails (Angelopoulos et al., ICLR 2021).
    Raps {
        /// Added for every rank beyond the free ones.
        penalty: f64,
        /// The number of classes without a penalty.
        free_ranks: usize,
    },
}

/// A predictor of sets that hold the true class with a stated probability.
///
/// The promise is for rows that are exchangeable with those it was fitted on: one row a loop, patients drawn alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformalSets {
    /// The measure of nonconformity.
    pub method: ConformalMethod,
    /// The share of rows whose set may miss the true class.
    pub miss_rate: f64,
    /// A class is in the set where its nonconformity is at most this; absent where there were too few rows to promise
    /// anything, so that every class is in every set.
    pub threshold: Option<f64>,
}

/// Metrics of a set predictor on rows that it was not fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ConformalMetrics {
    /// The share of rows whose set holds the true class.
    pub coverage: f64,
    /// The mean number of classes in a set.
    pub mean_size: f64,
    /// The share of sets with exactly one class: what can be labelled without a person.
    pub single: f64,
    /// The share of sets without any class.
    pub empty: f64,
}

impl ConformalSets {
    /// Fits on the rows whose class is known: a validation set, at the level at which sets are asked for.
    ///
    /// The threshold is the ceil((n + 1)(1 - miss_rate))-th smallest nonconformity of the n rows; there is none for fewer rows
    /// than [`ConformalSets::min_rows`].
    ///
    /// # Errors
    /// Without such rows, and for a miss rate that is not between 0 and 1.
    pub fn fit(predictions: &Predictions, method: ConformalMethod, miss_rate: f64) -> Result<Self> {
        need_open_unit("the miss rate", miss_rate)?;
        let mut scores: Vec<f64> =
            predictions.labelled().map(|(row, class)| nonconformity(method, &row.probabilities)[class]).collect();
        need_at_least("rows with a known class", 1, scores.len())?;
        scores.sort_by(f64::total_cmp);
        // A rank such as 9.000000000000002 is meant to be 9.
        let rank = ((scores.len() + 1) as f64 * (1.0 - miss_rate) - 1e-9).ceil() as usize;
        Ok(Self { method, miss_rate, threshold: scores.get(rank.max(1) - 1).copied() })
    }

    /// Returns the number of rows with a known class that [`ConformalSets::fit`] needs for a threshold.
    pub fn min_rows(miss_rate: f64) -> usize {
        // The rank, the ceiling of (n + 1)(1 - miss_rate), is at most n from here on.
        ((1.0 - miss_rate) / miss_rate - 1e-9).ceil() as usize
    }

    /// Returns the classes that the row may show, most likely first.
    pub fn set(&self, probabilities: &[f64]) -> Vec<usize> {
        let order = most_likely_first(probabilities);
        let Some(threshold) = self.threshold else { return order };
        let scores = nonconformity(self.method, probabilities);
        let never_empty = self.method != ConformalMethod::Lac;
        let inside =
            |(rank, class): (usize, usize)| (scores[class] <= threshold || (never_empty && rank == 0)).then_some(class);
        order.into_iter().enumerate().filter_map(inside).collect()
    }

    /// Returns coverage and sizes over the rows whose class is known; `None` without any.
    pub fn metrics(&self, predictions: &Predictions) -> Option<ConformalMetrics> {
        let (mut rows, mut covered, mut size, mut single, mut empty) = (0, 0, 0, 0, 0);
        for (row, class) in predictions.labelled() {
            let set = self.set(&row.probabilities);
            rows += 1;
            covered += usize::from(set.contains(&class));
            size += set.len();
            single += usize::from(set.len() == 1);
            empty += usize::from(set.is_empty());
        }
        let per_row = |count: usize| count as f64 / rows as f64;
        (rows > 0).then(|| ConformalMetrics {
            coverage: per_row(covered),
            mean_size: per_row(size),
            single: per_row(single),
            empty: per_row(empty),
        })
    }
}

/// Returns each class's nonconformity: smaller is more likely.
fn nonconformity(method: ConformalMethod, probabilities: &[f64]) -> Vec<f64> {
    let (penalty, free_ranks) = match method {
        ConformalMethod::Lac => return probabilities.iter().map(|p| 1.0 - p).collect(),
        ConformalMethod::Aps => (0.0, 0),
        ConformalMethod::Raps { penalty, free_ranks } => (penalty, free_ranks),
    };
    let mut scores = vec![0.0; probabilities.len()];
    let mut cumulated = 0.0;
    for (rank, class) in most_likely_first(probabilities).into_iter().enumerate() {
        cumulated += probabilities[class];
        scores[class] = cumulated + penalty * (rank + 1).saturating_sub(free_ranks) as f64;
    }
    scores
}

fn most_likely_first(probabilities: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|one, other| probabilities[*other].total_cmp(&probabilities[*one]));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::predictions::Truth;
    use crate::predictions::tests::{names, row};
    use crate::probability::softmax;
    use random::Stream;

    fn predictions(rows: &[(usize, Vec<f64>)]) -> Predictions {
        let rows = rows.iter().map(|(truth, p)| row("a", "1", Truth::Class(*truth), p));
        Predictions::new(names(3), rows.collect()).unwrap()
    }

    #[test]
    fn scores_are_those_of_the_papers() {
        let p = [0.2, 0.5, 0.3];
        let near = |method, expected: [f64; 3]| {
            let found = nonconformity(method, &p);
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        };
        near(ConformalMethod::Lac, [0.8, 0.5, 0.7]);
        near(ConformalMethod::Aps, [1.0, 0.5, 0.8]);
        near(ConformalMethod::Raps { penalty: 0.1, free_ranks: 1 }, [1.2, 0.5, 0.9]);
    }

    #[test]
    fn the_threshold_is_the_finite_sample_quantile() {
        // Nine rows with nonconformities 0.1 to 0.9: ceil(10 x 0.8) = 8th.
        let rows: Vec<_> =
            (1..=9).map(|tenth| (0, vec![1.0 - f64::from(tenth) / 10.0, f64::from(tenth) / 10.0, 0.0])).collect();
        let sets = ConformalSets::fit(&predictions(&rows), ConformalMethod::Lac, 0.2).unwrap();
        assert!((sets.threshold.unwrap() - 0.8).abs() < 1e-12);
        assert_eq!(sets.set(&[0.5, 0.3, 0.2]), [0, 1, 2]);
        assert_eq!(sets.set(&[0.05, 0.76, 0.19]), [1]);
        assert!(sets.set(&[0.0, 0.0, 0.0]).is_empty());
        // Nine rows cannot promise 95 %: ceil(10 x 0.95) = 10 > 9.
        let all = ConformalSets::fit(&predictions(&rows), ConformalMethod::Lac, 0.05).unwrap();
        assert_eq!((all.threshold, all.set(&[0.0, 0.1, 0.9]).len()), (None, 3));
        assert_eq!([0.01, 0.05, 0.1, 0.2].map(ConformalSets::min_rows), [99, 19, 9, 4]);
        assert!(ConformalSets::fit(&predictions(&[]), ConformalMethod::Lac, 0.1).is_err());
        assert!(ConformalSets::fit(&predictions(&rows), ConformalMethod::Lac, 1.0).is_err());
    }

    #[test]
    fn a_sure_row_has_its_class_with_aps() {
        let sets = ConformalSets { method: ConformalMethod::Aps, miss_rate: 0.1, threshold: Some(0.9) };
        assert_eq!(sets.set(&[0.0, 0.99, 0.01]), [1]);
        assert_eq!(sets.set(&[0.1, 0.5, 0.4]), [1, 2]);
    }

    fn random_rows(seed: u64, count: usize) -> Predictions {
        let mut stream = Stream::new(seed);
        let rows: Vec<_> = (0..count)
            .map(|_| {
                let truth = stream.below(3);
                let logits: Vec<f64> =
                    (0..3).map(|class| stream.normal() + if class == truth { 1.5 } else { 0.0 }).collect();
                (truth, softmax(&logits))
            })
            .collect();
        predictions(&rows)
    }

    #[test]
    fn coverage_is_what_was_promised() {
        let (validation, test) = (random_rows(1, 1000), random_rows(2, 4000));
        for method in
            [ConformalMethod::Lac, ConformalMethod::Aps, ConformalMethod::Raps { penalty: 0.05, free_ranks: 1 }]
        {
            let sets = ConformalSets::fit(&validation, method, 0.1).unwrap();
            let metrics = sets.metrics(&test).unwrap();
            // Four standard errors of both samples together are 0.043; APS is only bounded from below.
            assert!(metrics.coverage > 0.857, "{method:?} {metrics:?}");
            assert!(metrics.coverage < 0.943 || method == ConformalMethod::Aps, "{method:?} {metrics:?}");
            assert!(metrics.mean_size >= 1.0 && metrics.mean_size < 3.0 && metrics.single < 1.0);
        }
    }

    #[test]
    fn a_threshold_needs_the_stated_number_of_rows() {
        for miss_rate in [0.05, 0.1, 0.3] {
            let needed = ConformalSets::min_rows(miss_rate);
            let has_threshold = |count| {
                let sets = ConformalSets::fit(&random_rows(3, count), ConformalMethod::Lac, miss_rate).unwrap();
                sets.threshold.is_some()
            };
            assert!(has_threshold(needed) && !has_threshold(needed - 1), "{miss_rate}");
        }
    }

    proptest! {
        #[test]
        fn half_sure_twice_is_a_larger_set(first in 0.0..0.5_f64, seed in 0..20_u64) {
            let p = [first, 0.5 - first, 0.5];
            let validation = random_rows(seed, 60);
            for method in [ConformalMethod::Lac, ConformalMethod::Aps] {
                let careless = ConformalSets::fit(&validation, method, 0.3).unwrap().set(&p);
                let careful = ConformalSets::fit(&validation, method, 0.1).unwrap().set(&p);
                prop_assert!(careless.iter().all(|class| careful.contains(class)));
            }
        }
    }
}
