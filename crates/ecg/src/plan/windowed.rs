//! The window scheme of the reference system, without its faults.
//!
//! The reference takes windows of 16 frames, moved on by 2, inside a beat, and of each window every third frame. It
//! loses beats of up to 16 frames and, by one, the last window of every longer one; here the last window is kept and a
//! short beat gives one clip of all its frames, stretched or thinned to the clip length.

use super::clip::{PlannedFrame, spread};
use crate::phase::fraction_of;
use crate::{Beat, FrameClock, FramePhase};
use domain::{Finding, FindingCode};

const WINDOW_FRAMES: u32 = 16;
const SLIDE_FRAMES: usize = 2;
const STEP_FRAMES: usize = 3;

/// Frames of a clip: offsets 0, 3, 6, 9, 12 and 15.
pub(super) const FRAMES_PER_CLIP: usize = (WINDOW_FRAMES as usize).div_ceil(STEP_FRAMES);

/// Returns all windows of one beat, at least one.
pub(super) fn windows(
    beat: &Beat,
    clock: &FrameClock,
    number: usize,
    findings: &mut Vec<Finding>,
) -> Vec<Vec<PlannedFrame>> {
    let frames = beat.frames(clock.frame_count());
    let planned = |index: u32| PlannedFrame {
        index,
        phase: Some(FramePhase::Fraction(fraction_of(f64::from(index), beat, clock))),
    };
    if frames.len() < WINDOW_FRAMES as usize {
        findings.push(Finding::new(
            FindingCode::PlanShortBeatStretched,
            format!("beat {number} has {} frames, a window {WINDOW_FRAMES}: all were used", frames.len()),
        ));
        let stretched = spread(&frames, FRAMES_PER_CLIP);
        return vec![stretched.into_iter().map(planned).collect()];
    }
    (frames.start..=frames.end - WINDOW_FRAMES)
        .step_by(SLIDE_FRAMES)
        .map(|start| (start..start + WINDOW_FRAMES).step_by(STEP_FRAMES).map(planned).collect())
        .collect()
}
