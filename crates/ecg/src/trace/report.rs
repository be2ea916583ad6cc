//! From a trace whose way of drawing is known to the beats it shows.

use std::collections::BTreeMap;

use super::band::Band;
use super::candidates::Candidate;
use super::motion::{Drawing, Motion};
use super::r_columns::{RPeak, find_r_peaks};
use super::signal::{Signal, compose};
use super::{TraceFinding, TraceHints, TraceReading};
use domain::PixelRect;

/// Columns of the signal in a row that may stay unknown.
const LONGEST_HOLE: usize = 4;
/// Columns that the end of a line may reach beyond the head.
const LINE_END_COLUMNS: f64 = 2.5;
/// The header's frame time is doubted from this ratio on: against a time scale, and against a heart rate.
const DOUBT_BY_TIME_SCALE: f64 = 1.15;
const DOUBT_BY_HEART_RATE: f64 = 1.3;

/// Decodes more frames until the signal is known from frame 0 to the last, as far as the loop shows it.
pub(super) fn cover_loop(band: &mut Band<'_, '_>, motion: &Motion) {
    let last = band.frame_count().saturating_sub(1);
    let speed = motion.columns_per_frame();
    let end = (speed * f64::from(last)) as i64;
    let width = (band.columns.1 + 1 - band.columns.0) as f64;
    let mut known_to = 0i64;
    while band.may_ask() {
        let Some(signal) = compose(&band.curves, motion) else {
            return;
        };
        let Some(hole) = first_hole(&signal, known_to, end) else {
            return;
        };
        // The frame in which what is missing stands well inside the trace.
        let frame = motion.frame_at(hole as f64 + 0.8 * width).ceil();
        let frame = (frame.max(0.0) as u32).min(last);
        let is_new = !band.curves.contains_key(&frame);
        if !is_new || band.curve(frame).is_none() {
            known_to = hole + (0.2 * width) as i64 + 1;
        }
    }
}

fn first_hole(signal: &Signal, from: i64, to: i64) -> Option<i64> {
    let value = |position: i64| {
        let index = usize::try_from(position - signal.first).ok()?;
        signal.values.get(index).copied().filter(|v| v.is_finite())
    };
    let mut missing = 0;
    for position in from..=to {
        missing = if value(position).is_some() { 0 } else { missing + 1 };
        if missing > LONGEST_HOLE {
            return Some(position + 1 - missing as i64);
        }
    }
    None
}

/// Finds the beats of a trace and reports them; `top` is the image row of the first row the band's frames keep.
pub(super) fn report(
    band: &Band<'_, '_>,
    drawing: &Drawing,
    candidate: &Candidate,
    top: usize,
    hints: &TraceHints,
) -> Option<TraceReading> {
    let curve = match drawing.motion {
        Some(Motion::Head(_) | Motion::Scroll { .. }) => band.curves.last_key_value()?.1,
        Some(Motion::Cursor(_)) | None => band.whole_curve()?,
    };
    let first_row = band.first_row(top);
    let heights = curve.heights();
    let points: Vec<(u32, f32)> = heights
        .iter()
        .enumerate()
        .filter(|(_, height)| height.is_finite())
        .map(|(column, height)| (column as u32, first_row as f32 - height))
        .collect();
    let mut reading = TraceReading {
        style: drawing.style,
        color: candidate.color.rgb.map(|v| v.round() as u8),
        bounding_box: bounding_box(band, first_row),
        points,
        r_peak_columns: Vec::new(),
        r_peaks: Vec::new(),
        r_peaks_outside: Vec::new(),
        head: None,
        heart_rate_bpm: None,
        frames_decoded: 0,
        findings: Vec::new(),
    };
    match &drawing.motion {
        Some(motion) => place_beats(&mut reading, band, motion, hints),
        None => {
            let rate = hints.seconds_per_pixel.map(|s| 1.0 / s);
            let peaks = find_r_peaks(&heights, rate);
            reading.r_peak_columns = peaks.iter().map(|p| p.position).collect();
            reading.heart_rate_bpm = heart_rate(&reading.r_peak_columns, hints.seconds_per_pixel);
            reading.findings.push(TraceFinding::NoHeadOnTrace);
        }
    }
    if reading.r_peak_columns.is_empty() && reading.r_peaks.is_empty() {
        reading.findings.push(TraceFinding::NoBeatOnTrace);
    }
    Some(reading)
}

