use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor};
use domain::Precision;
use nn::TrainingContext;
use rayon::prelude::*;
use zoo::weights::{SafetensorsFile, TensorSource};
use zoo::{Model, ModelCard, map_dtype};

use crate::augment::synthetic_outlier;
use crate::batches::Batches;
use crate::checkpoint::{Checkpoint, ValidationPoint};
use crate::clip::Clip;
use crate::encoded::encoded;
use crate::objective::{contrastive, cross_entropy, partial_label};
use crate::projector::{self, Projector};
use crate::validate::{Validation, validate, validate_vectors};
use crate::variables::Snapshot;
use crate::{DataSet, Objective, Optimizer, Recipe, Result, Split, TrainError, TrainableParts, Variables};
use random::Stream;

/// Training run.
pub struct Trainer<'a> {
    recipe: &'a Recipe,
    card: &'a ModelCard,
    data: &'a DataSet,
    folder: PathBuf,
    device: Device,
    variables: Variables,
    optimizer: Optimizer,
    /// Steps taken.
    step: usize,
    validations: Vec<ValidationPoint>,
}

/// Event of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A step was taken.
    Step {
        /// Steps taken so far.
        step: usize,
        /// The loss on the batch.
        loss: f64,
        /// The gradient's length before clipping.
        gradient_norm: f64,
        /// Clips a second, augmentation included.
        clips_per_s: f64,
    },
    /// The model was validated.
    Validation {
        /// Steps taken so far.
        step: usize,
        /// Metrics on the validation set.
        validation: Validation,
        /// True for the lowest loss so far, whose weights were kept.
        is_best: bool,
    },
}

/// End of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All steps were taken.
    Finished,
    /// The validation loss did not fall any more.
    StoppedEarly,
    /// The run was asked to stop; it can be resumed.
    Interrupted,
}

impl<'a> Trainer<'a> {
    /// Prepares a run of `recipe` for the model `card` on `data` that keeps its checkpoints in `folder`.
    ///
    /// The model learns on `device`; gradients are followed on the CPU, so that a checkpoint knows no device. Goes on
    /// from the checkpoint there, if there is one of the same recipe and data.
    ///
    /// # Errors
    /// The recipe does not fit the model or the data, or the folder holds another run.
    pub fn open(
        recipe: &'a Recipe,
        card: &'a ModelCard,
        data: &'a DataSet,
        folder: &Path,
        device: &Device,
    ) -> Result<Self> {
        if recipe.precision != Precision::F32 && device.is_cpu() {
            let problem = format!("a CPU does not learn in {}; leave `precision` out, or use a GPU", recipe.precision);
            return Err(TrainError::Recipe { recipe: recipe.name.clone(), problem });
        }
        for side in [Split::Train, Split::Validation] {
            if data.of(side).is_empty() {
                let problem = format!("its data have no {} side", side.name());
                return Err(TrainError::Recipe { recipe: recipe.name.clone(), problem });
            }
        }
        std::fs::create_dir_all(folder).map_err(|source| TrainError::File { path: folder.to_owned(), source })?;
        let mut variables = Variables::random(recipe.seed).on(device).with_frozen(match recipe.trainable {
            TrainableParts::Everything => &[],
            TrainableParts::AllButEncoder => &["encoder"],
            TrainableParts::LastLayer => &["encoder", "bottleneck", "head", "fusion"],
        });
        if let Some(start) = &recipe.start {
            variables = variables.starting_from(Box::new(SafetensorsFile::read(start)?));
        }
        let mut trainer = Self {
            recipe,
            card,
            data,
            folder: folder.to_owned(),
            device: device.clone(),
            optimizer: Optimizer::new(recipe.optimizer),
            variables,
            step: 0,
            validations: Vec::new(),
        };
        // Every variable exists before a checkpoint is read or the first gradient comes.
        trainer.model(&trainer.variables)?;
        if let Objective::Contrastive { projection, .. } = recipe.objective {
            trainer.projector(projection)?;
        }
        if let Some(checkpoint) = Checkpoint::read(&trainer.folder, recipe, data.clips().fingerprint())? {
            trainer.variables.restore(&checkpoint.variables)?;
            trainer.optimizer =
                Optimizer::resumed(recipe.optimizer, checkpoint.optimizer_steps, &checkpoint.optimizer)?;
            trainer.step = checkpoint.step;
            trainer.validations = checkpoint.validations;
        }
        Ok(trainer)
    }

