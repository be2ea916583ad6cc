//! The order in which reading loops teaches a model most, and how much reading has brought.

use std::collections::BTreeMap;

use serde::Serialize;

/// A loop that nobody has read, as a model sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreadLoop {
    /// Its study, as a number.
    pub study: i64,
    /// Likeliest view.
    pub view: String,
    /// Uncertainty of the model about it, 0 to 1 ([`uncertainty`]).
    pub uncertainty: f64,
    /// Loops of the same study that were read.
    pub read_in_study: u64,
}

/// Least uncertainty of a loop that is asked for although the model is sure of it.
const MIN_UNCERTAINTY: f64 = 0.01;

/// Returns the uncertainty of probabilities: their entropy as a share of the largest possible, 0 to 1.
#[must_use]
pub fn uncertainty(probabilities: &[f64]) -> f64 {
    let total: f64 = probabilities.iter().filter(|p| **p > 0.0).sum();
    if probabilities.len() < 2 || total <= 0.0 {
        return 1.0;
    }
    let shares = probabilities.iter().map(|p| p / total).filter(|p| *p > 0.0);
    let entropy: f64 = -shares.map(|p| p * p.ln()).sum::<f64>();
    (entropy / (probabilities.len() as f64).ln()).clamp(0.0, 1.0)
}

/// Returns positions in `loops`, those that teach most first, at most `limit`.
///
/// Each pick is the loop whose uncertainty, divided by what is known already, is largest: by the root of the loops that were
/// read of its likeliest view (`read`) or picked before, so that rare views come first, and by the loops of its study that
/// were read or picked, since loops of one patient are alike. Equal ones keep their order.
#[must_use]
pub fn reading_order(loops: &[UnreadLoop], read: &BTreeMap<String, u64>, limit: usize) -> Vec<usize> {
    let mut of_view: BTreeMap<&str, f64> = read.iter().map(|(view, loops)| (view.as_str(), *loops as f64)).collect();
    let mut of_study: BTreeMap<i64, f64> =
        loops.iter().map(|unread| (unread.study, unread.read_in_study as f64)).collect();
    let mut left: Vec<usize> = (0..loops.len()).collect();
    let mut order = Vec::new();
    while order.len() < limit && !left.is_empty() {
        let value = |position: usize| {
            let unread = &loops[position];
            let known_of_view = of_view.get(unread.view.as_str()).copied().unwrap_or_default();
            let known_of_study = of_study.get(&unread.study).copied().unwrap_or_default();
            unread.uncertainty.max(MIN_UNCERTAINTY) / ((1.0 + known_of_view).sqrt() * (1.0 + known_of_study))
        };
        let mut best = (0, f64::NEG_INFINITY);
        for (place, position) in left.iter().enumerate() {
            let value = value(*position);
            if value > best.1 {
                best = (place, value);
            }
        }
        let picked = left.remove(best.0);
        *of_view.entry(&loops[picked].view).or_default() += 1.0;
        *of_study.entry(loops[picked].study).or_default() += 1.0;
        order.push(picked);
    }
    order
}

/// A dozen of reviews, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dozen {
    /// Number of its first review, from 1.
    pub first: usize,
    /// Its reviews: twelve, fewer in the last.
    pub loops: usize,
    /// Loops that the model had called what the person calls them.
    pub agreed: usize,
}

/// Reviews of a dozen.
pub const DOZEN: usize = 12;

/// Counts how often a model agreed with a person, dozen by dozen; `agreed` is in the order of reading.
#[must_use]
pub fn dozens(agreed: &[bool]) -> Vec<Dozen> {
    let count = |(number, dozen): (usize, &[bool])| Dozen {
        first: 1 + number * DOZEN,
        loops: dozen.len(),
        agreed: dozen.iter().filter(|agreed| **agreed).count(),
    };
    agreed.chunks(DOZEN).enumerate().map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(study: i64, view: &str, uncertainty: f64) -> UnreadLoop {
        UnreadLoop { study, view: view.to_owned(), uncertainty, read_in_study: 0 }
    }

    #[test]
    fn uncertainty_is_none_of_one_view_and_all_of_equal_ones() {
        assert_eq!((uncertainty(&[1.0, 0.0]), uncertainty(&[])), (0.0, 1.0));
        assert!((uncertainty(&[0.25; 4]) - 1.0).abs() < 1e-12);
        assert!(uncertainty(&[0.6, 0.4]) > uncertainty(&[0.9, 0.1]));
    }

    #[test]
    fn unsure_loops_of_other_studies_and_rare_views_come_first() {
        let loops = [unread(1, "A", 0.9), unread(1, "A", 0.8), unread(2, "A", 0.7), unread(3, "B", 0.5)];
        // B was picked before the second A: one A was read by then. The other loop of study 1 comes last.
        assert_eq!(reading_order(&loops, &BTreeMap::new(), 9), [0, 3, 2, 1]);
        let read = BTreeMap::from([("A".to_owned(), 30)]);
        assert_eq!(reading_order(&loops, &read, 2), [3, 0], "A was read often");
        let mut known = loops.clone();
        known[0].read_in_study = 5;
        known[1].read_in_study = 5;
        assert_eq!(reading_order(&known, &BTreeMap::new(), 2), [2, 3], "study 1 was read often");
        assert!(reading_order(&[], &read, 3).is_empty());
    }

    #[test]
    fn dozens_count_the_rest_too() {
        let agreed: Vec<bool> = (0..15).map(|number| number % 3 == 0).collect();
        let expected = [Dozen { first: 1, loops: 12, agreed: 4 }, Dozen { first: 13, loops: 3, agreed: 1 }];
        assert_eq!(dozens(&agreed), expected);
    }
}
