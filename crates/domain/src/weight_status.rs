//! The trust that weights deserve, and what a label of them is worth.

use serde::{Deserialize, Serialize};

use crate::named_enum;

/// The weight that a label carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// From weights that were validated on patients.
    Label,
    /// From weights that never were: for a person to check.
    Suggestion,
}

named_enum! {
    /// The trust that a model's weights deserve.
    WeightStatus {
        /// Initialized, not trained: labels mean nothing.
        Untrained = "untrained",
        /// Trained on simulated images: not for clinical use.
        Simulated = "simulated",
        /// Trained by a recipe, or imported from a file that is not the one that the model's authors published.
        Unvalidated = "unvalidated",
        /// Published by the model's authors, who validated them on patients.
        #[serde(alias = "clinical")]
        Validated = "validated",
    }
}

impl WeightStatus {
    /// Returns the warning to print wherever a person could mistake the labels for clinical ones.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::Untrained => Some("UNTRAINED WEIGHTS: the labels mean nothing, they only show how the program works"),
            Self::Simulated => Some("TRAINED ON SIMULATED IMAGES: NOT FOR CLINICAL USE"),
            Self::Unvalidated => {
                Some("WEIGHTS NOT VALIDATED ON YOUR LOOPS: compare them with readers before anybody relies on them")
            }
            Self::Validated => None,
        }
    }

    /// Returns the standing of the labels that such weights give.
    pub fn standing(self) -> Standing {
        match self {
            Self::Validated => Standing::Label,
            Self::Untrained | Self::Simulated | Self::Unvalidated => Standing::Suggestion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_validated_weights_give_labels_and_the_name_of_before_is_read() {
        for status in WeightStatus::ALL.iter().copied() {
            assert_eq!(status.standing() == Standing::Label, status == WeightStatus::Validated);
        }
        assert_eq!(
            serde_json::from_str::<WeightStatus>("\"clinical\"").expect("the name of before"),
            WeightStatus::Validated
        );
    }
}
