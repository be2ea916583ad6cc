//! Frames at the phases of one beat.

use super::clip::PlannedFrame;
use crate::phase::{fraction_of, landmark_times_ms};
use crate::{Beat, FrameClock, FramePhase, Phase};

/// The landmarks that are wanted most where a clip is too short for all.
const BY_IMPORTANCE: [Phase; 6] = [
    Phase::EndDiastole,
    Phase::EndSystole,
    Phase::EarlyDiastole,
    Phase::MidSystole,
    Phase::AtrialKick,
    Phase::Diastasis,
];

/// Returns `count` frames of a beat: its landmarks, the most important first where they are more than `count`; what is
/// left over stands evenly between them, each further frame going to the gap that is widest at the time.
///
/// A landmark outside the loop (of a beat the loop cuts) is left out. The next R is never among the frames.
pub(super) fn at_landmarks(beat: &Beat, clock: &FrameClock, count: usize) -> Vec<PlannedFrame> {
    let (first_ms, end_ms) = shown_ms(beat, clock);
    let mut marks: Vec<(Phase, f64)> =
        landmark_times_ms(beat).into_iter().filter(|(_, time_ms)| (first_ms..end_ms).contains(time_ms)).collect();
    marks.sort_by_key(|(phase, _)| BY_IMPORTANCE.iter().position(|wanted| wanted == phase));
    marks.truncate(count);
    marks.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut instants: Vec<(f64, Option<Phase>)> =
        marks.iter().map(|(phase, time_ms)| (*time_ms, Some(*phase))).collect();
    instants.extend(fill_times_ms(&marks, first_ms, end_ms, count).into_iter().map(|time_ms| (time_ms, None)));
    instants.sort_by(|a, b| a.0.total_cmp(&b.0));
    instants.into_iter().map(|(time_ms, phase)| planned(time_ms, phase, beat, clock)).collect()
}

/// `count` frames in equal steps of time from R up to, and without, the next R; of a cut beat, its part in the loop.
pub(super) fn evenly_spaced(beat: &Beat, clock: &FrameClock, count: usize) -> Vec<PlannedFrame> {
    let (first_ms, end_ms) = shown_ms(beat, clock);
    let step_ms = (end_ms - first_ms) / count as f64;
    (0..count).map(|step| planned(first_ms + step as f64 * step_ms, None, beat, clock)).collect()
}

/// From when until (without) when the loop shows the beat, in milliseconds after frame 0.
fn shown_ms(beat: &Beat, clock: &FrameClock) -> (f64, f64) {
    let frames = beat.frames(clock.frame_count());
    let half_frame_before_ms = clock.time_of_frame_ms(f64::from(frames.start) - 0.5);
    let half_frame_after_ms = clock.time_of_frame_ms(f64::from(frames.end) - 0.5);
    let first_ms = beat.start_ms.max(half_frame_before_ms);
    let end_ms = match f64::from(frames.end) < beat.end_frame.round() {
        true => half_frame_after_ms,
        false => beat.end_ms,
    };
    (first_ms, end_ms)
}

/// Returns the times of the frames that stand between the landmarks.
fn fill_times_ms(marks: &[(Phase, f64)], first_ms: f64, end_ms: f64, count: usize) -> Vec<f64> {
    let mut edges_ms: Vec<f64> = marks.iter().map(|(_, time_ms)| *time_ms).collect();
    if edges_ms.first().is_none_or(|&edge_ms| edge_ms > first_ms) {
        edges_ms.insert(0, first_ms);
    }
    edges_ms.push(end_ms);
    let mut parts = vec![1_usize; edges_ms.len() - 1];
    let width = |gap: usize, parts: &[usize]| (edges_ms[gap + 1] - edges_ms[gap]) / parts[gap] as f64;
    for _ in marks.len()..count {
        let widest = (0..parts.len()).max_by(|&a, &b| {
            // On a tie the earlier gap is taken, so that the plan does not depend on rounding.
            width(a, &parts).total_cmp(&width(b, &parts)).then(b.cmp(&a))
        });
        if let Some(gap) = widest {
            parts[gap] += 1;
        }
    }
    parts
        .iter()
        .enumerate()
        .flat_map(|(gap, &count_in_gap)| {
            let (from_ms, to_ms) = (edges_ms[gap], edges_ms[gap + 1]);
            (1..count_in_gap).map(move |part| from_ms + (to_ms - from_ms) * part as f64 / count_in_gap as f64)
        })
        .collect()
}

/// Returns the frame nearest to a time, kept inside the beat and the loop.
fn planned(time_ms: f64, phase: Option<Phase>, beat: &Beat, clock: &FrameClock) -> PlannedFrame {
    let frames = beat.frames(clock.frame_count());
    let nearest = clock.frame_at_ms(time_ms).round().max(0.0) as u32;
    let index = nearest.clamp(frames.start, frames.end.saturating_sub(1).max(frames.start));
    let phase = match phase {
        Some(landmark) => FramePhase::Landmark(landmark),
        None => FramePhase::Fraction(fraction_of(f64::from(index), beat, clock)),
    };
    PlannedFrame { index, phase: Some(phase) }
}
