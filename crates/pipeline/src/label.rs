//! A file all the way to its label.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use cine::{CineError, Header, Loop};
use domain::{Mode, Prediction, SeriesUid, SopUid, StageTimings, Standing, StudyUid};
use ecg::SamplingPlan;
use preprocess::{LoopInputs, ModelInputs, PreparedClips, PreprocessTimings, Preprocessed, Refusal};
use serde::Serialize;
use zoo::{LabelSet, Preparation};

use crate::{AbstentionRules, Aggregation, ClipRule, Engine, EngineAnswer, LabelError, LoopView, Pipeline};

/// The result of a pipeline for one loop.
#[derive(Debug, Clone, Serialize)]
pub struct LoopLabel {
    /// SOP Instance UID.
    pub sop_instance_uid: SopUid,
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// Series Instance UID.
    pub series_instance_uid: SeriesUid,
    /// Label or suggestion: a suggestion comes from weights that were never validated on patients.
    pub standing: Standing,
    /// The mode of the image: `2d`, `colour`, ...
    pub mode: Mode,
    /// True if no model was asked, because the label set has no views of this mode.
    pub skipped: bool,
    /// Number of frames that were decoded, those for the ECG included.
    pub frames_decoded: u32,
    /// The model's answer; without a view where no model was asked.
    #[serde(flatten)]
    pub prediction: Prediction,
    /// The reason why the loop is no transthoracic echo, where header or image say so; for the database.
    #[serde(skip)]
    pub not_tte: Option<String>,
    /// The header's facts, for the database.
    #[serde(skip)]
    pub header: Box<Header>,
}

/// Answer of the models about a loop, without what its header says.
struct Answer {
    prediction: Prediction,
    refusal: Option<Refusal>,
    mode: Mode,
    frames_decoded: u32,
}

impl Pipeline {
    /// Labels the loop in the file `path`.
    ///
    /// A loop of a mode without views, or one that the model is unsure of, is a label without a view and with a reason;
    /// an error means that the file could not be used at all.
    ///
    /// # Errors
    /// The file cannot be read as a loop, or the model fails on it.
    pub fn label(&self, path: &Path) -> Result<LoopLabel, LabelError> {
        self.label_opened_by(|| Loop::open(path))
    }

    /// Labels the loop that `open` opens, wherever its bytes lie.
    ///
    /// # Errors
    /// As for [`Self::label`].
    pub fn label_opened_by(&self, open: impl FnOnce() -> Result<Loop, CineError>) -> Result<LoopLabel, LabelError> {
        let started = Instant::now();
        let mut source = open()?;
        let open_ms = milliseconds_since(started);
        let mut said = self.answer(self.preprocessor().open(&mut source)?)?;
        said.prediction.abstained = said.prediction.view.is_none();
        said.prediction.timings.open += open_ms;
        said.prediction.timings.total = milliseconds_since(started);
        let header = source.header();
        let not_tte = said.refusal.as_ref().and_then(Refusal::not_tte);
        Ok(LoopLabel {
            sop_instance_uid: header.sop_instance_uid.clone(),
            study_instance_uid: header.study_instance_uid.clone(),
            series_instance_uid: header.series_instance_uid.clone(),
            standing: self.status().standing(),
            mode: said.mode,
            skipped: said.refusal.as_ref().is_some_and(Refusal::is_by_header),
            frames_decoded: said.frames_decoded,
            prediction: said.prediction,
            not_tte: not_tte.or_else(|| header.other_examination.map(ToOwned::to_owned)),
            header: Box::new(header.clone()),
        })
    }

    /// Asks the models about the first clip of a loop where the pipeline says that it may suffice, and about all clips unless it
    /// does.
    fn answer(&self, mut inputs: LoopInputs<'_>) -> Result<Answer, LabelError> {
        let all = inputs.clip_count();
        let Some(enough) = self.file().aggregate.first_clip_suffices.filter(|_| all > 1) else {
            return self.answer_about(all, &mut inputs);
        };
        let first = self.answer_about(1, &mut inputs)?;
        let is_sure = first.prediction.view.is_some() && first.prediction.confidence >= enough;
        if is_sure || first.refusal.is_some() {
            return Ok(first);
        }
        let mut said = self.answer_about(all, &mut inputs)?;
        said.prediction.timings.encode += first.prediction.timings.encode;
        said.prediction.timings.head += first.prediction.timings.head;
        Ok(said)
    }

    fn answer_about(&self, clips: usize, inputs: &mut LoopInputs<'_>) -> Result<Answer, LabelError> {
        let others: Vec<Preparation> = self.companions().iter().map(|companion| companion.preparation).collect();
        let preprocessed = inputs.for_models(clips, &others)?;
        let mut prediction = self.no_prediction(&preprocessed);
        let (mode, frames_decoded) = (preprocessed.mode, preprocessed.frames_decoded);
        let refusal = match preprocessed.inputs {
            Ok(inputs) => {
                self.ask_model(inputs, &mut prediction)?;
                None
            }
            Err(refusal) => {
                prediction.reason = Some(refusal.to_string());
                Some(refusal)
            }
        };
        Ok(Answer { prediction, refusal, mode, frames_decoded })
    }

    /// Takes the loop in the file `path` to the inputs of the model, for quantization and for comparisons.
    ///
    /// # Errors
    /// The file cannot be read, or its frames not be prepared.
    pub fn preprocess(&self, path: &Path) -> Result<Preprocessed, LabelError> {
        Ok(self.preprocessor().run(&mut Loop::open(path)?)?)
    }

