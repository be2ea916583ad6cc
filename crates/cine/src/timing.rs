//! When each frame was acquired, in milliseconds from the first frame.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::Serialize;

use crate::scan::DataSet;
use domain::{Finding, FindingCode};

/// Attribute that the frame times come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimingSource {
    /// Frame Time (0018,1063).
    FrameTime,
    /// Frame Time Vector (0018,1065).
    FrameTimeVector,
    /// Actual Frame Duration (0018,1242).
    ActualFrameDuration,
    /// Effective Duration (0018,0072) divided by the number of frames.
    EffectiveDuration,
    /// Cine Rate (0018,0040).
    CineRate,
    /// Recommended Display Frame Rate (0008,2144).
    RecommendedDisplayFrameRate,
    /// No usable attribute: 30 frames a second are assumed.
    Assumed,
}

/// The acquisition time of every frame, in ms from frame 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FrameTiming {
    /// Attribute that the times come from.
    pub source: TimingSource,
    /// True if the times are a guess (no attribute gives them).
    pub guessed: bool,
    frame_time_ms: f64,
    frames: u32,
    /// Times of all frames where they are not evenly spaced; strictly ascending, first 0.
    #[serde(skip)]
    times_ms: Option<Vec<f64>>,
}

/// Assumed where the header gives no time: 30 frames a second.
const ASSUMED_FRAME_TIME_MS: f64 = 1000.0 / 30.0;

impl FrameTiming {
    /// `frames` frames, evenly spaced by `frame_time_ms`.
    pub fn uniform(source: TimingSource, frame_time_ms: f64, frames: u32) -> Self {
        Self { source, guessed: false, frame_time_ms, frames, times_ms: None }
    }

    /// `frames` frames at an assumed rate, marked as guessed.
    pub fn assumed(frames: u32) -> Self {
        Self { guessed: true, ..Self::uniform(TimingSource::Assumed, ASSUMED_FRAME_TIME_MS, frames) }
    }

    /// Returns frames at the given times in ms, which ascend strictly from 0.
    pub(crate) fn at_times(source: TimingSource, times_ms: Vec<f64>) -> Self {
        let frames = u32::try_from(times_ms.len()).unwrap_or(u32::MAX);
        let last_ms = times_ms.last().copied().unwrap_or(0.0);
        let intervals = f64::from(frames.saturating_sub(1).max(1));
        Self { source, guessed: false, frame_time_ms: last_ms / intervals, frames, times_ms: Some(times_ms) }
    }

    /// Returns the mean interval between frames in ms.
    pub fn frame_time_ms(&self) -> f64 {
        self.frame_time_ms
    }

    /// Returns the time of frame `index` in ms from frame 0; beyond the last frame the mean interval goes on.
    pub fn time_of_frame_ms(&self, index: u32) -> f64 {
        let evenly_ms = f64::from(index) * self.frame_time_ms;
        match &self.times_ms {
            Some(times_ms) => times_ms.get(index as usize).copied().unwrap_or(evenly_ms),
            None => evenly_ms,
        }
    }

    /// Returns the fractional frame index at `time_ms`; outside the loop the mean interval goes on, so it may be
    /// negative.
    pub fn frame_at_ms(&self, time_ms: f64) -> f64 {
        let (Some(times_ms), true) = (&self.times_ms, time_ms > 0.0) else {
            return time_ms / self.frame_time_ms;
        };
        let next = times_ms.partition_point(|&frame_ms| frame_ms <= time_ms);
        match (next.checked_sub(1).and_then(|i| times_ms.get(i)), times_ms.get(next)) {
            (Some(&before_ms), Some(&after_ms)) => (next - 1) as f64 + (time_ms - before_ms) / (after_ms - before_ms),
            _ => time_ms / self.frame_time_ms,
        }
    }

    /// Returns the number of frames.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Returns the time from the first to the last frame in ms.
    pub fn duration_ms(&self) -> f64 {
        self.time_of_frame_ms(self.frames.saturating_sub(1))
    }
}

