//! The label that a program gave to each loop, beside what the loop shows.

use crate::predictions::Truth;

/// The truth of one loop and its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopDecision<'a> {
    /// The loop's study.
    pub study: &'a str,
    /// The truth.
    pub truth: Truth,
    /// The view's class index; `None` where no label was given.
    pub label: Option<usize>,
}

impl LoopDecision<'_> {
    /// Returns true for the right view, and for no label where the loop shows none of the views; `None` where the truth is
    /// unknown.
    pub fn is_correct(&self) -> Option<bool> {
        (self.truth != Truth::Unlabelled).then(|| self.label == self.truth.class())
    }
}

/// Counts of loops by truth and label. Loops whose truth is unknown are in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecisionCounts {
    /// Loops that show one of the views.
    pub views: usize,
    /// Of those, loops with the right label.
    pub views_correct: usize,
    /// Of those, loops without a label.
    pub views_unlabelled: usize,
    /// Loops that show none of the views.
    pub others: usize,
    /// Of those, loops without a label.
    pub others_unlabelled: usize,
}

impl DecisionCounts {
    /// Counts `loops`.
    pub fn from_loops<'a>(loops: impl IntoIterator<Item = LoopDecision<'a>>) -> Self {
        let mut counts = Self::default();
        for decision in loops {
            match decision.truth {
                Truth::Class(class) => {
                    counts.views += 1;
                    counts.views_correct += usize::from(decision.label == Some(class));
                    counts.views_unlabelled += usize::from(decision.label.is_none());
                }
                Truth::Outside => {
                    counts.others += 1;
                    counts.others_unlabelled += usize::from(decision.label.is_none());
                }
                Truth::Unlabelled => {}
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_counted_by_truth_and_label() {
        let decision = |truth, label| LoopDecision { study: "a", truth, label };
        let loops = [
            decision(Truth::Class(0), Some(0)),
            decision(Truth::Class(0), Some(1)),
            decision(Truth::Class(1), None),
            decision(Truth::Outside, None),
            decision(Truth::Outside, Some(1)),
            decision(Truth::Unlabelled, Some(1)),
        ];
        let counts = DecisionCounts::from_loops(loops);
        assert_eq!((counts.views, counts.views_correct, counts.views_unlabelled), (3, 1, 1));
        assert_eq!((counts.others, counts.others_unlabelled), (2, 1));
        let correct = loops.map(|decision| decision.is_correct());
        assert_eq!(correct, [Some(true), Some(false), Some(false), Some(true), Some(false), None]);
    }
}
