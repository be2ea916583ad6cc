//! Frames where no beat is known.

use super::clip::{Clip, PlannedFrame};
use crate::FrameClock;
use domain::{EcgSource, SamplingStrategy};

/// The length of a beat where nothing says it, in milliseconds: 60 beats per minute.
const ASSUMED_BEAT_MS: f64 = 1000.0;

/// Returns clips of one beat's length (by the heart rate, else one second), end to end over the loop, each of `count`
/// frames in equal steps of time.
///
/// A clip so spans about as much of the heart's movement as one that an ECG chose. What is left at the end and is at
/// least half a beat becomes a clip that ends with the loop and overlaps the one before. A loop shorter than a beat,
/// and a still, give one clip of all they have.
pub(super) fn clips(heart_rate_bpm: Option<f64>, clock: &FrameClock, count: usize) -> Vec<Clip> {
    let beat_ms = heart_rate_bpm.map_or(ASSUMED_BEAT_MS, |bpm| 60_000.0 / bpm);
    let loop_ms = clock.duration_ms();
    // A clock with absurd times must not make more clips than there are frames.
    let whole = (loop_ms / beat_ms).floor().min(f64::from(clock.frame_count()));
    let mut starts_ms: Vec<f64> = (0..whole as u32).map(|k| f64::from(k) * beat_ms).collect();
    if starts_ms.is_empty() {
        starts_ms.push(0.0);
    } else if (0.5..1.0).contains(&(loop_ms / beat_ms - whole)) {
        starts_ms.push(loop_ms - beat_ms);
    }
    let span_ms = beat_ms.min(loop_ms);
    starts_ms
        .into_iter()
        .map(|start_ms| Clip {
            beat: None,
            frames: frames_of_span(start_ms, span_ms, clock, count),
            source: EcgSource::None,
            strategy: SamplingStrategy::Uniform,
        })
        .collect()
}

/// Returns the frames that are shown at `count` equal steps from `start_ms`.
fn frames_of_span(start_ms: f64, span_ms: f64, clock: &FrameClock, count: usize) -> Vec<PlannedFrame> {
    let last = clock.frame_count() - 1;
    (0..count)
        .map(|step| {
            let time_ms = start_ms + span_ms * step as f64 / count as f64;
            let frame = clock.frame_at_ms(time_ms).floor().max(0.0) as u32;
            PlannedFrame { index: frame.min(last), phase: None }
        })
        .collect()
}
