//! Checkpoints: the state from which a run is resumed bit for bit.

use std::path::Path;

use candle_core::DType;
use serde::{Deserialize, Serialize};

use crate::variables::Snapshot;
use crate::{Recipe, Result, TrainError};

/// State of a run between two steps.
pub(crate) struct Checkpoint {
    pub step: usize,
    pub optimizer_steps: u64,
    pub validations: Vec<ValidationPoint>,
    pub variables: Snapshot,
    pub optimizer: Snapshot,
}

/// Result of one validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct ValidationPoint {
    pub step: usize,
    pub loss: f64,
    pub accuracy: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// Identity of the run: its recipe and data.
    run: String,
    step: usize,
    optimizer_steps: u64,
    validations: Vec<ValidationPoint>,
    /// The two files that belong to this state; the other two may be half written.
    generation: u8,
}

const STATE: &str = "checkpoint.json";

impl Checkpoint {
    /// Reads the checkpoint in `folder`, if there is one.
    ///
    /// # Errors
    /// [`TrainError::Format`] for a checkpoint of another run.
    pub(crate) fn read(folder: &Path, recipe: &Recipe, data: &str) -> Result<Option<Self>> {
        let path = folder.join(STATE);
        if !path.is_file() {
            return Ok(None);
        }
        let state = read_state(&path)?;
        if state.run != run(recipe, data) {
            let problem =
                "a run of another recipe or of other data was kept here; choose another folder or delete this one";
            return Err(TrainError::Format { path, problem: problem.to_owned() });
        }
        let [variables, optimizer] = files(state.generation);
        Ok(Some(Self {
            step: state.step,
            optimizer_steps: state.optimizer_steps,
            validations: state.validations,
            variables: Snapshot::read(&folder.join(variables))?,
            optimizer: Snapshot::read(&folder.join(optimizer))?,
        }))
    }

    /// Writes the checkpoint; the one before stays valid until this one is whole.
    pub(crate) fn write(&self, folder: &Path, recipe: &Recipe, data: &str) -> Result<()> {
        let path = folder.join(STATE);
        let generation = read_state(&path).map_or(0, |before| 1 - before.generation.min(1));
        let [variables, optimizer] = files(generation);
        self.variables.write(&folder.join(variables), DType::F32)?;
        self.optimizer.write(&folder.join(optimizer), DType::F32)?;
        let state = State {
            run: run(recipe, data),
            step: self.step,
            optimizer_steps: self.optimizer_steps,
            validations: self.validations.clone(),
            generation,
        };
        let failed = |source: std::io::Error| TrainError::File { path: path.clone(), source };
        let text = serde_json::to_string_pretty(&state).map_err(|error| failed(error.into()))?;
        files::write(&path, text.as_bytes(), files::Access::Umask).map_err(failed)
    }
}

fn read_state(path: &Path) -> Result<State> {
    let text = std::fs::read_to_string(path).map_err(|source| TrainError::File { path: path.to_owned(), source })?;
    serde_json::from_str(&text)
        .map_err(|error| TrainError::Format { path: path.to_owned(), problem: error.to_string() })
}

/// Settings that must be the same for a run to resume; it may be made longer.
fn run(recipe: &Recipe, data: &str) -> String {
    let stop = crate::recipe::StopRecipe { steps: 0, patience: None, ..recipe.stop };
    let schedule_steps = recipe.schedule.cosine.then_some(recipe.stop.steps);
    serde_json::to_string(&(Recipe { stop, ..recipe.clone() }, schedule_steps, data)).unwrap_or_default()
}

fn files(generation: u8) -> [String; 2] {
    ["variables", "optimizer"].map(|what| format!("{what}-{generation}.safetensors"))
}