    fn ask_model(
        &self,
        inputs: ModelInputs<Vec<PreparedClips>>,
        prediction: &mut Prediction,
    ) -> Result<(), LabelError> {
        let ModelInputs { plan, clips: mut of_models, frames } = inputs;
        if self.file().aggregate.clips == ClipRule::FirstFrame {
            of_models = of_models.into_iter().map(PreparedClips::first_frame).collect();
        }
        prediction.clips = plan.clips.len() as u32;
        prediction.frames_used = frames.len() as u32;
        let seen: BTreeSet<usize> =
            of_models.first().into_iter().flat_map(|own| own.clips.iter().flatten().copied()).collect();
        prediction.frame_indexes = seen.into_iter().filter_map(|position| frames.get(position).copied()).collect();
        let mut of_models = of_models.into_iter();
        let Some(own) = of_models.next() else { return Ok(()) };
        let (beats, answer) = ask(self.engine(), self.card().sees_stills(), &plan, own)?;
        (prediction.timings.encode, prediction.timings.head) = (answer.encode_ms, answer.head_ms);
        // An engine without memory on its GPU goes on in another precision than the pipeline's.
        prediction.model.precision = Some(answer.precision);
        let Some(set) = self.label_set() else {
            prediction.reason = Some(about_vectors(&answer.outputs));
            return Ok(());
        };
        let mut answers = vec![Aggregation::of_clips(&with_beats(&beats, &answer), &self.calibration())];
        for (companion, prepared) in self.companions().iter().zip(of_models) {
            let (beats, answer) = ask(&companion.engine, companion.sees_stills, &plan, prepared)?;
            prediction.timings.encode += answer.encode_ms;
            prediction.timings.head += answer.head_ms;
            answers.push(Aggregation::of_clips(&with_beats(&beats, &answer), &companion.calibration));
        }
        let aggregate = self.file().aggregate;
        let rules = AbstentionRules { below: aggregate.abstain_below, most_views: aggregate.max_set_size };
        name_view(set, prediction, Aggregation::decide(&answers, self.view_shares(), rules));
        Ok(())
    }

    /// Returns the prediction of a loop that the model was not asked about.
    fn no_prediction<T>(&self, preprocessed: &Preprocessed<T>) -> Prediction {
        let PreprocessTimings { mode_ms, ecg_ms, decode_ms, prepare_ms } = preprocessed.timings;
        Prediction {
            model: self.key(),
            weights_note: self.status().warning().map(ToOwned::to_owned),
            weights_status: Some(self.status()),
            view: None,
            confidence: 0.0,
            abstained: true,
            reason: None,
            probabilities: BTreeMap::new(),
            prediction_set: Vec::new(),
            energy: None,
            clips: 0,
            frames_used: 0,
            frame_indexes: Vec::new(),
            ecg_source: preprocessed.ecg_source,
            timings: StageTimings {
                open: mode_ms,
                ecg: ecg_ms,
                decode: decode_ms,
                prepare: prepare_ms,
                ..StageTimings::default()
            },
            findings: preprocessed.findings.clone(),
        }
    }
}

/// Asks a model about the clips of a plan; with the beat's number of each output.
fn ask(
    engine: &Engine,
    sees_stills: bool,
    plan: &SamplingPlan,
    prepared: PreparedClips,
) -> Result<(Vec<Option<usize>>, EngineAnswer), LabelError> {
    let (beats, clips) = samples(plan, &prepared.clips, sees_stills).into_iter().unzip();
    Ok((beats, engine.run(PreparedClips { clips, ..prepared })?))
}

fn with_beats<'a>(beats: &[Option<usize>], answer: &'a EngineAnswer) -> Vec<(Option<usize>, &'a [f32])> {
    beats.iter().copied().zip(answer.outputs.iter().map(Vec::as_slice)).collect()
}

/// Returns what a model is given, one after the other: each the beat's number and positions among the prepared frames, of
/// which `clips` are the clips of the plan.
///
/// A sample is a clip of the plan or, for a model that sees stills, each frame of it.
pub(crate) fn samples(
    plan: &SamplingPlan,
    clips: &[Vec<usize>],
    sees_stills: bool,
) -> Vec<(Option<usize>, Vec<usize>)> {
    let clips = plan.clips.iter().map(|clip| clip.beat).zip(clips.iter().cloned());
    if !sees_stills {
        return clips.collect();
    }
    clips.flat_map(|(beat, clip)| clip.into_iter().map(move |position| (beat, vec![position]))).collect()
}

fn name_view(set: &LabelSet, prediction: &mut Prediction, said: LoopView) {
    prediction.view = said.view.and_then(|index| set.views.get(index)).map(|view| view.name.clone());
    prediction.confidence = said.confidence;
    prediction.reason = said.reason;
    prediction.energy = said.energy;
    let names = set.view_names();
    prediction.prediction_set = said.prediction_set.iter().filter_map(|&view| names.get(view).cloned()).collect();
    prediction.probabilities = names.into_iter().zip(said.probabilities).collect();
}

/// Returns the reason why a model without classes names no view.
fn about_vectors(vectors: &[Vec<f32>]) -> String {
    match vectors.iter().flatten().all(|value| value.is_finite()) {
        true => {
            let length = vectors.first().map_or(0, Vec::len);
            format!("the model has no view layer: it gave vectors of {length} numbers")
        }
        false => "the model gave no usable numbers".to_owned(),
    }
}

fn milliseconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}
