//! Learning from reviews, as the program offers it: the page has no models.

use adapt::{Judgement, ViewChange};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Action on models that a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum LearningAction {
    /// Adapt a model to the reviewed loops, in the background.
    Adapt {
        /// Name of the new model.
        name: String,
    },
    /// Put another model in use for studies to come.
    Use {
        /// Its name.
        name: String,
    },
    /// Put the model in use that was before.
    Back,
    /// Label the stored loops with the model in use, in the background.
    Relabel,
    /// End the work in the background.
    Cancel,
}

/// Models and work in the background.
#[derive(Debug, Clone, Serialize)]
pub struct LearningState {
    /// Model that labels studies to come.
    pub in_use: String,
    /// Model that was in use before it.
    pub used_before: Option<String>,
    /// True where the configuration or the command line names the model, so that it cannot be switched here.
    pub is_fixed: bool,
    /// Views of the model in use.
    pub views: Vec<String>,
    /// Reviewed loops of a view that an adaptation needs.
    pub min_loops: usize,
    /// Patients of a view that it needs.
    pub min_patients: usize,
    /// Models that were adapted before.
    pub adapted: Vec<AdaptedModel>,
    /// Work in the background, or the last that ended.
    pub task: Option<LearningTask>,
}

/// Model that was adapted to the lab.
#[derive(Debug, Clone, Serialize)]
pub struct AdaptedModel {
    /// Its name.
    pub name: String,
    /// Origin and judgement, as its card tells them.
    pub origin: String,
}

/// Work in the background.
#[derive(Debug, Clone, Serialize)]
pub struct LearningTask {
    /// Words for what is done.
    pub title: String,
    /// Words for the part that is done now.
    pub stage: String,
    /// Steps of this part that are done.
    pub done: u64,
    /// Steps of this part.
    pub all: u64,
    /// Start.
    pub started_at: Timestamp,
    /// End; `None` while it runs.
    pub end: Option<LearningEnd>,
}

/// End of work in the background.
#[derive(Debug, Clone, Serialize)]
pub struct LearningEnd {
    /// True where it did what was asked for.
    pub succeeded: bool,
    /// Result or reason.
    pub words: String,
    /// Notes on the way, such as loops that were not used.
    pub notes: Vec<String>,
    /// Judgement of an adaptation.
    pub report: Option<AdaptationReport>,
}

/// Judgement of an adaptation on patients that it did not learn from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdaptationReport {
    /// True where the new model is better and was kept.
    pub accepted: bool,
    /// Loops that were learned from.
    pub loops: u64,
    /// Their patients.
    pub patients: u64,
    /// The model itself, where it knows these views.
    pub before: Option<Judgement>,
    /// The new model.
    pub after: Judgement,
    /// View by view.
    pub views: Vec<ViewChange>,
}

/// The program's actions on models.
pub trait Learning: Send + Sync {
    /// Returns models and work in the background.
    ///
    /// # Errors
    /// The folder of models cannot be read; the words are for a person.
    fn state(&self) -> Result<LearningState, String>;

    /// Does what a person asks for, or starts it.
    ///
    /// # Errors
    /// It cannot be done; the words are for a person.
    fn act(&self, action: LearningAction) -> Result<(), String>;
}
