//! A file all the way to its label.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use cine::{Header, Loop};
use domain::{EcgSource, Finding, Mode, Precision, SeriesUid, SopUid, StageTimings, StudyUid};
use ecg::SamplingPlan;
use serde::Serialize;
use zoo::LabelSet;

use crate::decode::{clip_positions, decode};
use crate::prepare::prepare_frames;
use crate::{AbstentionRules, Aggregation, DecodedFrames, LabelError, LoopView, Pipeline};

/// What the pipeline says of one loop.
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
    /// How the encoder computed.
    pub precision: Precision,
    /// What must be said about the weights wherever the label is shown; `null` for clinical ones.
    pub weights_note: Option<&'static str>,
    /// What the image shows: `2d`, `colour`, ...
    pub mode: Mode,
    /// The view; `null` when the pipeline abstains or the mode has none.
    pub view: Option<String>,
    /// The probability of the most likely view, 0 to 1; 0 where no model was asked.
    pub confidence: f64,
    /// Whether no view is given.
    pub abstained: bool,
    /// Whether no model was asked, because the label set has no views of this mode.
    pub skipped: bool,
    /// Why no view is given.
    pub reason: Option<String>,
    /// The probability of every view.
    pub probabilities: BTreeMap<String, f64>,
    /// The views that the loop may show, most likely first: a set that holds the true one as often as the model's card says.
    pub prediction_set: Vec<String>,
    /// The mean energy of the clips, minus the log-sum-exp of their logits: above the limit in the model's card the loop
    /// shows none of the views. `null` where no model was asked.
    pub energy: Option<f64>,
    /// How many clips the model saw.
    pub clips: usize,
    /// How many distinct frames the model saw.
    pub frames_used: usize,
    /// How many frames were decoded, those for the ECG included.
    pub frames_decoded: u32,
    /// Where the beat comes from.
    pub ecg_source: EcgSource,
    /// Where the time went.
    pub ms: StageTimings,
    /// What was odd.
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
    pub fn label(&self, path: &Path) -> Result<LoopLabel, LabelError> {
        let started = Instant::now();
        let mut ms = StageTimings::default();
        let mut source = timed(&mut ms.open, || Loop::open(path))?;
        let mut label = timed(&mut ms.open, || self.unlabelled(&mut source))?;
        if let Some(reason) = self.loops().why_skipped(&label.header, label.mode) {
            label.skipped = true;
            label.reason = Some(reason);
        } else {
            self.label_open(&mut source, &mut label, &mut ms)?;
        }
        label.abstained = label.view.is_none();
        ms.total = started.elapsed().as_secs_f64() * 1000.0;
        label.ms = ms;
        Ok(label)
    }

    fn label_open(&self, source: &mut Loop, label: &mut LoopLabel, ms: &mut StageTimings) -> Result<(), LabelError> {
        let mut frames = DecodedFrames::of(source);
        let found = timed(&mut ms.ecg, || self.loops().beats(&mut frames))?;
        label.ecg_source = found.beats.source;
        label.findings.extend(found.findings.iter().cloned());
        if let Some(reason) = self.loops().why_without_beat(&found) {
            label.reason = Some(reason);
            label.frames_decoded = frames.decoded();
            return Ok(());
        }
        let plan = self.loops().plan(&found, &mut label.findings)?;
        let decoded = timed(&mut ms.decode, || decode(&plan, &mut frames, &mut label.findings));
        label.frames_decoded = frames.decoded();
        let decoded = decoded?;
        let sector = frames.source().sector();
        let mut request = timed(&mut ms.prepare, || {
            prepare_frames(&decoded, &clip_positions(&plan, &decoded), sector, self.loops().preparation())
        })?;
        let looks = self.looks(&plan, &request.clips);
        request.clips = looks.iter().map(|(_, positions)| positions.clone()).collect();
        label.clips = plan.clips.len();
        label.frames_used = decoded.len();
        drop(decoded);
        let answer = self.engine().run(request)?;
        (ms.encode, ms.head) = (answer.encode_ms, answer.head_ms);
        label.precision = answer.precision;
        let Some(set) = self.label_set() else {
            label.reason = Some(about_vectors(&answer.outputs));
            return Ok(());
        };
        let clips: Vec<(Option<usize>, &[f32])> =
            looks.iter().zip(&answer.outputs).map(|((beat, _), logits)| (*beat, logits.as_slice())).collect();
        let aggregate = self.file().aggregate;
        let rules = AbstentionRules { below: aggregate.abstain_below, most_views: aggregate.max_set_size };
        name_view(set, label, Aggregation::join(&clips, &self.confidence(), rules));
        Ok(())
    }

    /// What the model looks at, one after the other: each the beat's number and positions among the
    /// prepared frames, of which `clips` are the clips of the plan.
    ///
    /// A look is a clip of the plan or, for a model that sees stills, each frame of it.
    fn looks(&self, plan: &SamplingPlan, clips: &[Vec<usize>]) -> Vec<(Option<usize>, Vec<usize>)> {
        let clips = plan.clips.iter().map(|clip| clip.beat).zip(clips.iter().cloned());
        if !self.card().sees_stills() {
            return clips.collect();
        }
        clips.flat_map(|(beat, clip)| clip.into_iter().map(move |position| (beat, vec![position]))).collect()
    }

    /// What is known of a loop before any frame is decoded.
    pub(crate) fn unlabelled(&self, source: &mut Loop) -> Result<LoopLabel, LabelError> {
        let (mode, _) = source.mode()?;
        let header = source.header().clone();
        Ok(LoopLabel {
            sop_instance_uid: header.sop_instance_uid.clone(),
            study_instance_uid: header.study_instance_uid.clone(),
            series_instance_uid: header.series_instance_uid.clone(),
            pipeline: self.name().to_owned(),
            weights_sha256: self.weights_sha256().to_owned(),
            precision: self.precision(),
            weights_note: self.status().warning(),
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
            findings: source.findings().to_vec(),
            header: Box::new(header),
        })
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

/// Why a model without classes names no view.
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
