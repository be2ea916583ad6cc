use serde::Serialize;

use crate::error::{Result, need_at_least, need_size};
use random::Stream;

/// The result of a permutation test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PermutationTest {
    /// The metric of the first run minus that of the second.
    pub difference: f64,
    /// The two-sided p-value: how often a difference at least as large comes about by chance.
    pub p_value: f64,
    /// The number of random exchanges.
    pub rounds: usize,
}

/// Tests whether metrics differ between two runs on the same rows, exchanging the runs' answers at random, all rows of
/// a patient at once.
///
/// `differences` is given a flag a row, true where the two runs' answers are exchanged, and gives each metric of the
/// first run minus that of the second, or `None` where it has no value (the round is then left out for that metric).
/// `patients` are the rows' patients, numbered from 0. A p-value is (1 + as large) / (1 + rounds), so it is never 0. A
/// metric that has no value without exchange has no test.
///
/// # Errors
/// There are no rounds.
pub fn permutation_tests(
    patients: &[usize],
    rounds: usize,
    seed: u64,
    differences: impl Fn(&[bool]) -> Vec<Option<f64>>,
) -> Result<Vec<Option<PermutationTest>>> {
    need_at_least("rounds", 1, rounds)?;
    let patient_count = patients.iter().max().map_or(0, |last| last + 1);
    let observed = differences(&vec![false; patients.len()]);
    let mut stream = Stream::new(seed);
    let mut tried = vec![0; observed.len()];
    let mut as_large = vec![0; observed.len()];
    for _ in 0..rounds {
        let exchanged: Vec<bool> = (0..patient_count).map(|_| stream.coin()).collect();
        let classes: Vec<bool> = patients.iter().map(|patient| exchanged[*patient]).collect();
        for (metric, by_chance) in differences(&classes).into_iter().enumerate() {
            let (Some(observed), Some(by_chance)) = (observed[metric], by_chance) else { continue };
            tried[metric] += 1;
            // Sums in another order may differ in the last digits.
            as_large[metric] += usize::from(by_chance.abs() >= observed.abs() - 1e-12);
        }
    }
    let test = |((difference, tried), as_large): ((Option<f64>, usize), usize)| {
        let p_value = (1 + as_large) as f64 / (1 + tried) as f64;
        difference.map(|difference| PermutationTest { difference, p_value, rounds: tried })
    };
    Ok(observed.into_iter().zip(tried).zip(as_large).map(test).collect())
}

/// Tests whether two runs' accuracies on the same rows differ.
///
/// # Errors
/// The lists differ in length, or there are no rounds.
pub fn compare_accuracy(
    first_correct: &[bool],
    second_correct: &[bool],
    patients: &[usize],
    rounds: usize,
    seed: u64,
) -> Result<Option<PermutationTest>> {
    need_size("rows of the second model", first_correct.len(), second_correct.len())?;
    need_size("patients of rows", first_correct.len(), patients.len())?;
    let count = first_correct.len() as f64;
    let tests = permutation_tests(patients, rounds, seed, |exchanged| {
        let of_row = |((first, second), exchanged): ((&bool, &bool), &bool)| {
            let difference = f64::from(u8::from(*first)) - f64::from(u8::from(*second));
            if *exchanged { -difference } else { difference }
        };
        let sum: f64 = first_correct.iter().zip(second_correct).zip(exchanged).map(of_row).sum();
        vec![(count > 0.0).then(|| sum / count)]
    })?;
    Ok(tests.into_iter().flatten().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_one_row_a_patient_it_is_the_sign_test() {
        // 8 rows only the first calls correctly, 1 only the second: exactly 2 x (1 + 9) / 2^9 = 0.0390625.
        let first: Vec<bool> = (0..20).map(|row| row != 8).collect();
        let second: Vec<bool> = (0..20).map(|row| row >= 8).collect();
        let patients: Vec<usize> = (0..20).collect();
        let test = compare_accuracy(&first, &second, &patients, 20_000, 1).unwrap().unwrap();
        assert!((test.difference - 0.35).abs() < 1e-12);
        // Four standard errors of 20 000 rounds.
        assert!((test.p_value - 0.0390625).abs() < 0.0055, "{test:?}");
    }

    #[test]
    fn rows_of_one_patient_are_one_witness() {
        let (first, second) = (vec![true; 30], vec![false; 30]);
        let alone = compare_accuracy(&first, &second, &[0; 30], 500, 1).unwrap().unwrap();
        assert_eq!(alone.p_value, 1.0, "exchanged or not, one patient's difference is as large");
        let many: Vec<usize> = (0..30).collect();
        let many = compare_accuracy(&first, &second, &many, 500, 1).unwrap().unwrap();
        assert!((many.p_value - 1.0 / 501.0).abs() < 1e-12);
    }

    #[test]
    fn equal_runs_do_not_differ_and_seeds_repeat() {
        let correct = [true, false, true];
        let test = compare_accuracy(&correct, &correct, &[0, 1, 2], 100, 3).unwrap().unwrap();
        assert_eq!((test.difference, test.p_value), (0.0, 1.0));
        let run =
            |seed| compare_accuracy(&[true, true, false, true], &[false, true, true, false], &[0, 1, 2, 3], 50, seed);
        assert_eq!(run(9).unwrap(), run(9).unwrap());
        assert_eq!(compare_accuracy(&[], &[], &[], 10, 0).unwrap(), None);
        assert!(compare_accuracy(&[true], &[], &[0], 10, 0).is_err());
    }
}
