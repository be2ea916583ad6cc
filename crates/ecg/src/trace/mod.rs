//! Reads an ECG trace that is drawn into the pixels of a loop.
//!
//! [`read_trace`] decodes a few frames only: the trace is found by its color and its shape, the way in which it is
//! drawn by its changes between frames, and the moving end of the trace (or the cursor) ties image columns to frames.

mod band;
mod candidates;
mod color;
mod cursor;
mod curve;
mod flanks;
mod head;
mod image;
mod motion;
mod r_columns;
mod reading;
mod report;
mod scroll;
mod signal;
mod strokes;
mod style;

pub use reading::{FrameSource, HeadMotion, TraceFinding, TraceHints, TraceReading, TraceStyle};

use band::{Band, rows_around};
use candidates::{Candidate, MIN_ALONE, Places, find_candidates};
use image::{Area, Frames, Picture};

/// Finds the burned-in ECG trace of a loop and the frames at which it shows an R peak.
///
/// `None` means that no trace was found. A trace without beats (a flat one) or without a visible head gives a reading
/// with empty `r_peaks`. Frames that cannot be decoded are passed over.
pub fn read_trace(frames: &mut dyn FrameSource, hints: &TraceHints) -> Option<TraceReading> {
    let mut frames = Frames::new(frames);
    let last = frames.count().checked_sub(1)?;
    // A pair close together distinguishes fast motion from slow; the others are spread over the loop, unevenly, so that nothing
    // that comes round again looks as if it stood still, nor the other way round.
    let part = |percent: u64| (u64::from(last) * percent / 100) as u32;
    for index in [last, 0, part(52), part(23), part(79), 2.min(last)] {
        frames.load(index);
    }
    let (candidates, size) = candidates_of(&frames, hints)?;
    let (from, to) =
        candidates.iter().map(|c| rows_around(c.area, size.1)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    frames.keep_only(Area { x0: 0, y0: from, x1: size.0, y1: to });
    let mut best: Option<(f32, TraceReading)> = None;
    for candidate in &candidates {
        // The likeliest candidate with beats that are tied to frames ends the search, unless a better one may follow.
        if best.as_ref().is_some_and(|(score, _)| *score >= candidate.worth) {
            continue;
        }
        let Some(reading) = read_candidate(&mut frames, candidate, from, size, hints) else {
            continue;
        };
        let score = candidate.worth * trust(&reading);
        if best.as_ref().is_none_or(|(top, _)| score > *top) {
            best = Some((score, reading));
        }
    }
    best.map(|(_, reading)| finish(reading, &frames))
}

/// Returns the trust in a reading as a trace: beats and a moving head speak for one.
fn trust(reading: &TraceReading) -> f32 {
    let beats = !reading.r_peak_columns.is_empty() || !reading.r_peaks.is_empty();
    match (reading.head.is_some(), beats) {
        (true, true) => 1.0,
        (true, false) => 0.6,
        (false, true) => 0.3,
        (false, false) => 0.05,
    }
}

fn finish(mut reading: TraceReading, frames: &Frames<'_>) -> TraceReading {
    reading.frames_decoded = frames.asked();
    if frames.failed() > 0 {
        reading.findings.push(TraceFinding::FramesNotDecoded { count: frames.failed() });
    }
    reading
}

/// Returns candidates of the last frame that decodes (it shows most of any trace), else of an earlier one; with the
/// image size.
fn candidates_of(frames: &Frames<'_>, hints: &TraceHints) -> Option<(Vec<Candidate>, (usize, usize))> {
    let late: Vec<&Picture> = frames.loaded().rev().map(|(_, p)| p).take(3).collect();
    let newest = *late.first()?;
    let size = (newest.width, newest.height);
    let places = Places { ecg: hints.ecg_region.and_then(|region| Area::from_rect(region, size.0, size.1)) };
    let darkest = if late.len() > 1 { Picture::darkest(&late) } else { None };
    let found = find_candidates(newest, darkest.as_ref().unwrap_or(newest), places);
    if !found.is_empty() {
        return Some((found, size));
    }
    frames.loaded().rev().skip(1).find_map(|(_, picture)| {
        let found = find_candidates(picture, picture, places);
        (!found.is_empty()).then_some((found, size))
    })
}

fn read_candidate(
    frames: &mut Frames<'_>,
    candidate: &Candidate,
    top: usize,
    size: (usize, usize),
    hints: &TraceHints,
) -> Option<TraceReading> {
    let mut band = Band::new(frames, candidate, top, size);
    let drawing = style::tell_drawing(&mut band)?;
    if let Some(motion) = drawing.motion {
        report::cover_loop(&mut band, &motion);
    }
    let mut reading = report::report(&band, &drawing, candidate, top, hints)?;
    // A trace without a beat stays flat: what stands on it is a mark or a letter.
    if !reading.r_peak_columns.is_empty() || !reading.r_peaks.is_empty() {
        band.climb();
        reading = report::report(&band, &drawing, candidate, top, hints)?;
    }
    let passes = match reading.style {
        TraceStyle::Still => passes_as_still(&reading, candidate),
        // A head that jumps back can be read into bright tissue that comes and goes.
        _ if reading.head.is_some_and(|head| head.pass.is_some()) => {
            !candidate.color.is_gray() || candidate.alone >= MIN_ALONE / 2.0
        }
        _ => true,
    };
    passes.then_some(reading)
}

/// Columns from its ends at which a gray line may turn up or down without a beat.
const END_COLUMNS: f64 = 4.0;

/// Returns whether something that does not move is a trace: only its beats tell it from a line, a box or a text.
fn passes_as_still(reading: &TraceReading, candidate: &Candidate) -> bool {
    if !candidate.color.is_gray() {
        return !reading.r_peak_columns.is_empty();
    }
    let (first, last) = (candidate.area.x0 as f64 + END_COLUMNS, candidate.area.x1 as f64 - END_COLUMNS);
    let has_beat = reading.r_peak_columns.iter().any(|column| *column > first && *column < last);
    // It must lie on black: much else on a screen is gray and thin.
    has_beat && candidate.alone >= MIN_ALONE
}
