//! The sampling plan: which frames of a loop a model sees, clip by clip, and where in the beat each one stands.
//!
//! Every clip has exactly `frames_per_clip` entries in time order; where there are too few frames they repeat, so a
//! model always gets the length it was trained with. What was done about missing or short beats stands in
//! [`SamplingPlan::findings`], and every clip names the ECG source and the strategy that was really used.

mod clip;
mod phases;
mod uniform;
mod windowed;

pub use clip::{Clip, PlannedFrame};

use serde::{Deserialize, Serialize};

use crate::{Beat, BeatKind, Beats, EcgError, FrameClock};
use domain::{Finding, FindingCode, SamplingStrategy};

/// Largest number of frames of a clip.
pub const MAX_FRAMES_PER_CLIP: usize = 64;

/// Settings of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSettings {
    /// Choice of the frames.
    #[serde(default)]
    pub strategy: SamplingStrategy,
    /// Length of every clip in frames, 1 to 64; 6 for [`SamplingStrategy::Windowed`].
    pub frames_per_clip: usize,
    /// Keep at most this many clips, evenly chosen; `None` keeps all.
    #[serde(default)]
    pub max_clips: Option<usize>,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self { strategy: SamplingStrategy::default(), frames_per_clip: 6, max_clips: None }
    }
}

/// All clips of a loop, never empty, in time order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SamplingPlan {
    /// The clips.
    pub clips: Vec<Clip>,
    /// Findings about missing or short beats.
    pub findings: Vec<Finding>,
}

impl SamplingPlan {
    /// Returns every frame index the plan names, rising and once each: what has to be decoded.
    #[must_use]
    pub fn frame_indexes(&self) -> Vec<u32> {
        let mut indexes: Vec<u32> =
            self.clips.iter().flat_map(|clip| clip.frames.iter().map(|frame| frame.index)).collect();
        indexes.sort_unstable();
        indexes.dedup();
        indexes
    }
}

/// Plans the clips of a loop; the plan has at least one clip.
///
/// Whole beats give the clips. Where there is none, the one beat gives a clip of which the loop shows most, provided
/// that is at least half of it; else frames are spread uniformly (see [`SamplingStrategy::Uniform`]).
///
/// ```
/// use ecg::{FrameClock, PlanSettings, beats_from_r_wave_times, plan};
///
/// // 60 frames of 20 ms with R waves at 105 and 905 ms: one whole beat, six frames of it.
/// let clock = FrameClock::uniform(60, 20.0)?;
/// let beats = beats_from_r_wave_times(&[105.0, 905.0], &clock, None);
/// let plan = plan(&beats, &clock, &PlanSettings::default())?;
/// assert_eq!(plan.clips.len(), 1);
/// assert_eq!(plan.clips[0].frames.len(), 6);
/// # Ok::<(), ecg::EcgError>(())
/// ```
///
/// # Errors
/// [`EcgError::Setting`] where a setting is out of range.
pub fn plan(beats: &Beats, clock: &FrameClock, settings: &PlanSettings) -> Result<SamplingPlan, EcgError> {
    settings.check()?;
    let mut findings = Vec::new();
    let usable = match settings.strategy {
        SamplingStrategy::Uniform => Vec::new(),
        _ => usable_beats(beats, clock, &mut findings),
    };
    let count = settings.frames_per_clip;
    let mut clips = Vec::new();
    for (number, beat) in usable {
        let clips_of_beat = match settings.strategy {
            SamplingStrategy::Landmarks => vec![phases::at_landmarks(beat, clock, count)],
            SamplingStrategy::EvenlySpaced | SamplingStrategy::Uniform => {
                vec![phases::evenly_spaced(beat, clock, count)]
            }
            SamplingStrategy::Windowed => windowed::windows(beat, clock, number, &mut findings),
        };
        clips.extend(clips_of_beat.into_iter().map(|frames| Clip {
            beat: Some(number),
            frames,
            source: beats.source,
            strategy: settings.strategy,
        }));
    }
    if clips.is_empty() {
        if settings.strategy != SamplingStrategy::Uniform {
            findings.push(Finding::new(FindingCode::PlanUniform, "no beat could be used: frames are spread uniformly"));
        }
        clips = uniform::clips(beats.heart_rate_bpm, clock, count);
    }
    note_repeats(&clips, &mut findings);
    limit(&mut clips, settings.max_clips, &mut findings);
    Ok(SamplingPlan { clips, findings })
}