    /// Steps taken so far, those before an interruption included.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Trains until the recipe's end, or until `stop` is set; then what was reached is kept in the folder.
    ///
    /// # Errors
    /// The loss is not finite, the device fails, or the folder cannot be written.
    pub fn run(&mut self, stop: &AtomicBool, progress: &mut dyn FnMut(Progress)) -> Result<Outcome> {
        let batches = self.batches();
        while self.step < self.recipe.stop.steps {
            if stop.load(Ordering::Relaxed) {
                self.keep()?;
                return Ok(Outcome::Interrupted);
            }
            let started = Instant::now();
            let (loss, gradient_norm) = self.take_step(&batches)?;
            let clips = self.recipe.batch.clips * self.recipe.batch.accumulate;
            let clips_per_s = clips as f64 / started.elapsed().as_secs_f64();
            progress(Progress::Step { step: self.step, loss, gradient_norm, clips_per_s });
            if self.step.is_multiple_of(self.recipe.stop.validate_every) || self.step == self.recipe.stop.steps {
                self.validate(progress)?;
                self.keep()?;
                if self.should_stop() {
                    return Ok(Outcome::StoppedEarly);
                }
            }
        }
        Ok(Outcome::Finished)
    }

    /// Returns the current weights, averaged where the recipe says so, without what only training needs.
    ///
    /// # Errors
    /// The device fails.
    pub fn weights(&self) -> Result<Snapshot> {
        Ok(self.optimizer.weights(&self.variables)?.only(|name| !projector::is_of_projector(name)))
    }

    /// Returns the weights that were best on the validation set, the newest if none was validated yet.
    ///
    /// # Errors
    /// The file of the best weights cannot be read.
    pub fn best_weights(&self) -> Result<Snapshot> {
        let path = self.folder.join(BEST);
        if path.is_file() { Snapshot::read(&path) } else { self.weights() }
    }

    fn batches(&self) -> Batches {
        let batch = &self.recipe.batch;
        let numbers = self.data.of(Split::Train);
        let length = batch.clips;
        Batches::new(self.recipe.seed, length, &numbers, self.data.learned_classes(), batch.balanced)
    }

    fn take_step(&mut self, batches: &Batches) -> Result<(f64, f64)> {
        let accumulate = self.recipe.batch.accumulate;
        let mut total = 0.0;
        let mut sum: Option<GradStore> = None;
        for part in 0..accumulate {
            let loss = (self.loss(batches, self.step * accumulate + part)? * (1.0 / accumulate as f64))?;
            let value = f64::from(loss.to_scalar::<f32>()?);
            if !value.is_finite() {
                return Err(TrainError::Diverged { step: self.step, loss: value });
            }
            total += value;
            let gradients = loss.backward()?;
            sum = Some(match sum {
                None => gradients,
                Some(sum) => self.added(sum, &gradients)?,
            });
        }
        let share = self.recipe.schedule.share(self.step, self.recipe.stop.steps);
        let norm = match &sum {
            Some(gradients) => self.optimizer.step(&self.variables, gradients, share)?,
            None => 0.0,
        };
        if !norm.is_finite() {
            return Err(TrainError::Diverged { step: self.step, loss: total });
        }
        self.step += 1;
        Ok((total, norm))
    }

    fn added(&self, mut sum: GradStore, more: &GradStore) -> Result<GradStore> {
        for (_, variable) in self.variables.learned() {
            if let Some(gradient) = more.get(&variable) {
                let both = match sum.get(&variable) {
                    Some(before) => (before + gradient)?,
                    None => gradient.clone(),
                };
                sum.insert(&variable, both);
            }
        }
        Ok(sum)
    }

    /// The loss on batch `number` since the beginning.
    fn loss(&self, batches: &Batches, number: usize) -> Result<Tensor> {
        let chosen = batches.of(number);
        let learned = self.data.learned_classes();
        let recipe = self.recipe;
        let class = |(position, &example): (usize, &usize)| {
            if is_synthetic_outlier(recipe, number, position) { None } else { learned[example] }
        };
        let classes: Vec<Option<usize>> = chosen.iter().enumerate().map(class).collect();
        let seed = Stream::at_place(self.recipe.seed, "lesson", &[number as u64]).bits();
        let context = TrainingContext::training_in(seed, map_dtype(self.recipe.precision));
        let model = self.model(&self.variables)?;
        match &self.recipe.objective {
            Objective::CrossEntropy { label_smoothing } => {
                let vectors = self.vectors(&model, &self.clips(&chosen, number, 0)?, &context)?;
                let logits = model.classify_training(&vectors, &context)?.logits.to_device(&Device::Cpu)?;
                cross_entropy(&logits, &classes, *label_smoothing, self.recipe.batch.others_weight)
            }
            Objective::PartialLabel => {
                let vectors = self.vectors(&model, &self.clips(&chosen, number, 0)?, &context)?;
                let logits = model.classify_training(&vectors, &context)?.logits.to_device(&Device::Cpu)?;
                partial_label(&logits, &classes, &recipe.views(self.card)?)
            }
            Objective::Contrastive { form, temperature, projection } => {
                let project = self.projector(*projection)?;
                let mut views = Vec::new();
                for view in 0..2 {
                    let vectors = self.vectors(&model, &self.clips(&chosen, number, view)?, &context)?;
                    views.push(project.forward(&model.embed_training(&vectors, &context)?)?.to_device(&Device::Cpu)?);
                }
                let both = [classes.as_slice(), &classes].concat();
                contrastive(&Tensor::cat(&views, 0)?, &both, *form, *temperature)
            }
        }
    }

