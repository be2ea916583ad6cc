use serde::{Deserialize, Serialize};

use crate::error::{Result, need_at_least, need_open_unit};
use random::Stream;

/// A metric and the range in which it would lie with other patients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The metric on the rows as they are.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The default number of resamples.
pub const BOOTSTRAP_ROUNDS: usize = 1000;

/// Percentile intervals of several metrics at once, by drawing patients, with all their rows, with replacement
/// (Davison and Hinkley, Bootstrap Methods, 1997, section 3.8).
///
/// `patients` are the rows' patients, numbered from 0. `metrics` is given the rows drawn, by index, a row as often as
/// its patient was drawn, and gives the metrics, `None` where one has no value; such rounds are left out for that
/// metric. A metric has no interval where it has no value on all rows or where there is only one patient. `level` is
/// the share of resamples inside, such as 0.95.
///
/// # Errors
/// There are no rounds, or the level is not between 0 and 1.
pub fn bootstrap_by_patient(
    patients: &[usize],
    rounds: usize,
    level: f64,
    seed: u64,
    metrics: impl Fn(&[usize]) -> Vec<Option<f64>>,
) -> Result<Vec<Option<Interval>>> {
    need_at_least("rounds", 1, rounds)?;
    need_open_unit("the level", level)?;
    let mut rows_of_patient = vec![Vec::new(); patients.iter().max().map_or(0, |last| last + 1)];
    patients.iter().enumerate().for_each(|(row, patient)| rows_of_patient[*patient].push(row));
    rows_of_patient.retain(|rows| !rows.is_empty());
    let all: Vec<usize> = (0..patients.len()).collect();
    let values = metrics(&all);
    if rows_of_patient.len() < 2 {
        return Ok(vec![None; values.len()]);
    }
    let mut stream = Stream::new(seed);
    let mut drawn_values: Vec<Vec<f64>> = vec![Vec::with_capacity(rounds); values.len()];
    let mut drawn = Vec::with_capacity(patients.len());
    for _ in 0..rounds {
        drawn.clear();
        for _ in 0..rows_of_patient.len() {
            drawn.extend_from_slice(&rows_of_patient[stream.below(rows_of_patient.len())]);
        }
        for (values, value) in drawn_values.iter_mut().zip(metrics(&drawn)) {
            values.extend(value);
        }
    }
    let interval = |(value, mut drawn): (Option<f64>, Vec<f64>)| {
        drawn.sort_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Some(Interval { value: value?, low: quantile(&drawn, tail)?, high: quantile(&drawn, 1.0 - tail)? })
    };
    Ok(values.into_iter().zip(drawn_values).map(interval).collect())
}

/// The interval of a share that is 0 or 1 in all of `patients` patients, where resamples would all be alike and promise
/// too much: the exact binomial one with patients as trials (Clopper and Pearson, Biometrika 1934).
pub fn interval_of_all_alike(share: f64, patients: usize, level: f64) -> Option<Interval> {
    let reach = ((1.0 - level) / 2.0).powf(1.0 / patients as f64);
    if patients == 0 {
        None
    } else if share == 1.0 {
        Some(Interval { value: share, low: reach, high: 1.0 })
    } else if share == 0.0 {
        Some(Interval { value: share, low: 0.0, high: 1.0 - reach })
    } else {
        None
    }
}

