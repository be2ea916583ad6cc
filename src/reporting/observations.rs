//! Predictions and reviews of a loop as observations of a report.

use domain::ModelKey;
use report::{Algorithm, CodedView, LoopFinding, Observation, Observer};
use store::{Inventory, Review, StoredPrediction};
use zoo::{CodeMatch, ViewCodes, ZooError};

/// Digits of a digest that tell weights apart.
const DIGEST_DIGITS: usize = 12;

/// The models of a study and the views of its label set.
pub struct Observers {
    /// In the order of the inventory.
    pub algorithms: Vec<Algorithm>,
    keys: Vec<ModelKey>,
    views: Vec<String>,
}

impl Observers {
    /// Returns the models whose predictions count in an inventory.
    pub fn new(inventory: &Inventory, views: Vec<String>) -> Self {
        let algorithms = inventory.models.iter().map(|used| Algorithm {
            name: used.model.pipeline.clone(),
            version: version(&used.model),
            parameters: match &used.weights_note {
                Some(note) => note.clone(),
                None => "Weights published by the model's authors, who validated them on patients".to_owned(),
            },
            digests: digests(&used.model),
            is_validated: used.weights_note.is_none(),
        });
        Self {
            algorithms: algorithms.collect(),
            keys: inventory.models.iter().map(|used| used.model.clone()).collect(),
            views,
        }
    }

    /// Returns the observation of a model.
    ///
    /// # Errors
    /// The table of codes is damaged.
    pub fn by_model(&self, stored: &StoredPrediction) -> Result<Observation, ZooError> {
        let said = &stored.prediction;
        let observer = match self.keys.iter().position(|key| *key == said.model) {
            Some(index) => Observer::Algorithm(index),
            None => Observer::Program,
        };
        let frames = said.frame_indexes.clone();
        Ok(match &said.view {
            Some(view) => Observation {
                observer,
                finding: self.view(view)?,
                frames,
                certainty: Some(said.confidence),
                comment: None,
            },
            None => {
                let reason = said.reason.as_deref().unwrap_or("the model abstains");
                Observation { observer, frames, ..undetermined(reason) }
            }
        })
    }

    /// Returns the observation of a person.
    ///
    /// # Errors
    /// The table of codes is damaged.
    pub fn by_person(&self, review: &Review) -> Result<Observation, ZooError> {
        let observer = Observer::Person { name: review.reviewer.clone() };
        Ok(match &review.view {
            Some(view) => {
                let (finding, comment) = (self.view(view)?, review.comment.clone());
                Observation { observer, finding, frames: Vec::new(), certainty: None, comment }
            }
            None => {
                let no_view = if review.not_sure { "not sure" } else { "no view of the label set" };
                let said =
                    review.comment.as_ref().map_or_else(|| no_view.to_owned(), |said| format!("{no_view}: {said}"));
                Observation { observer, ..undetermined(&said) }
            }
        })
    }

    fn view(&self, name: &str) -> Result<LoopFinding, ZooError> {
        let codes = ViewCodes::among(&self.views, name)?.map(|codes| CodedView {
            is_equivalent: codes.fit == CodeMatch::Equivalent,
            view: codes.view,
            modifiers: codes.modifiers,
            sites: codes.sites,
        });
        Ok(LoopFinding::View { name: name.to_owned(), codes })
    }
}

/// Returns the observation of the program that a loop has no view, and why.
pub fn undetermined(reason: &str) -> Observation {
    Observation {
        observer: Observer::Program,
        finding: LoopFinding::Undetermined,
        frames: Vec::new(),
        certainty: None,
        comment: Some(reason.to_owned()),
    }
}

fn version(model: &ModelKey) -> String {
    let digits = |digest: domain::Sha256| digest.to_string().chars().take(DIGEST_DIGITS).collect::<String>();
    let mut version = format!("weights {}", digits(model.weights_sha256));
    if let Some(pipeline) = model.pipeline_sha256 {
        version.push_str(&format!(", pipeline {}", digits(pipeline)));
    }
    if let Some(precision) = model.precision {
        version.push_str(&format!(", {precision}"));
    }
    version
}

fn digests(model: &ModelKey) -> String {
    let pipeline = model.pipeline_sha256.map(|digest| digest.to_string()).unwrap_or_default();
    let precision = model.precision.map(|precision| precision.to_string()).unwrap_or_default();
    format!("{} {pipeline} {precision}", model.weights_sha256)
}
