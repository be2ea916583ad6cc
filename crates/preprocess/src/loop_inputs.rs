//! The clips of one loop, prepared as they are needed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use cine::Loop;
use domain::{EcgSource, Finding, Mode, PixelRect, RgbImage, RgbView};
use ecg::SamplingPlan;
use zoo::Preparation;

use crate::decode::{clip_positions, decode};
use crate::frame_memory::FrameMemory;
use crate::turn::turned;
use crate::{
    DecodedFrames, EcgRule, ModelInputs, PlannedLoop, PreparedClips, PreprocessTimings, Preprocessed, Preprocessor,
    Refusal, ResizedClips, Result, prepare, resize_clips,
};

/// A loop whose beats are known and whose frames are chosen, or that no model must be asked about.
///
/// Frames that were decoded for some of its clips are kept for the others.
pub struct LoopInputs<'a> {
    preprocessor: &'a Preprocessor,
    mode: Mode,
    ecg_source: EcgSource,
    findings: Vec<Finding>,
    timings: PreprocessTimings,
    state: std::result::Result<Planned<'a>, (Refusal, u32)>,
}

struct Planned<'a> {
    plan: SamplingPlan,
    frames: DecodedFrames<'a>,
}

impl Preprocessor {
    /// Takes an open loop to the inputs of the model.
    ///
    /// # Errors
    /// No frame of the plan can be decoded, or the frames cannot be prepared as the model's card says.
    pub fn run(&self, source: &mut Loop) -> Result<Preprocessed> {
        self.run_with(source, prepare)
    }

    /// Takes an open loop to the frames of the model before normalization, for data sets that keep bytes.
    ///
    /// # Errors
    /// As for [`Self::run`].
    pub fn run_without_normalization(&self, source: &mut Loop) -> Result<Preprocessed<ResizedClips>> {
        self.run_with(source, resize_clips)
    }

    /// Finds a loop's beats and chooses its frames, so that its clips can be prepared as they are needed.
    ///
    /// # Errors
    /// The loop has no frames, or its decoder failed.
    pub fn open<'a>(&'a self, source: &'a mut Loop) -> Result<LoopInputs<'a>> {
        LoopInputs::new(self, source)
    }

    fn run_with<T>(
        &self,
        source: &mut Loop,
        prepare: impl Fn(&[RgbView<'_>], &[Vec<usize>], Option<PixelRect>, &Preparation) -> Result<T>,
    ) -> Result<Preprocessed<T>> {
        self.open(source)?.first_clips(usize::MAX, prepare)
    }
}

impl<'a> LoopInputs<'a> {
    pub(crate) fn new(preprocessor: &'a Preprocessor, source: &'a mut Loop) -> Result<Self> {
        let mut timings = PreprocessTimings::default();
        let (mode, _) = timed(&mut timings.mode_ms, || source.mode())?;
        let mut findings = source.findings().to_vec();
        if let Some(refusal) = preprocessor.refusal(source.header(), mode) {
            let state = Err((refusal, 0));
            return Ok(Self { preprocessor, mode, ecg_source: EcgSource::None, findings, timings, state });
        }
        let PlannedLoop { beats, plan, frames } =
            timed(&mut timings.ecg_ms, || PlannedLoop::new(source, preprocessor.ecg, &preprocessor.plan))?;
        let ecg_source = beats.beats.source;
        findings.extend(beats.findings);
        if preprocessor.ecg == EcgRule::Required && ecg_source == EcgSource::None {
            let state = Err((Refusal::NoEcg, frames.decoded()));
            return Ok(Self { preprocessor, mode, ecg_source, findings, timings, state });
        }
        findings.extend(plan.findings.iter().cloned());
        Ok(Self { preprocessor, mode, ecg_source, findings, timings, state: Ok(Planned { plan, frames }) })
    }

    /// Returns the number of clips of the plan; none where no model must be asked.
    pub fn clip_count(&self) -> usize {
        self.state.as_ref().map_or(0, |planned| planned.plan.clips.len())
    }

    /// Returns the first `clips` clips of the plan (all of them if it has fewer) as inputs of several models that see the same
    /// frames: the preprocessor's own, then as each of `others` asks for.
    ///
    /// Timings are of all that was done for the loop so far.
    ///
    /// # Errors
    /// No frame of the clips can be decoded, or the frames cannot be prepared as a model's card says.
    pub fn for_models(&mut self, clips: usize, others: &[Preparation]) -> Result<Preprocessed<Vec<PreparedClips>>> {
        self.first_clips(clips, |frames, clips, sector, own| {
            std::iter::once(own).chain(others).map(|preparation| prepare(frames, clips, sector, preparation)).collect()
        })
    }

    pub(crate) fn first_clips<T>(
        &mut self,
        clips: usize,
        prepare: impl Fn(&[RgbView<'_>], &[Vec<usize>], Option<PixelRect>, &Preparation) -> Result<T>,
    ) -> Result<Preprocessed<T>> {
        let (preprocessor, mode, ecg_source) = (self.preprocessor, self.mode, self.ecg_source);
        let (mut timings, mut findings) = (self.timings, self.findings.clone());
        let Planned { plan, frames } = match &mut self.state {
            Ok(planned) => planned,
            Err((refusal, frames_decoded)) => {
                let (inputs, frames_decoded) = (Err(refusal.clone()), *frames_decoded);
                return Ok(Preprocessed { inputs, mode, ecg_source, frames_decoded, findings, timings });
            }
        };
        let mut plan = plan.clone();
        plan.clips.truncate(clips);
        let (columns, rows) = (frames.source().header().columns, frames.source().header().rows);
        let _memory = FrameMemory::reserve(plan.frame_indexes().len(), columns, rows)?;
        let decoded = timed(&mut timings.decode_ms, || decode(&plan, frames, &mut findings))?;
        let sector = frames.source().sector();
        let orientation = preprocessor.orientation(&views(&decoded), mode, sector);
        let (decoded, sector) =
            timed(&mut timings.prepare_ms, || turned((decoded, sector), orientation, &mut findings))?;
        let frames_decoded = frames.decoded();
        let inputs = if preprocessor.has_no_fan(&views(&decoded), mode, sector) {
            Err(Refusal::NoFan)
        } else {
            let positions = clip_positions(&plan, &decoded);
            let prepared = timed(&mut timings.prepare_ms, || {
                prepare(&views(&decoded), &positions, sector, &preprocessor.preparation)
            })?;
            Ok(ModelInputs { plan, clips: prepared, frames: decoded.keys().copied().collect() })
        };
        self.timings = timings;
        Ok(Preprocessed { inputs, mode, ecg_source, frames_decoded, findings, timings })
    }
}

fn views(decoded: &BTreeMap<u32, Arc<RgbImage>>) -> Vec<RgbView<'_>> {
    decoded.values().map(|frame| frame.view()).collect()
}

fn timed<T>(ms: &mut f64, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    *ms += started.elapsed().as_secs_f64() * 1000.0;
    result
}
