use serde::Serialize;

use crate::error::{EvaluateError, Result, need_size};

/// The exact test of whether one of two models is correct more often on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct McNemar {
    /// Rows that only the first model calls correctly.
    pub only_first: usize,
    /// Rows that only the second model calls correctly.
    pub only_second: usize,
    /// The two-sided exact p-value. It takes rows as independent, which loops of one patient are not: see
    /// [`super::permutation_tests`] for a test that keeps patients together.
    pub p_value: f64,
}

/// McNemar's test with the binomial distribution (McNemar, Psychometrika 1947).
///
/// # Errors
/// The two runs have different numbers of rows.
pub fn mcnemar(first_correct: &[bool], second_correct: &[bool]) -> Result<McNemar> {
    need_size("rows of the second model", first_correct.len(), second_correct.len())?;
    let only = |one: &[bool], other: &[bool]| one.iter().zip(other).filter(|(one, other)| **one && !**other).count();
    let (only_first, only_second) = (only(first_correct, second_correct), only(second_correct, first_correct));
    let p_value = two_sided_sign_test(only_first.min(only_second), only_first + only_second);
    Ok(McNemar { only_first, only_second, p_value })
}

/// Twice the chance of at most `fewer` heads in `count` fair tosses, at most 1.
fn two_sided_sign_test(fewer: usize, count: usize) -> f64 {
    // Logarithms, because 2^-count is 0 in double precision from 1075 tosses on.
    let mut log_ways = -(count as f64) * std::f64::consts::LN_2;
    let mut chance = log_ways.exp();
    for heads in 0..fewer {
        log_ways += ((count - heads) as f64).ln() - ((heads + 1) as f64).ln();
        chance += log_ways.exp();
    }
    (2.0 * chance).min(1.0)
}

/// Holm's step-down adjustment: p-values in the order given, such that all those below a level may be called
/// significant with that family-wise error (Holm, Scandinavian Journal of Statistics 1979).
///
/// # Errors
/// A p-value is not between 0 and 1.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>> {
    if let Some(value) = p_values.iter().copied().find(|value| !(0.0..=1.0).contains(value)) {
        return Err(EvaluateError::Range { name: "a p-value", value, allowed: "0 to 1" });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|one, other| p_values[*one].total_cmp(&p_values[*other]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(p_values[index] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    Ok(adjusted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(only_first: usize, only_second: usize) -> (Vec<bool>, Vec<bool>) {
        let first = (0..only_first + only_second + 3).map(|row| row < only_first).collect();
        let second = (0..only_first + only_second + 3).map(|row| (only_first..only_first + only_second).contains(&row));
        (first, second.collect())
    }

    #[test]
    fn p_values_are_those_of_statsmodels() {
        // statsmodels 0.15.0: mcnemar([[3, a], [b, 3]], exact=True).pvalue.
        let expected = [
            (8, 1, 0.039_062_5),
            (0, 0, 1.0),
            (5, 5, 1.0),
            (30, 12, 0.007_915_897_334_896_727),
            (700, 560, 8.869_232_897_811e-5),
        ];
        for (a, b, expected) in expected {
            let (first, second) = rows(a, b);
            let test = mcnemar(&first, &second).unwrap();
            assert_eq!((test.only_first, test.only_second), (a, b));
            assert!((test.p_value - expected).abs() < 1e-9 * expected, "{a} {b}: {}", test.p_value);
        }
        assert!(mcnemar(&[true], &[]).is_err());
    }

    #[test]
    fn holm_is_that_of_statsmodels() {
        // statsmodels 0.15.0: multipletests([0.01, 0.04, 0.03, 0.005, 0.5], method="holm")[1].
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005, 0.5]).unwrap();
        let expected = [0.04, 0.09, 0.09, 0.025, 0.5];
        assert!(adjusted.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{adjusted:?}");
        assert!(holm(&[1.5]).is_err() && holm(&[f64::NAN]).is_err());
        assert!(holm(&[]).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn the_test_does_not_care_who_is_first(a in 0..400_usize, b in 0..400_usize) {
            let (first, second) = rows(a, b);
            let p = mcnemar(&first, &second).unwrap().p_value;
            prop_assert!(p > 0.0 && p <= 1.0);
            prop_assert_eq!(p, mcnemar(&second, &first).unwrap().p_value);
        }

        #[test]
        fn adjusted_values_are_never_smaller(values in proptest::collection::vec(0.0..=1.0_f64, 1..20)) {
            let adjusted = holm(&values).unwrap();
            prop_assert!(values.iter().zip(&adjusted).all(|(p, q)| q >= p && *q <= 1.0));
        }
    }
}
