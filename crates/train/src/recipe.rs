use std::path::{Path, PathBuf};

use domain::{Precision, SamplingStrategy};
use serde::{Deserialize, Serialize};
use zoo::{FusionName, HeadName, LabelSet, ModelCard};

use crate::data::{LoopData, PhantomData};
use crate::{Augmentation, Objective, OptimizerSettings, Result, Schedule, TrainError};

/// Recipe of a training run; a TOML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The run's name; weights are written under it.
    pub name: String,
    /// The registry's entry that gives architecture, preparation and views.
    pub model: String,
    /// Parts that differ from the model's entry: for ablations.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub overrides: ModelOverrides,
    /// The views of the data; the model's own where it is not given. For models that give only vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_set: Option<String>,
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Weights to begin with: a safetensors file, or for `echolabel train` a model that is here; tensors that they
    /// lack begin at random.
    #[serde(default)]
    pub start: Option<PathBuf>,
    /// Type of the maps between the encoder's layers: `f32`, or `bf16` on a GPU, twice as fast there. Weights, norms
    /// and everything after the encoder stay in `f32`.
    #[serde(default, skip_serializing_if = "is_single")]
    pub precision: Precision,
    /// Parts of the model that are trained.
    #[serde(default)]
    pub trainable: TrainableParts,
    /// The share of training labels that are made wrong within their group of views: for the label-noise experiment.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_noise: f64,
    /// The data to train on.
    pub data: DataRecipe,
    /// The quantity that training minimizes.
    #[serde(default)]
    pub objective: Objective,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: OptimizerSettings,
    /// The schedule of the learning rate.
    #[serde(default)]
    pub schedule: Schedule,
    /// Batch of a training step.
    pub batch: BatchRecipe,
    /// Augmentation of clips.
    #[serde(default)]
    pub augment: Augmentation,
    /// The length of the run and what is kept of it.
    pub stop: StopRecipe,
}

/// Parts of a model that are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainableParts {
    /// All of it.
    #[default]
    Everything,
    /// All but the encoder.
    AllButEncoder,
    /// The last layer alone: a linear probe.
    LastLayer,
}

/// Parts of a model that differ from its registry entry; each stays as it is where it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelOverrides {
    /// The temporal head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadName>,
    /// The fusion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fusion: Option<FusionName>,
    /// Sampling strategy of a clip's frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<SamplingStrategy>,
}

/// Source of training examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layout", rename_all = "snake_case", deny_unknown_fields)]
pub enum DataRecipe {
    /// Simulated hearts.
    Phantom(PhantomData),
    /// DICOM loops of a lab and a CSV of their views.
    Loops(LoopData),
    /// A folder as TTE47 is published: `class_lookup.json`, `data_split.json`, images.
    Tte47 {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder as TMED2 is published.
    Tmed2 {
        /// The folder with the folders of images.
        folder: PathBuf,
        /// The fold's CSV in it, for instance `DEV479/TMED2_fold0_labeledpart.csv`.
        fold: PathBuf,
    },
    /// A folder of the 11-view system: images of frames and a CSV of windows.
    ElevenViews {
        /// The folder with the folders of splits.
        folder: PathBuf,
        /// The CSV in it: `path,label,start,end`.
        windows: PathBuf,
    },
}

/// Batch of a training step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchRecipe {
    /// Clips in a batch.
    pub clips: usize,
    /// Frames of a clip that are used, drawn anew each time; all where it is not given. For models that see stills.
    #[serde(default)]
    pub frames_of_clip: Option<usize>,
    /// Draws every class equally often.
    #[serde(default)]
    pub balanced: bool,
    /// Batches whose gradients are added before a step.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// Share of the encoder's vectors left out at random.
    #[serde(default)]
    pub dropout: f64,
    /// Weight in the loss of a clip that shows none of the views, for which all views should be equally likely.
    #[serde(default = "one_f64")]
    pub others_weight: f64,
    /// Share of the clips that are made into clips of none of the views: shuffled, emptied, painted over.
    #[serde(default)]
    pub synthetic_outliers: f32,
}

/// End of a run, and its checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRecipe {
    /// Steps of the optimizer.
    pub steps: usize,
    /// Steps between two validations, and between two checkpoints.
    pub validate_every: usize,
    /// Validations without a lower loss after which the run stops early; without it, the run goes to the end.
    #[serde(default)]
    pub patience: Option<usize>,
}

fn is_nothing(overrides: &ModelOverrides) -> bool {
    *overrides == ModelOverrides::default()
}

fn is_single(precision: &Precision) -> bool {
    *precision == Precision::F32
}

fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

fn one() -> usize {
    1
}

fn one_f64() -> f64 {
    1.0
}

