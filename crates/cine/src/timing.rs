//! When each frame was acquired, in milliseconds from the first frame.

use serde::Serialize;

use crate::finding::Finding;
use crate::scan::DataSet;

/// Which attribute the frame times come from.
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
    /// Where the times come from.
    pub source: TimingSource,
    /// Whether the times are a guess (no attribute tells them).
    pub guessed: bool,
    frame_time_ms: f64,
    frames: u32,
    /// Times of all frames where they are not evenly spaced; strictly ascending, first 0.
    #[serde(skip)]
    times_ms: Option<Vec<f64>>,
}

/// Assumed where the header tells nothing: 30 frames a second.
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

    /// Frames at the given times in ms, which ascend strictly from 0.
    pub(crate) fn at_times(source: TimingSource, times_ms: Vec<f64>) -> Self {
        let frames = u32::try_from(times_ms.len()).unwrap_or(u32::MAX);
        let last_ms = times_ms.last().copied().unwrap_or(0.0);
        let intervals = f64::from(frames.saturating_sub(1).max(1));
        Self { source, guessed: false, frame_time_ms: last_ms / intervals, frames, times_ms: Some(times_ms) }
    }

    /// The mean interval between frames in ms.
    pub fn frame_time_ms(&self) -> f64 {
        self.frame_time_ms
    }

    /// The time of frame `index` in ms from frame 0; beyond the last frame the mean interval goes on.
    pub fn time_of_frame_ms(&self, index: u32) -> f64 {
        let evenly_ms = f64::from(index) * self.frame_time_ms;
        match &self.times_ms {
            Some(times_ms) => times_ms.get(index as usize).copied().unwrap_or(evenly_ms),
            None => evenly_ms,
        }
    }

    /// The fractional frame index at `time_ms`; outside the loop the mean interval goes on, so it may be negative.
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

    /// The time from the first to the last frame in ms.
    pub fn duration_ms(&self) -> f64 {
        self.time_of_frame_ms(self.frames.saturating_sub(1))
    }
}

pub(crate) fn read_timing(data_set: &DataSet, frames: u32, findings: &mut Vec<Finding>) -> FrameTiming {
    let _ = (data_set, findings);
    FrameTiming::assumed(frames)
}
