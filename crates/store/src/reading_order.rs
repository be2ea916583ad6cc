//! The order in which reading loops teaches a model most.

use std::collections::BTreeMap;

use crate::UnreadTask;

/// Least uncertainty of a loop that is asked for although the model is sure of it.
const MIN_UNCERTAINTY: f64 = 0.01;

/// Returns the uncertainty of probabilities: their entropy as a share of the largest possible, 0 to 1.
fn uncertainty(probabilities: &[f64]) -> f64 {
    let total: f64 = probabilities.iter().filter(|p| **p > 0.0).sum();
    if probabilities.len() < 2 || total <= 0.0 {
        return 1.0;
    }
    let shares = probabilities.iter().map(|p| p / total).filter(|p| *p > 0.0);
    let entropy: f64 = -shares.map(|p| p * p.ln()).sum::<f64>();
    (entropy / (probabilities.len() as f64).ln()).clamp(0.0, 1.0)
}

/// Returns the loops that teach most first, at most `limit`.
///
/// Each pick is the loop whose uncertainty, divided by what is known already, is largest: by the root of the loops that were
/// read of its likeliest view (`read`) or picked before, so that rare views come first, and by the loops of its study that
/// were read or picked, since loops of one patient are alike. Equal ones keep their order.
pub(crate) fn in_reading_order(loops: Vec<UnreadTask>, read: &BTreeMap<String, u64>, limit: usize) -> Vec<UnreadTask> {
    let mut of_view: BTreeMap<String, f64> = read.iter().map(|(view, loops)| (view.clone(), *loops as f64)).collect();
    let mut of_study: BTreeMap<i64, f64> =
        loops.iter().map(|unread| (unread.study, unread.read_in_study as f64)).collect();
    let seen = |unread: &UnreadTask| {
        let likeliest = unread.probabilities.iter().max_by(|a, b| a.1.total_cmp(b.1));
        let probabilities: Vec<f64> = unread.probabilities.values().copied().collect();
        (likeliest.map(|(view, _)| view.clone()).unwrap_or_default(), uncertainty(&probabilities).max(MIN_UNCERTAINTY))
    };
    let mut left: Vec<(usize, String, f64)> = loops
        .iter()
        .map(seen)
        .enumerate()
        .map(|(position, (view, uncertainty))| (position, view, uncertainty))
        .collect();
    let mut order = Vec::new();
    while order.len() < limit && !left.is_empty() {
        let mut best = (0, f64::NEG_INFINITY);
        for (place, (position, view, uncertainty)) in left.iter().enumerate() {
            let known_of_view = of_view.get(view).copied().unwrap_or_default();
            let known_of_study = of_study.get(&loops[*position].study).copied().unwrap_or_default();
            let value = uncertainty / ((1.0 + known_of_view).sqrt() * (1.0 + known_of_study));
            if value > best.1 {
                best = (place, value);
            }
        }
        let (position, view, _) = left.remove(best.0);
        *of_view.entry(view).or_default() += 1.0;
        *of_study.entry(loops[position].study).or_default() += 1.0;
        order.push(position);
    }
    let mut loops: Vec<Option<UnreadTask>> = loops.into_iter().map(Some).collect();
    order.into_iter().filter_map(|position| loops[position].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LoopTask;

    /// A loop that is likelier of `view` than of the other view with probability `likeliest`.
    fn unread(study: i64, number: u32, view: &str, likeliest: f64) -> UnreadTask {
        let other = if view == "A" { "B" } else { "A" };
        UnreadTask {
            task: LoopTask {
                sop_instance_uid: format!("1.{study}.{number}").parse().unwrap(),
                study_instance_uid: format!("1.{study}").parse().unwrap(),
                name: format!("{study}/{number}"),
                reason: String::new(),
            },
            study,
            probabilities: [(view.to_owned(), likeliest), (other.to_owned(), 1.0 - likeliest)].into(),
            read_in_study: 0,
        }
    }

    fn names(loops: Vec<UnreadTask>, read: &BTreeMap<String, u64>, limit: usize) -> Vec<String> {
        in_reading_order(loops, read, limit).into_iter().map(|unread| unread.task.name).collect()
    }

    #[test]
    fn uncertainty_is_none_of_one_view_and_all_of_equal_ones() {
        assert_eq!((uncertainty(&[1.0, 0.0]), uncertainty(&[])), (0.0, 1.0));
        assert!((uncertainty(&[0.25; 4]) - 1.0).abs() < 1e-12);
        assert!(uncertainty(&[0.6, 0.4]) > uncertainty(&[0.9, 0.1]));
    }

    #[test]
    fn unsure_loops_of_other_studies_and_rare_views_come_first() {
        let loops =
            || vec![unread(1, 1, "A", 0.6), unread(1, 2, "A", 0.7), unread(2, 1, "A", 0.8), unread(3, 1, "B", 0.88)];
        // B was picked before the second A: one A was read by then. The other loop of study 1 comes last.
        assert_eq!(names(loops(), &BTreeMap::new(), 9), ["1/1", "3/1", "2/1", "1/2"]);
        let read = BTreeMap::from([("A".to_owned(), 30)]);
        assert_eq!(names(loops(), &read, 2), ["3/1", "1/1"], "A was read often");
        let mut known = loops();
        known[0].read_in_study = 5;
        known[1].read_in_study = 5;
        assert_eq!(names(known, &BTreeMap::new(), 2), ["2/1", "3/1"], "study 1 was read often");
        assert!(names(Vec::new(), &read, 3).is_empty());
    }
}
