//! Further models of a pipeline, which answer about the frames that its first one sees.

use domain::WeightStatus;
use preprocess::plan_settings;
use zoo::{LabelSet, Model, ModelCard, Preparation, ProbabilityCalibration, Registry};

use crate::digest::ResolvedCompanion;
use crate::engine::ReadModel;
use crate::{Engine, PipelineError, PipelineFile};

/// A further model on an engine of its own.
pub(crate) struct Companion {
    pub(crate) preparation: Preparation,
    pub(crate) sees_stills: bool,
    pub(crate) calibration: ProbabilityCalibration,
    pub(crate) engine: Engine,
}

impl Companion {
    /// Starts the model that was read for `card`.
    pub(super) fn start(
        card: &ModelCard,
        mut model: Model,
        on_cpu: Option<ReadModel>,
        status: WeightStatus,
    ) -> Result<Self, PipelineError> {
        let packed = model.pack_for_good(card.prepare.size);
        packed.map_err(|source| PipelineError::Model {
            origin: card.name.clone(),
            key: "companions",
            source: Box::new(source),
        })?;
        Ok(Self {
            preparation: card.prepare,
            sees_stills: card.sees_stills(),
            calibration: fitted_to(card, status),
            engine: Engine::start(model, on_cpu)?,
        })
    }

    pub(super) fn resolved(&self) -> ResolvedCompanion {
        ResolvedCompanion {
            weights: self.engine.weights_sha256(),
            prepare: self.preparation,
            calibration: self.calibration,
        }
    }
}

/// Returns what was fitted to a model's weights; nothing where they are untrained, about which it says nothing.
pub(super) fn fitted_to(card: &ModelCard, status: WeightStatus) -> ProbabilityCalibration {
    card.calibration.filter(|_| status != WeightStatus::Untrained).unwrap_or(ProbabilityCalibration::UNFITTED)
}

/// Returns the cards of a pipeline's further models, each of which must know the same views and see the same frames.
pub(super) fn cards(
    origin: &str,
    file: &PipelineFile,
    own: &ModelCard,
    registry: &Registry,
) -> Result<Vec<ModelCard>, PipelineError> {
    let card = |name: &String| {
        let found = registry.card(name);
        let card = found.map_err(|source| PipelineError::Model {
            origin: origin.to_owned(),
            key: "companions",
            source: Box::new(source),
        })?;
        let plan = plan_settings(card);
        let same_clips =
            plan.frames_per_clip == file.sampling.frames_per_clip && plan.strategy == file.sampling.strategy;
        let problem = if card.label_set.is_none() || card.label_set != file.label_set {
            "has other views than the pipeline"
        } else if !card.sees_stills() && !same_clips {
            "was made for other clips than the pipeline samples"
        } else if card.name == own.name {
            "is the pipeline's first model"
        } else {
            return Ok(card.clone());
        };
        Err(PipelineError::Companion { origin: origin.to_owned(), model: name.clone(), problem })
    };
    file.companions.iter().map(card).collect()
}

/// Returns how often each view of the label set is recorded.
pub(super) fn recorded_shares(origin: &str, set: Option<&LabelSet>) -> Result<Vec<f64>, PipelineError> {
    let shares = set.and_then(LabelSet::recorded_shares);
    shares.ok_or_else(|| PipelineError::NoShares { origin: origin.to_owned() })
}

/// Returns the status of labels that models of these statuses give together: the least trusted one's.
pub(super) fn least_trusted(statuses: impl Iterator<Item = WeightStatus>) -> Option<WeightStatus> {
    // Declared from untrained to validated.
    statuses.min_by_key(|status| WeightStatus::ALL.iter().position(|known| known == status))
}
