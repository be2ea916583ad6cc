//! Strategies for choosing the frames of a loop.

use serde::{Deserialize, Serialize};

/// Strategy for choosing the frames of a clip; serializes as snake_case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SamplingStrategy {
    /// The landmarks of each beat first, then evenly between them.
    #[default]
    Landmarks,
    /// `frames_per_clip` equal steps of time from R up to, and without, the next R.
    EvenlySpaced,
    /// Windows inside each beat: 16 frames, moved on by 2, every third frame taken (6 frames a clip).
    Windowed,
    /// Equal steps of time without regard to any ECG; also the fallback of the others.
    Uniform,
}