    /// Returns the clips of a batch, augmented and cut to the frames that are used.
    fn clips(&self, chosen: &[usize], number: usize, view: u64) -> Result<Vec<Clip>> {
        let recipe = self.recipe;
        let Recipe { seed, augment, batch, .. } = recipe;
        let clip = |(position, &example): (usize, &usize)| -> Result<Clip> {
            let place = [number as u64, position as u64, view];
            let mut clip = self.data.clips().clip(example)?;
            if let Some(frames) = batch.frames_of_clip.filter(|frames| *frames < clip.frames) {
                clip = clip.some_frames(frames, &mut Stream::at_place(*seed, "frames", &place));
            }
            if is_synthetic_outlier(recipe, number, position) {
                clip = synthetic_outlier(&clip, &mut Stream::at_place(*seed, "impostor", &place));
            }
            Ok(augment.apply(&clip, *seed, &place))
        };
        chosen.par_iter().enumerate().map(clip).collect()
    }

    /// Encodes clips to vectors [B, T, C] and applies dropout.
    fn vectors(&self, model: &Model, clips: &[Clip], context: &Rc<TrainingContext>) -> Result<Tensor> {
        let vectors = encoded(model, clips, self.card, |pixels| match self.recipe.trainable {
            TrainableParts::Everything => model.encode_training(pixels, context),
            TrainableParts::AllButEncoder | TrainableParts::LastLayer => Ok(model.encode(pixels)?.detach()),
        })?;
        Ok(context.dropout(&vectors, self.recipe.batch.dropout)?)
    }

    fn validate(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let weights = self.weights()?;
        let model = self.model(&weights)?;
        let validation = match &self.recipe.objective {
            Objective::Contrastive { form, temperature, .. } => {
                validate_vectors(&model, self.card, self.data, (*form, *temperature))?
            }
            _ => validate(&model, self.card, self.data)?,
        };
        let lowest = self.validations.iter().map(|point| point.loss).fold(f64::INFINITY, f64::min);
        let is_best = validation.loss < lowest || self.validations.is_empty();
        if is_best {
            weights.write(&self.folder.join(BEST), candle_core::DType::F32)?;
        }
        self.validations.push(ValidationPoint {
            step: self.step,
            loss: validation.loss,
            accuracy: validation.accuracy,
        });
        progress(Progress::Validation { step: self.step, validation, is_best });
        Ok(())
    }

    fn should_stop(&self) -> bool {
        let Some(patience) = self.recipe.stop.patience else { return false };
        let best = self.validations.iter().enumerate().min_by(|a, b| a.1.loss.total_cmp(&b.1.loss));
        best.is_some_and(|(best, _)| self.validations.len() - 1 - best >= patience)
    }

    fn keep(&self) -> Result<()> {
        Checkpoint {
            step: self.step,
            optimizer_steps: self.optimizer.steps(),
            validations: self.validations.clone(),
            variables: self.variables.snapshot()?,
            optimizer: self.optimizer.state()?,
        }
        .write(&self.folder, self.recipe, self.data.clips().fingerprint())
    }

    fn model(&self, weights: &dyn TensorSource) -> Result<Model> {
        Ok(Model::read(&self.card.architecture()?, weights, &self.device)?)
    }

    fn projector(&self, width_out: usize) -> Result<Projector> {
        Projector::read(&self.variables, self.model(&self.variables)?.width(), width_out)
    }
}

/// The file of the best weights.
const BEST: &str = "best.safetensors";

/// Returns true if the clip at `position` of batch `number` is made into one that shows none of the views.
fn is_synthetic_outlier(recipe: &Recipe, number: usize, position: usize) -> bool {
    Stream::at_place(recipe.seed, "impostors", &[number as u64, position as u64])
        .chance_f32(recipe.batch.synthetic_outliers)
}
