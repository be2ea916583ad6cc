//! A file all the way to its label.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use cine::{Header, Loop};
use domain::{EcgSource, Finding, Mode, Precision, SeriesUid, SopUid, StageTimings, StudyUid};
use ecg::SamplingPlan;
use preprocess::{ModelInputs, PreparedClips, Preprocessed};
use serde::Serialize;
use zoo::{LabelSet, Standing};

use crate::{AbstentionRules, Aggregation, LabelError, LoopView, Pipeline};

/// The result of a pipeline for one loop.
#[derive(Debug, Clone, Serialize)]
pub struct LoopLabel {
    /// SOP Instance UID.
    pub sop_instance_uid: SopUid,
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// Series Instance UID.
    pub series_instance_uid: SeriesUid,
    /// The pipeline's name.
    pub pipeline: String,
    /// The digest of the weights.
    pub weights_sha256: String,
    /// The precision of the encoder.
    pub precision: Precision,
    /// A warning about the weights, to be shown with the label; `null` for validated ones.
    pub weights_note: Option<&'static str>,
    /// Label or suggestion: a suggestion comes from weights that were never validated on patients.
    pub standing: Standing,
    /// The mode of the image: `2d`, `colour`, ...
    pub mode: Mode,
    /// The view; `null` when the pipeline abstains or the mode has none.
    pub view: Option<String>,
    /// The probability of the most likely view, 0 to 1; 0 where no model was asked.
    pub confidence: f64,
    /// True if no view is given.
    pub abstained: bool,
    /// True if no model was asked, because the label set has no views of this mode.
    pub skipped: bool,
    /// The reason why no view is given.
    pub reason: Option<String>,
    /// The probability of every view.
    pub probabilities: BTreeMap<String, f64>,
    /// The views that the loop may show, most likely first: a set that holds the true one as often as the model's card
    /// says.
    pub prediction_set: Vec<String>,
    /// The mean energy of the clips, minus the log-sum-exp of their logits: above the limit in the model's card the
    /// loop shows none of the views. `null` where no model was asked.
    pub energy: Option<f64>,
    /// Number of clips that the model saw.
    pub clips: usize,
    /// Number of distinct frames that the model saw.
    pub frames_used: usize,
    /// Number of frames that were decoded, those for the ECG included.
    pub frames_decoded: u32,
    /// The source of the beats.
    pub ecg_source: EcgSource,
    /// The time that each stage took.
    pub ms: StageTimings,
    /// Oddities of the loop.
    pub findings: Vec<Finding>,
    /// The header's facts, for the database.
    #[serde(skip)]
    pub header: Box<Header>,
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
        let started = Instant::now();
        let mut ms = StageTimings::default();
        let mut source = timed(&mut ms.open, || Loop::open(path))?;
        let preprocessed = self.preprocessor().run(&mut source)?;
        let mut label = self.unlabelled(source.header(), preprocessed.mode);
        ms.open += preprocessed.timings.mode_ms;
        (ms.ecg, ms.decode) = (preprocessed.timings.ecg_ms, preprocessed.timings.decode_ms);
        ms.prepare = preprocessed.timings.prepare_ms;
        label.ecg_source = preprocessed.ecg_source;
        label.frames_decoded = preprocessed.frames_decoded;
        label.findings = preprocessed.findings;
        match preprocessed.inputs {
            Ok(inputs) => self.ask_model(inputs, &mut label, &mut ms)?,
            Err(refusal) => {
                label.skipped = refusal.is_by_header();
                label.reason = Some(refusal.to_string());
            }
        }
        label.abstained = label.view.is_none();
        ms.total = started.elapsed().as_secs_f64() * 1000.0;
        label.ms = ms;
        Ok(label)
    }

    /// Takes the loop in the file `path` to the inputs of the model, for quantization and for comparisons.
    ///
    /// # Errors
    /// The file cannot be read, or its frames not be prepared.
    pub fn preprocess(&self, path: &Path) -> Result<Preprocessed, LabelError> {
        Ok(self.preprocessor().run(&mut Loop::open(path)?)?)
    }

    fn ask_model(&self, inputs: ModelInputs, label: &mut LoopLabel, ms: &mut StageTimings) -> Result<(), LabelError> {
        let ModelInputs { plan, clips: prepared, frames_used } = inputs;
        let samples = self.samples(&plan, &prepared.clips);
        let clips = samples.iter().map(|(_, positions)| positions.clone()).collect();
        label.clips = plan.clips.len();
        label.frames_used = frames_used;
        let answer = self.engine().run(PreparedClips { clips, ..prepared })?;
        (ms.encode, ms.head) = (answer.encode_ms, answer.head_ms);
        label.precision = answer.precision;
        let Some(set) = self.label_set() else {
            label.reason = Some(about_vectors(&answer.outputs));
            return Ok(());
        };
        let clips: Vec<(Option<usize>, &[f32])> =
            samples.iter().zip(&answer.outputs).map(|((beat, _), logits)| (*beat, logits.as_slice())).collect();
        let aggregate = self.file().aggregate;
        let rules = AbstentionRules { below: aggregate.abstain_below, most_views: aggregate.max_set_size };
        name_view(set, label, Aggregation::join(&clips, &self.calibration(), rules));
        Ok(())
    }

    /// Returns what the model is given, one after the other: each the beat's number and positions among the prepared
    /// frames, of which `clips` are the clips of the plan.
    ///
    /// A sample is a clip of the plan or, for a model that sees stills, each frame of it.
    fn samples(&self, plan: &SamplingPlan, clips: &[Vec<usize>]) -> Vec<(Option<usize>, Vec<usize>)> {
        let clips = plan.clips.iter().map(|clip| clip.beat).zip(clips.iter().cloned());
        if !self.card().sees_stills() {
            return clips.collect();
        }
        clips.flat_map(|(beat, clip)| clip.into_iter().map(move |position| (beat, vec![position]))).collect()
    }

    /// Returns the label of a loop that the model was not asked about.
    fn unlabelled(&self, header: &Header, mode: Mode) -> LoopLabel {
        LoopLabel {
            sop_instance_uid: header.sop_instance_uid.clone(),
            study_instance_uid: header.study_instance_uid.clone(),
            series_instance_uid: header.series_instance_uid.clone(),
            pipeline: self.name().to_owned(),
            weights_sha256: self.weights_sha256().to_owned(),
            precision: self.precision(),
            weights_note: self.status().warning(),
            standing: self.status().standing(),
            mode,
            view: None,
            confidence: 0.0,
            abstained: true,
            skipped: false,
            reason: None,
            probabilities: BTreeMap::new(),
            prediction_set: Vec::new(),
            energy: None,
            clips: 0,
            frames_used: 0,
            frames_decoded: 0,
            ecg_source: EcgSource::None,
            ms: StageTimings::default(),
            findings: Vec::new(),
            header: Box::new(header.clone()),
        }
    }
}

fn name_view(set: &LabelSet, label: &mut LoopLabel, said: LoopView) {
    label.view = said.view.and_then(|index| set.views.get(index)).map(|view| view.name.clone());
    label.confidence = said.confidence;
    label.reason = said.reason;
    label.energy = said.energy;
    let names = set.view_names();
    label.prediction_set = said.prediction_set.iter().filter_map(|&view| names.get(view).cloned()).collect();
    label.probabilities = names.into_iter().zip(said.probabilities).collect();
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

fn timed<T>(ms: &mut f64, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    *ms += started.elapsed().as_secs_f64() * 1000.0;
    result
}