/// The quantile of sorted values with linear interpolation (numpy's default).
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let position = share * (sorted.len().checked_sub(1)?) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    Some(sorted[below] + (position - below as f64) * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mean_of(values: &[f64]) -> impl Fn(&[usize]) -> Vec<Option<f64>> {
        move |rows| {
            let sum: f64 = rows.iter().map(|row| values[*row]).sum();
            vec![(!rows.is_empty()).then(|| sum / rows.len() as f64), None]
        }
    }

    #[test]
    fn an_interval_is_as_wide_as_theory_says() {
        // 400 patients of one row, 300 right: the mean's standard error is sqrt(0.75 x 0.25 / 400) = 0.02165.
        let values: Vec<f64> = (0..400).map(|row| f64::from(u8::from(row < 300))).collect();
        let patients: Vec<usize> = (0..400).collect();
        let found = bootstrap_by_patient(&patients, 4000, 0.95, 1, mean_of(&values)).unwrap();
        let interval = found[0].unwrap();
        assert_eq!(interval.value, 0.75);
        assert!((interval.low - (0.75 - 1.96 * 0.02165)).abs() < 0.006, "{interval:?}");
        assert!((interval.high - (0.75 + 1.96 * 0.02165)).abs() < 0.006, "{interval:?}");
        assert_eq!(found[1], None);
    }

    #[test]
    fn rows_of_a_patient_come_together() {
        // Two patients, one all right, one all wrong: resamples are 0, 0.5 or 1, never between.
        let values: Vec<f64> = (0..40).map(|row| f64::from(u8::from(row < 20))).collect();
        let patients: Vec<usize> = (0..40).map(|row| usize::from(row >= 20)).collect();
        let seen = std::cell::RefCell::new(Vec::new());
        let metric = mean_of(&values);
        let found = bootstrap_by_patient(&patients, 200, 0.95, 1, |rows| {
            seen.borrow_mut().extend(metric(rows)[0]);
            metric(rows)
        });
        let interval = found.unwrap()[0].unwrap();
        assert_eq!((interval.low, interval.high), (0.0, 1.0));
        assert!(seen.borrow().iter().all(|mean| [0.0, 0.5, 1.0].contains(mean)));
    }

    #[test]
    fn one_patient_has_no_interval() {
        let found = bootstrap_by_patient(&[0, 0], 10, 0.95, 1, mean_of(&[1.0, 0.0])).unwrap();
        assert_eq!(found, [None, None]);
        assert!(bootstrap_by_patient(&[0, 1], 10, 1.0, 1, mean_of(&[1.0, 0.0])).is_err());
    }

    #[test]
    fn all_alike_is_not_certain() {
        // statsmodels 0.15.0: proportion_confint(30, 30, method="beta"), proportion_confint(0, 30, method="beta").
        let all = interval_of_all_alike(1.0, 30, 0.95).unwrap();
        assert!((all.low - 0.884_296_691_777_972_2).abs() < 1e-9 && all.high == 1.0, "{all:?}");
        let none = interval_of_all_alike(0.0, 30, 0.95).unwrap();
        assert!((none.high - (1.0 - 0.884_296_691_777_972_2)).abs() < 1e-9 && none.low == 0.0);
        assert_eq!((interval_of_all_alike(0.5, 30, 0.95), interval_of_all_alike(1.0, 0, 0.95)), (None, None));
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([1, 2, 4, 8], [0.025, 0.5, 0.975]).
        let found = [0.025, 0.5, 0.975].map(|share| quantile(&[1.0, 2.0, 4.0, 8.0], share).unwrap());
        assert!(found.iter().zip([1.075, 3.0, 7.7]).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        assert_eq!(quantile(&[], 0.5), None);
    }

    proptest! {
        #[test]
        fn intervals_lie_among_the_values(values in proptest::collection::vec(-5.0..5.0_f64, 2..20), seed in 0..50_u64) {
            let patients: Vec<usize> = (0..values.len()).map(|row| row / 2).collect();
            let found = bootstrap_by_patient(&patients, 30, 0.9, seed, mean_of(&values)).unwrap();
            prop_assert_eq!(&found, &bootstrap_by_patient(&patients, 30, 0.9, seed, mean_of(&values)).unwrap());
            if let Some(interval) = found[0] {
                let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
                prop_assert!(low - 1e-9 <= interval.low && interval.low <= interval.high && interval.high <= high + 1e-9);
            } else {
                prop_assert!(values.len() <= 2);
            }
        }
    }
}
