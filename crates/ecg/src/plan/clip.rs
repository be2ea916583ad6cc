//! Clips of a plan and the even choice of their frames.

use serde::{Deserialize, Serialize};

use crate::FramePhase;
use domain::{EcgSource, SamplingStrategy};

/// One frame of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlannedFrame {
    /// Frame index from 0.
    pub index: u32,
    /// Place of the frame in the beat; `None` where no beat is known.
    pub phase: Option<FramePhase>,
}

/// The frames that a model sees at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// Position in [`crate::Beats::beats`] of the beat that this clip shows; `None` where no beat is known.
    pub beat: Option<usize>,
    /// Exactly `frames_per_clip` entries, indexes never falling.
    pub frames: Vec<PlannedFrame>,
    /// Source of the beat; `None` where the clip was chosen without an ECG.
    pub source: EcgSource,
    /// The strategy that chose these frames, which may be the fall-back.
    pub strategy: SamplingStrategy,
}

/// Returns `count` frames of `frames`, spread evenly: the middles of that many equal parts, so a short range repeats.
pub(super) fn spread(frames: &std::ops::Range<u32>, count: usize) -> Vec<u32> {
    let length = frames.len();
    (0..count).map(|part| frames.start + ((2 * part + 1) * length / (2 * count)) as u32).collect()
}
