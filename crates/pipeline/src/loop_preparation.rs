//! From a loop to the frames that a model sees: what labelling, calibrating and training share.

use cine::{Header, Loop};
use domain::{EcgSource, Finding, Mode};
use ecg::{PlanSettings, SamplingPlan};
use zoo::prepare::PreparedClips;
use zoo::{LabelSet, ModelCard, Preparation};

use crate::beat::ignore_beats;
use crate::decode::{clip_positions, decode};
use crate::derived::pipeline_of;
use crate::file::{EcgRule, SamplingSection};
use crate::prepare::prepare_frames;
use crate::{DecodedFrames, FoundBeats, LabelError, find_beats};

/// Which loops are looked at, which of their frames, and how these are prepared. Needs no model.
pub struct LoopPreparation {
    label_set: Option<LabelSet>,
    ecg: EcgRule,
    plan: PlanSettings,
    preparation: Preparation,
}

/// A loop as far as the model's door.
#[derive(Debug, Clone, PartialEq)]
pub enum PreparedLoop {
    /// What the model would see.
    Clips(PreparedClips),
    /// The model would not be asked, and why.
    Skipped(String),
}

impl LoopPreparation {
    /// What the pipeline named after the model does; `max_clips` is the most clips of a loop, where it should be another.
    ///
    /// Errors: the card names a label set that does not exist.
    pub fn of_model(card: &ModelCard, max_clips: Option<usize>) -> zoo::Result<Self> {
        let label_set = card.label_set.as_deref().map(LabelSet::named).transpose()?;
        let sampling = pipeline_of(card).sampling;
        let max_clips = max_clips.unwrap_or(sampling.max_clips);
        Ok(Self::new(label_set, &SamplingSection { max_clips, ..sampling }, card.prepare))
    }

    pub(crate) fn new(label_set: Option<LabelSet>, sampling: &SamplingSection, preparation: Preparation) -> Self {
        let plan = PlanSettings {
            strategy: sampling.strategy,
            frames_per_clip: sampling.frames_per_clip,
            max_clips: Some(sampling.max_clips),
        };
        Self { label_set, ecg: sampling.ecg, plan, preparation }
    }

    /// The frames of an open loop as the model would see them.
    pub fn prepare(&self, source: &mut Loop) -> Result<PreparedLoop, LabelError> {
        let (mode, _) = source.mode()?;
        if let Some(reason) = self.why_skipped(source.header(), mode) {
            return Ok(PreparedLoop::Skipped(reason));
        }
        let mut frames = DecodedFrames::of(source);
        let found = self.beats(&mut frames)?;
        if let Some(reason) = self.why_without_beat(&found) {
            return Ok(PreparedLoop::Skipped(reason));
        }
        let mut findings = Vec::new();
        let plan = self.plan(&found, &mut findings)?;
        let decoded = decode(&plan, &mut frames, &mut findings)?;
        let sector = frames.source().sector();
        prepare_frames(&decoded, &clip_positions(&plan, &decoded), sector, &self.preparation).map(PreparedLoop::Clips)
    }

    pub(crate) fn label_set(&self) -> Option<&LabelSet> {
        self.label_set.as_ref()
    }

    pub(crate) fn preparation(&self) -> &Preparation {
        &self.preparation
    }

    /// Why no model is asked about this loop, if so: known before any frame is planned.
    pub(crate) fn why_skipped(&self, header: &Header, mode: Mode) -> Option<String> {
        if let Some(what) = &header.not_transthoracic {
            return Some(format!("not a transthoracic echo: {what}"));
        }
        if !header.may_be_ultrasound() {
            return Some(format!(
                "not an ultrasound image: modality {}",
                header.modality.as_deref().unwrap_or_default()
            ));
        }
        let set = self.label_set()?;
        (!set.modes.contains(&mode)).then(|| format!("{} has no views of mode {mode}", set.name))
    }

    pub(crate) fn beats(&self, frames: &mut DecodedFrames<'_>) -> Result<FoundBeats, LabelError> {
        match self.ecg {
            EcgRule::Ignore => Ok(ignore_beats(frames)?),
            EcgRule::Preferred | EcgRule::Required => Ok(find_beats(frames)?),
        }
    }

    /// Why the loop is not looked at without its beat, if so.
    pub(crate) fn why_without_beat(&self, found: &FoundBeats) -> Option<String> {
        let lacks = self.ecg == EcgRule::Required && found.beats.source == EcgSource::None;
        lacks.then(|| "no ECG was found and the pipeline requires one".to_owned())
    }

    pub(crate) fn plan(&self, found: &FoundBeats, findings: &mut Vec<Finding>) -> Result<SamplingPlan, LabelError> {
        let plan = ecg::plan(&found.beats, &found.clock, &self.plan)?;
        findings.extend(plan.findings.iter().cloned());
        Ok(plan)
    }
}