impl PlanSettings {
    fn check(&self) -> Result<(), EcgError> {
        let fault = |key, value, rule| Err(EcgError::Setting { key, value, rule });
        let count = self.frames_per_clip;
        if !(1..=MAX_FRAMES_PER_CLIP).contains(&count) {
            return fault("frames_per_clip", count, "1 to 64");
        }
        if self.strategy == SamplingStrategy::Windowed && count != windowed::FRAMES_PER_CLIP {
            return fault("frames_per_clip", count, "6 with strategy = \"windowed\" (16 frames, every third)");
        }
        if self.max_clips == Some(0) {
            return fault("max_clips", 0, "1 or more");
        }
        Ok(())
    }
}

/// Returns the beats that give clips, with their numbers in [`Beats::beats`].
fn usable_beats<'a>(beats: &'a Beats, clock: &FrameClock, findings: &mut Vec<Finding>) -> Vec<(usize, &'a Beat)> {
    let frame_count = clock.frame_count();
    let whole: Vec<_> = beats
        .beats
        .iter()
        .enumerate()
        .filter(|(_, beat)| beat.kind == BeatKind::Whole)
        .filter(|(_, beat)| !beat.frames(frame_count).is_empty())
        .collect();
    if !whole.is_empty() {
        return whole;
    }
    let shown = |beat: &Beat| f64::from(beat.frames(frame_count).len() as u32);
    let best = beats
        .beats
        .iter()
        .enumerate()
        .filter(|(_, beat)| shown(beat) >= 0.5 * (beat.end_frame - beat.start_frame))
        .filter(|(_, beat)| shown(beat) > 0.0)
        .max_by(|(_, a), (_, b)| shown(a).total_cmp(&shown(b)));
    if let Some((number, beat)) = best {
        let (code, why) = match beat.kind {
            BeatKind::Extrapolated => {
                (FindingCode::EcgBeatExtrapolated, "one R wave only: its beat was completed by the heart rate")
            }
            BeatKind::Whole | BeatKind::Cut => {
                (FindingCode::EcgPartialBeat, "no whole beat: the longest part of one is used")
            }
        };
        findings.push(Finding::new(code, format!("{why} (beat {number})")));
    }
    best.into_iter().collect()
}

fn note_repeats(clips: &[Clip], findings: &mut Vec<Finding>) {
    let repeats = |clip: &&Clip| clip.frames.windows(2).any(|pair| pair[0].index == pair[1].index);
    let repeating = clips.iter().filter(repeats).count();
    if repeating > 0 {
        findings.push(Finding::new(
            FindingCode::PlanFramesRepeated,
            format!(
                "{repeating} of {} clips have fewer frames to show than a clip is long: frames repeat",
                clips.len()
            ),
        ));
    }
}

/// Keeps `max_clips` clips, evenly chosen: the middles of that many equal parts of the list.
fn limit(clips: &mut Vec<Clip>, max_clips: Option<usize>, findings: &mut Vec<Finding>) {
    let Some(most) = max_clips.filter(|most| *most < clips.len()) else {
        return;
    };
    let all = clips.len();
    let chosen: Vec<usize> = (0..most).map(|part| (2 * part + 1) * all / (2 * most)).collect();
    let mut number = 0;
    clips.retain(|_| {
        number += 1;
        chosen.contains(&(number - 1))
    });
    findings.push(Finding::new(FindingCode::PlanClipsLimited, format!("{most} of {all} clips were kept")));
}