impl Recipe {
    /// Reads a recipe from a file.
    ///
    /// # Errors
    /// The file cannot be read, or as of [`Self::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).map_err(|source| TrainError::File { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads a recipe from the text of `path`.
    ///
    /// # Errors
    /// A key is unknown or a value out of range; the error names it.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let recipe: Self = toml::from_str(text)
            .map_err(|error| TrainError::Format { path: path.to_owned(), problem: error.to_string() })?;
        recipe.check()?;
        Ok(recipe.with_paths_from(path.parent().unwrap_or(Path::new(""))))
    }

    /// Lets relative paths count from `folder`. A `start` without a folder in it may be the name of a model, and stays.
    fn with_paths_from(mut self, folder: &Path) -> Self {
        let place = |path: &mut PathBuf| *path = folder.join(&*path);
        if let Some(start) = self.start.as_mut().filter(|start| start.components().count() > 1) {
            place(start);
        }
        match &mut self.data {
            DataRecipe::Phantom(_) => {}
            DataRecipe::Loops(data) => {
                data.folder.iter_mut().for_each(place);
                place(&mut data.labels);
            }
            DataRecipe::Tte47 { folder }
            | DataRecipe::Tmed2 { folder, .. }
            | DataRecipe::ElevenViews { folder, .. } => {
                place(folder);
            }
        }
        self
    }

    /// The model's card with what the recipe changes of it.
    pub fn card(&self, card: &ModelCard) -> ModelCard {
        let ModelOverrides { head, fusion, choice } = self.overrides;
        let mut card = card.clone();
        card.head = head.unwrap_or(card.head);
        card.fusion = fusion.unwrap_or(card.fusion);
        card.clip.choice = choice.unwrap_or(card.clip.choice);
        card
    }

    /// The views of the data.
    ///
    /// # Errors
    /// The label set is unknown.
    pub fn views(&self, card: &ModelCard) -> Result<LabelSet> {
        match &self.label_set {
            Some(name) if card.label_set.as_ref() != Some(name) => Ok(LabelSet::named(name)?),
            _ => card.views()?.ok_or_else(|| TrainError::Recipe {
                recipe: self.name.clone(),
                problem: format!("model {} knows no views: name the data's with label_set", card.name),
            }),
        }
    }

    /// Checks the values.
    fn check(&self) -> Result<()> {
        let fault = |problem: &str| Err(TrainError::Recipe { recipe: self.name.clone(), problem: problem.to_owned() });
        let BatchRecipe { clips, accumulate, dropout, .. } = self.batch;
        if clips == 0 || accumulate == 0 {
            return fault("batch.clips and batch.accumulate must be at least 1");
        }
        if !matches!(self.precision, Precision::F32 | Precision::Bf16) {
            return fault("precision must be f32 or bf16: gradients are too small for f16, and nothing learns in int8");
        }
        if !(0.0..1.0).contains(&dropout) {
            return fault("batch.dropout must be at least 0 and below 1");
        }
        if !(0.0..1.0).contains(&self.batch.synthetic_outliers) {
            return fault("batch.synthetic_outliers must be at least 0 and below 1");
        }
        if self.stop.steps == 0 || self.stop.validate_every == 0 {
            return fault("stop.steps and stop.validate_every must be at least 1");
        }
        if self.optimizer.learning_rate <= 0.0 {
            return fault("optimizer.learning_rate must be above 0");
        }
        if !(0.0..1.0).contains(&self.label_noise) {
            return fault("label_noise must be at least 0 and below 1");
        }
        if let DataRecipe::Loops(LoopData { validation_share, test_share, clips_per_loop, .. }) = self.data {
            let sum = validation_share + test_share;
            if validation_share <= 0.0 || test_share < 0.0 || sum >= 1.0 || clips_per_loop == Some(0) {
                return fault(
                    "data.validation_share must be above 0, data.test_share at least 0 and both together below 1, \
                     data.clips_per_loop at least 1",
                );
            }
        }
        match self.objective {
            Objective::Contrastive { temperature, .. } if temperature <= 0.0 => {
                fault("objective.temperature must be above 0")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_count_from_the_recipe_and_names_of_models_stay() {
        let text = |start: &str| {
            format!(
                "name = \"test\"\nmodel = \"tte11-tiny\"\nseed = 1\nstart = \"{start}\"\nbatch = {{ clips = 4 }}\n\
                 data = {{ layout = \"loops\", folder = \"echo\", labels = \"/lab/labels.csv\" }}\n\
                 stop = {{ steps = 1, validate_every = 1 }}\n"
            )
        };
        let read = |start: &str| Recipe::parse(&text(start), Path::new("/recipes/my.toml")).unwrap();
        let recipe = read("runs/before/best.safetensors");
        assert_eq!(recipe.start.as_deref(), Some(Path::new("/recipes/runs/before/best.safetensors")));
        let DataRecipe::Loops(data) = recipe.data else { panic!("loops") };
        assert_eq!(data.folder.as_deref(), Some(Path::new("/recipes/echo")));
        assert_eq!(data.labels, Path::new("/lab/labels.csv"));
        assert_eq!(read("tte11-phantom").start.as_deref(), Some(Path::new("tte11-phantom")));
    }

    #[test]
    fn recipes_of_calibration_differ_from_those_of_training_in_their_data_alone() {
        let pipelines = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
        for entry in std::fs::read_dir(pipelines.join("calibration")).unwrap() {
            let path = entry.unwrap().path();
            let calibration = Recipe::read(&path).unwrap();
            let training = Recipe::read(&pipelines.join("train").join(path.file_name().unwrap())).unwrap();
            assert_ne!(calibration.data, training.data, "{}", path.display());
            assert_eq!(Recipe { data: training.data.clone(), ..calibration }, training, "{}", path.display());
        }
    }
}