/// Rates outside this are no ultrasound loop's.
const FRAMES_PER_SECOND: std::ops::RangeInclusive<f64> = 5.0..=400.0;
/// Times must ascend strictly, so a frame that was stored twice stands this much behind the first.
const REPEATED_FRAME_STEP_MS: f64 = 0.001;
/// Two attributes that differ by more than this contradict each other.
const TOLERANCE: f64 = 0.2;

/// From an attribute's value and the number of frames to ms a frame.
type ToFrameTime = fn(f64, u32) -> f64;

/// Attributes that give the frame times where neither Frame Time nor its vector does, best first.
const SECOND_CHOICES: [(Tag, TimingSource, ToFrameTime); 4] = [
    (tags::ACTUAL_FRAME_DURATION, TimingSource::ActualFrameDuration, |ms, _| ms),
    (tags::EFFECTIVE_DURATION, TimingSource::EffectiveDuration, |seconds, frames| {
        seconds * 1000.0 / f64::from(frames.max(1))
    }),
    (tags::CINE_RATE, TimingSource::CineRate, |per_second, _| 1000.0 / per_second),
    (tags::RECOMMENDED_DISPLAY_FRAME_RATE, TimingSource::RecommendedDisplayFrameRate, |per_second, _| {
        1000.0 / per_second
    }),
];

/// Resolves the frame times: the attribute that Frame Increment Pointer names, the other of the two, then durations and
/// rates (PS3.3 C.7.6.5); where none is usable, an assumed rate that is marked as guessed.
pub(crate) fn read_timing(data_set: &DataSet, frames: u32, findings: &mut Vec<Finding>) -> FrameTiming {
    let pointer = data_set.u16s(tags::FRAME_INCREMENT_POINTER);
    let names_vector =
        pointer.first_chunk::<2>().map(|[group, element]| Tag(*group, *element)) == Some(tags::FRAME_TIME_VECTOR);
    report_commas(data_set, findings);
    let vector = from_vector(data_set, frames, findings);
    let frame_time = uniform_from(data_set, tags::FRAME_TIME, TimingSource::FrameTime, |ms, _| ms, frames, findings);
    let first_choice = if names_vector { vector.or(frame_time) } else { frame_time.or(vector) };
    let mut timing = first_choice;
    for (tag, source, to_frame_time_ms) in SECOND_CHOICES {
        match &timing {
            None => timing = uniform_from(data_set, tag, source, to_frame_time_ms, frames, findings),
            // Playback rates may be slow motion on purpose; only durations can contradict.
            Some(chosen) if source == TimingSource::ActualFrameDuration => {
                let stated_ms = data_set.decimal(tag).filter(|ms| *ms > 0.0);
                if let Some(stated_ms) = stated_ms
                    && (stated_ms - chosen.frame_time_ms).abs() > TOLERANCE * stated_ms
                {
                    let reason = format!("it contradicts {:?} ({:.1} ms)", chosen.source, chosen.frame_time_ms);
                    reject(source, &reason, frames, findings);
                }
            }
            Some(_) => {}
        }
    }
    timing.unwrap_or_else(|| {
        if frames > 1 {
            let message = "no attribute tells the frame times; 30 frames a second are assumed";
            findings.push(Finding::new(FindingCode::TimingGuessed, message));
        }
        FrameTiming::assumed(frames)
    })
}

fn uniform_from(
    data_set: &DataSet,
    tag: Tag,
    source: TimingSource,
    to_frame_time_ms: ToFrameTime,
    frames: u32,
    findings: &mut Vec<Finding>,
) -> Option<FrameTiming> {
    data_set.text(tag)?;
    let frame_time_ms = data_set.decimal(tag).map(|value| to_frame_time_ms(value, frames));
    match frame_time_ms {
        Some(ms) if ms > 0.0 && FRAMES_PER_SECOND.contains(&(1000.0 / ms)) => {
            Some(FrameTiming::uniform(source, ms, frames))
        }
        Some(ms) => {
            reject(source, &format!("{ms} ms a frame is outside 5 to 400 frames a second"), frames, findings);
            None
        }
        None => {
            reject(source, "it is not a number", frames, findings);
            None
        }
    }
}