fn bounding_box(band: &Band<'_, '_>, first_row: usize) -> PixelRect {
    let runs = || band.curves.values().flat_map(|c| c.runs.iter().flatten());
    PixelRect {
        x0: runs().map(|r| r.column).min().unwrap_or(0) as u32,
        y0: (first_row + runs().map(|r| r.top).min().unwrap_or(0)) as u32,
        x1: runs().map(|r| r.column).max().unwrap_or(0) as u32,
        y1: (first_row + runs().map(|r| r.bottom).max().unwrap_or(0)) as u32,
    }
}

fn place_beats(reading: &mut TraceReading, band: &Band<'_, '_>, motion: &Motion, hints: &TraceHints) {
    reading.head = Some(motion.head_motion(0.0));
    let still = match (motion, &band.still_curve) {
        (Motion::Cursor(_), Some(curve)) if band.stands_still() => {
            // One curve that no cursor hides; the frame it is filed under does not matter.
            Some(BTreeMap::from([(u32::MAX, curve.clone())]))
        }
        _ => None,
    };
    let Some(signal) = compose(still.as_ref().unwrap_or(&band.curves), motion) else {
        return;
    };
    let speed = motion.columns_per_frame();
    let by_scale = hints.seconds_per_pixel.map(|s| 1.0 / s);
    let by_frames = hints.frame_time_ms.map(|ms| 1000.0 * speed / ms);
    let peaks = find_r_peaks(&signal.values, by_scale.or(by_frames));
    let positions: Vec<f64> = peaks.iter().map(|p: &RPeak| p.position + signal.first as f64).collect();
    let last_index = band.curves.last_key_value().map_or(0, |(frame, _)| *frame);
    let (first, last) = band.columns;
    reading.r_peak_columns = positions
        .iter()
        .filter_map(|position| motion.column_of(*position, last_index))
        .filter(|column| *column >= first as f64 && *column <= last as f64)
        .collect();
    reading.r_peak_columns.sort_by(f64::total_cmp);
    let last_frame = f64::from(band.frame_count().saturating_sub(1));
    let mut frames: Vec<f64> = Vec::new();
    for position in &positions {
        frames.extend(motion.frames_at(*position, last_frame));
    }
    // What is drawn is not after the last frame, though the line reaches half of its thickness beyond its head.
    if !matches!(motion, Motion::Cursor(_)) {
        let reach = last_frame + LINE_END_COLUMNS / speed;
        frames.iter_mut().filter(|f| **f > last_frame && **f <= reach).for_each(|f| *f = last_frame);
    }
    frames.sort_by(f64::total_cmp);
    let inside = |frame: &f64| (0.0..=last_frame).contains(frame);
    (reading.r_peaks, reading.r_peaks_outside) = frames.into_iter().partition(inside);
    compare_with_header(reading, &positions, speed, hints);
}

/// Checks the header's frame time against the trace and gives the heart rate where the two agree.
fn compare_with_header(reading: &mut TraceReading, positions: &[f64], speed: f64, hints: &TraceHints) {
    let usable = |v: &f64| v.is_finite() && *v > 0.0;
    let header_ms = hints.frame_time_ms.filter(usable);
    let seconds_per_pixel = hints.seconds_per_pixel.filter(usable);
    let beat_columns = usual_distance(positions);
    let by_scale = seconds_per_pixel.map(|s| (1000.0 * s * speed, DOUBT_BY_TIME_SCALE));
    let by_rate = || {
        let rate = hints.heart_rate_bpm.filter(|r| (20.0..=250.0).contains(r))?;
        Some((60_000.0 / rate / (beat_columns? / speed), DOUBT_BY_HEART_RATE))
    };
    let mut doubted = false;
    if let (Some(header_ms), Some((trace_ms, doubt))) = (header_ms, by_scale.or_else(by_rate)) {
        let ratio = (header_ms / trace_ms).max(trace_ms / header_ms);
        if ratio > doubt {
            doubted = true;
            reading.findings.push(TraceFinding::FrameTimeDisagreesWithTrace { header_ms, trace_ms });
        }
    }
    let by_frames = header_ms.filter(|_| !doubted).map(|ms| ms / 1000.0 / speed);
    reading.heart_rate_bpm = heart_rate(positions, seconds_per_pixel.or(by_frames));
}

fn heart_rate(columns: &[f64], seconds_per_column: Option<f64>) -> Option<f64> {
    let rate = 60.0 / (usual_distance(columns)? * seconds_per_column?);
    (10.0..=400.0).contains(&rate).then_some(rate)
}

/// Returns the median distance of neighbors.
fn usual_distance(positions: &[f64]) -> Option<f64> {
    let mut distances: Vec<f64> = positions.windows(2).map(|w| w[1] - w[0]).collect();
    distances.sort_by(f64::total_cmp);
    distances.get(distances.len() / 2).copied()
}
