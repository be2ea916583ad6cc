use serde::Serialize;

use crate::error::{EvaluateError, Result};
use random::Stream;

/// Labels of which some were made wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoisyLabels {
    /// One label a row.
    pub labels: Vec<usize>,
    /// The rows whose label was changed, rising.
    pub changed: Vec<usize>,
}

/// Gives a share of the rows of each group another label of the same group, every other label equally likely.
///
/// `group_of_class` names each class's group; rows of classes without a group keep their label, and so do those of a
/// group with one class. In each group `share` times its rows, rounded, are changed.
///
/// # Errors
/// A label is not a class, or the share is not between 0 and 1.
pub fn inject_within_groups(
    labels: &[usize],
    group_of_class: &[Option<usize>],
    share: f64,
    seed: u64,
) -> Result<NoisyLabels> {
    if !(0.0..=1.0).contains(&share) {
        return Err(EvaluateError::Range { name: "the share of noise", value: share, allowed: "0 to 1" });
    }
    if let Some(found) = labels.iter().copied().find(|label| *label >= group_of_class.len()) {
        return Err(EvaluateError::Size { what: "class index".to_owned(), expected: group_of_class.len(), found });
    }
    let mut stream = Stream::new(seed);
    let mut noisy = NoisyLabels { labels: labels.to_vec(), changed: Vec::new() };
    let groups = group_of_class.iter().flatten().max().map_or(0, |last| last + 1);
    for group in 0..groups {
        let members: Vec<usize> =
            (0..group_of_class.len()).filter(|class| group_of_class[*class] == Some(group)).collect();
        if members.len() < 2 {
            continue;
        }
        let mut rows: Vec<usize> =
            (0..labels.len()).filter(|row| group_of_class[labels[*row]] == Some(group)).collect();
        let count = (rows.len() as f64 * share).round() as usize;
        stream.shuffle(&mut rows);
        for row in rows.into_iter().take(count) {
            let others: Vec<usize> = members.iter().copied().filter(|class| *class != labels[row]).collect();
            noisy.labels[row] = others[stream.below(others.len())];
            noisy.changed.push(row);
        }
    }
    noisy.changed.sort_unstable();
    Ok(noisy)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_labels_are_equally_likely() {
        let noisy = inject_within_groups(&[1; 3000], &[Some(0), Some(0), Some(0), Some(0)], 1.0, 2).unwrap();
        for class in [0, 2, 3] {
            let count = noisy.labels.iter().filter(|label| **label == class).count();
            // Four standard errors of a third of 3000.
            assert!(count.abs_diff(1000) < 104, "{class}: {count}");
        }
        assert_eq!(noisy.changed.len(), 3000);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(inject_within_groups(&[0], &[Some(0)], 1.5, 0).is_err());
        assert!(inject_within_groups(&[1], &[Some(0)], 0.5, 0).is_err());
    }

    proptest! {
        #[test]
        fn noise_stays_in_its_group(labels in proptest::collection::vec(0..7_usize, 0..80), share in 0.0..=1.0_f64, seed in 0..30_u64) {
            // Groups {0, 1, 2}, {3, 4}, {5} alone, 6 in none.
            let groups = [Some(0), Some(0), Some(0), Some(1), Some(1), Some(2), None];
            let noisy = inject_within_groups(&labels, &groups, share, seed).unwrap();
            prop_assert_eq!(&noisy, &inject_within_groups(&labels, &groups, share, seed).unwrap());
            let different: Vec<usize> = (0..labels.len()).filter(|row| labels[*row] != noisy.labels[*row]).collect();
            prop_assert_eq!(&different, &noisy.changed);
            prop_assert!(labels.iter().zip(&noisy.labels).all(|(before, after)| groups[*before] == groups[*after]));
            for group in 0..2 {
                let of_group = |row: &&usize| groups[labels[**row]] == Some(group);
                let rows = (0..labels.len()).filter(|row| of_group(&row)).count();
                let changed = noisy.changed.iter().filter(of_group).count();
                prop_assert_eq!(changed, (rows as f64 * share).round() as usize);
            }
        }
    }
}