/// Reads Frame Time Vector, which holds increments. The first stands before frame 0: it should be 0 and often is not;
/// some writers leave it out. An increment of 0 is a frame that was stored twice; it stands just behind the one before.
fn from_vector(data_set: &DataSet, frames: u32, findings: &mut Vec<Finding>) -> Option<FrameTiming> {
    let source = TimingSource::FrameTimeVector;
    let increments = data_set.decimals(tags::FRAME_TIME_VECTOR);
    if increments.is_empty() || frames < 2 {
        return None;
    }
    let used = if increments.len() + 1 == frames as usize {
        let message =
            format!("Frame Time Vector has {} entries for {frames} frames: the first is missing", increments.len());
        findings.push(Finding::new(FindingCode::TimingVectorOneShort, message));
        increments.as_slice()
    } else if let Some(used) = increments.get(1..frames as usize) {
        used
    } else {
        reject(source, &format!("it has {} entries for {frames} frames", increments.len()), frames, findings);
        return None;
    };
    let mut times_ms = vec![0.0];
    let mut repeated = 0;
    for increment_ms in used {
        let last_ms = times_ms.last().copied().unwrap_or(0.0);
        match increment_ms {
            Some(increment_ms) if *increment_ms > 0.0 => times_ms.push(last_ms + increment_ms),
            Some(0.0) => {
                repeated += 1;
                times_ms.push(last_ms + REPEATED_FRAME_STEP_MS);
            }
            _ => {
                reject(source, "an increment is negative or not a number", frames, findings);
                return None;
            }
        }
    }
    let timing = FrameTiming::at_times(source, times_ms);
    if !FRAMES_PER_SECOND.contains(&(1000.0 / timing.frame_time_ms)) {
        let reason = format!("{} ms a frame is outside 5 to 400 frames a second", timing.frame_time_ms);
        reject(source, &reason, frames, findings);
        return None;
    }
    if repeated > 0 {
        let message = format!("{repeated} frames have the time of the frame before them");
        findings.push(Finding::new(FindingCode::TimingFramesRepeated, message));
    }
    Some(timing)
}

fn reject(source: TimingSource, reason: &str, frames: u32, findings: &mut Vec<Finding>) {
    if frames > 1 {
        findings.push(Finding::new(FindingCode::TimingAttributeRejected, format!("{source:?} was not used: {reason}")));
    }
}

/// Reports numbers of frame timing that are written with a decimal comma, which PS3.5 section 6.2 does not allow.
fn report_commas(data_set: &DataSet, findings: &mut Vec<Finding>) {
    let timing_tags = SECOND_CHOICES.map(|(tag, ..)| tag);
    let has_comma = |tag: &Tag| data_set.text(*tag).is_some_and(|text| text.contains(','));
    if [tags::FRAME_TIME, tags::FRAME_TIME_VECTOR].iter().chain(&timing_tags).any(has_comma) {
        findings.push(Finding::new(FindingCode::DecimalComma, "frame times are written with a decimal comma"));
    }
}

#[cfg(test)]
mod tests {
    use super::{FrameTiming, TimingSource};
    use proptest::prelude::{prop_assert, proptest};

    #[test]
    fn uneven_times_interpolate_both_ways() {
        let timing = FrameTiming::at_times(TimingSource::FrameTimeVector, vec![0.0, 30.0, 90.0]);
        assert_eq!(timing.frame_time_ms(), 45.0);
        assert_eq!(timing.time_of_frame_ms(1), 30.0);
        assert_eq!(timing.frame_at_ms(60.0), 1.5);
        assert_eq!(timing.frame_at_ms(-45.0), -1.0);
        assert_eq!(timing.frame_at_ms(135.0), 3.0);
        assert_eq!(timing.duration_ms(), 90.0);
    }

    proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn frame_at_ms_undoes_time_of_frame_ms(increments in proptest::collection::vec(1.0_f64..200.0, 1..40)) {
            let mut times_ms = vec![0.0];
            times_ms.extend(increments.iter().scan(0.0, |sum, step| { *sum += step; Some(*sum) }));
            let timing = FrameTiming::at_times(TimingSource::FrameTimeVector, times_ms.clone());
            for index in 0..times_ms.len() as u32 {
                prop_assert!((timing.frame_at_ms(timing.time_of_frame_ms(index)) - f64::from(index)).abs() < 1e-9);
            }
        }
    }
}
