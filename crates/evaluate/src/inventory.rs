//! The inventories of studies: the set of views that each one's loops show.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::loop_decision::LoopDecision;

/// Agreement of the inventories that labels give with the true ones.
///
/// A study shows many views, so it has an inventory and never one label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct InventoryMetrics {
    /// Studies with at least one loop whose truth is known.
    pub studies: usize,
    /// The share of them of which every loop has the right view, or no label where it shows none of the views.
    pub exact: f64,
    /// Of the views in the inventories, over all studies, the share that the study has; `None` where no loop was labelled.
    pub precision: Option<f64>,
    /// Of the views that the studies have, the share that is in their inventories.
    pub recall: Option<f64>,
}

/// Compares each study's inventory by the labels given with the true one; `None` where no loop's truth is known.
///
/// Loops without a known truth are left out. A study whose loops were mixed up is not exact, although the names of its
/// views may be the same. A label of a loop outside the classes is a false view unless another loop of the study shows it.
pub fn inventory_metrics<'a>(loops: impl IntoIterator<Item = LoopDecision<'a>>) -> Option<InventoryMetrics> {
    let mut studies: BTreeMap<&str, Inventory> = BTreeMap::new();
    for decision in loops {
        let Some(correct) = decision.is_correct() else { continue };
        let inventory = studies.entry(decision.study).or_default();
        inventory.has_error |= !correct;
        inventory.actual.extend(decision.truth.class());
        inventory.labelled.extend(decision.label);
    }
    if studies.is_empty() {
        return None;
    }
    let sum = |count: &dyn Fn(&Inventory) -> usize| studies.values().map(count).sum::<usize>();
    let found = sum(&|inventory| inventory.actual.intersection(&inventory.labelled).count()) as f64;
    let share_of = |count: usize| (count > 0).then(|| found / count as f64);
    Some(InventoryMetrics {
        studies: studies.len(),
        exact: sum(&|inventory| usize::from(!inventory.has_error)) as f64 / studies.len() as f64,
        precision: share_of(sum(&|inventory| inventory.labelled.len())),
        recall: share_of(sum(&|inventory| inventory.actual.len())),
    })
}

/// The views of one study.
#[derive(Default)]
struct Inventory {
    actual: BTreeSet<usize>,
    labelled: BTreeSet<usize>,
    has_error: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::Truth;

    fn loops(rows: &[(&'static str, Truth, Option<usize>)]) -> Vec<LoopDecision<'static>> {
        rows.iter().map(|&(study, truth, label)| LoopDecision { study, truth, label }).collect()
    }

    #[test]
    fn a_study_has_an_inventory() {
        // Study a: {0} is there, {0, 1, 2} by the labels. Study b: {1} and {1}.
        let metrics = inventory_metrics(loops(&[
            ("a", Truth::Class(0), Some(0)),
            ("a", Truth::Class(0), Some(1)),
            ("a", Truth::Outside, Some(2)),
            ("b", Truth::Class(1), Some(1)),
            ("b", Truth::Outside, None),
            ("b", Truth::Unlabelled, Some(0)),
        ]))
        .unwrap();
        assert_eq!((metrics.studies, metrics.exact), (2, 0.5));
        assert_eq!((metrics.precision, metrics.recall), (Some(0.5), Some(1.0)));
        let none = inventory_metrics(loops(&[("a", Truth::Class(0), None)])).unwrap();
        assert_eq!((none.exact, none.precision, none.recall), (0.0, None, Some(0.0)));
        assert_eq!(inventory_metrics(loops(&[("a", Truth::Unlabelled, None)])), None);
    }

    #[test]
    fn two_errors_that_cancel_are_errors() {
        let mixed_up = loops(&[("a", Truth::Class(0), Some(1)), ("a", Truth::Class(1), Some(0))]);
        let metrics = inventory_metrics(mixed_up).unwrap();
        assert_eq!((metrics.exact, metrics.precision, metrics.recall), (0.0, Some(1.0), Some(1.0)));
    }
}
