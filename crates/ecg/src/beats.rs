//! From R times to beats in frames, with everything odd about them kept as findings.

use serde::{Deserialize, Serialize};

use crate::{FrameClock, detect_r_peaks};
use domain::{EcgSamples, EcgSource, Finding, FindingCode};

/// The shortest and longest R-R interval that counts as a beat, in milliseconds (240 and 24 beats per minute).
pub const PLAUSIBLE_RR_MS: std::ops::RangeInclusive<f64> = 250.0..=2500.0;

/// R times closer than this are one R wave that was listed twice, in milliseconds.
const SAME_R_WAVE_MS: f64 = 20.0;

/// Part of a beat that the loop shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeatKind {
    /// Both R waves are known and every frame between them is in the loop.
    Whole,
    /// Both R waves are known, and the loop starts or ends inside the beat.
    Cut,
    /// One R wave is known; the other was placed by the heart rate. The loop may start or end inside the beat.
    Extrapolated,
}

/// One beat, from its R wave to the next R wave, which already belongs to the next beat.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// The R wave as a fractional frame index; negative where the beat starts before the loop.
    pub start_frame: f64,
    /// The next R wave as a fractional frame index, at or past the last frame where the loop ends first.
    pub end_frame: f64,
    /// The R wave in milliseconds after frame 0.
    pub start_ms: f64,
    /// The next R wave in milliseconds after frame 0.
    pub end_ms: f64,
    /// Part of the beat that the loop shows.
    pub kind: BeatKind,
}

impl Beat {
    /// Returns the R-R interval in milliseconds.
    #[must_use]
    pub fn rr_ms(&self) -> f64 {
        self.end_ms - self.start_ms
    }

    /// Returns the frames of this beat that the loop has: from the frame nearest to R up to, and without, the one
    /// nearest to the next R. Empty where the loop shows nothing of the beat.
    #[must_use]
    pub fn frames(&self, frame_count: u32) -> std::ops::Range<u32> {
        let inside = |frame: f64| frame.round().clamp(0.0, f64::from(frame_count)) as u32;
        inside(self.start_frame)..inside(self.end_frame)
    }
}

/// The beats of one loop.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Beats {
    /// Source of the R waves; `None` where there are none.
    pub source: EcgSource,
    /// R peaks inside the loop as fractional frame indexes from 0, rising.
    pub r_peaks: Vec<f64>,
    /// The plausible beats that the loop shows at least one frame of, in time order.
    pub beats: Vec<Beat>,
    /// From the median plausible R-R interval, else from the header; beats per minute.
    pub heart_rate_bpm: Option<f64>,
    /// Findings.
    pub findings: Vec<Finding>,
}

/// Returns beats from a sampled ECG: R peaks are detected and put on the frames.
///
/// `header_heart_rate_bpm` is the loop's Heart Rate (0018,1088), used only where the curve shows no R-R interval.
/// A curve without beats gives source `None` and a finding, so that the caller can try its next source.
#[must_use]
pub fn beats_from_samples(
    samples: &EcgSamples,
    source: EcgSource,
    clock: &FrameClock,
    header_heart_rate_bpm: Option<f64>,
) -> Beats {
    let r_times_ms = detect_r_peaks(samples);
    beats_from_times(r_times_ms, source, clock, header_heart_rate_bpm, Vec::new())
}

/// Returns beats from the R Wave Time Vector (0018,6060): milliseconds from the start of acquisition of the first
/// frame.
///
/// As [`beats_from_r_times`], with that source.
#[must_use]
pub fn beats_from_r_wave_times(times_ms: &[f64], clock: &FrameClock, header_heart_rate_bpm: Option<f64>) -> Beats {
    beats_from_r_times(times_ms, EcgSource::RWaveTimeVector, clock, header_heart_rate_bpm)
}

/// Returns beats from R times of any source, in milliseconds after frame 0.
///
/// Values that are no number are left out, unsorted ones are sorted, doubles merged, each with a finding. Times
/// outside the loop are not listed as R peaks, but a beat that reaches into the loop from there counts as cut.
#[must_use]
pub fn beats_from_r_times(
    times_ms: &[f64],
    source: EcgSource,
    clock: &FrameClock,
    header_heart_rate_bpm: Option<f64>,
) -> Beats {
    let mut findings = Vec::new();
    let mut r_times_ms: Vec<f64> = times_ms.iter().copied().filter(|t| t.is_finite()).collect();
    let left_out = times_ms.len() - r_times_ms.len();
    if left_out > 0 {
        findings.push(Finding::new(
            FindingCode::EcgRTimesNotNumbers,
            format!("{left_out} of {} R times are no numbers", times_ms.len()),
        ));
    }
    if !r_times_ms.is_sorted() {
        r_times_ms.sort_by(f64::total_cmp);
        findings.push(Finding::new(FindingCode::EcgRTimesUnsorted, "the R times were not in rising order"));
    }
    let listed = r_times_ms.len();
    r_times_ms.dedup_by(|later, kept| *later - *kept < SAME_R_WAVE_MS);
    let doubles = listed - r_times_ms.len();
    if doubles > 0 {
        findings.push(Finding::new(
            FindingCode::EcgRTimesDuplicate,
            format!("{doubles} R times stand within {SAME_R_WAVE_MS} ms of the one before"),
        ));
    }
    beats_from_times(r_times_ms, source, clock, header_heart_rate_bpm, findings)
}

/// Returns no beats, for a loop without any ECG; the header's heart rate still says how long a beat is.
#[must_use]
pub fn no_beats(header_heart_rate_bpm: Option<f64>) -> Beats {
    let mut findings = Vec::new();
    let heart_rate_bpm = plausible_heart_rate(header_heart_rate_bpm, &mut findings);
    Beats { heart_rate_bpm, findings, ..Beats::default() }
}

/// Makes beats of R times of any source, which are finite and rising.
fn beats_from_times(
    r_times_ms: Vec<f64>,
    source: EcgSource,
    clock: &FrameClock,
    header_heart_rate_bpm: Option<f64>,
    mut findings: Vec<Finding>,
) -> Beats {
    let r_peaks = r_peaks_in_loop(&r_times_ms, clock, &mut findings);
    let mut rr_ms = Vec::new();
    let mut beats = Vec::new();
    let mut implausible = 0;
    for pair in r_times_ms.windows(2) {
        let (start_ms, end_ms) = (pair[0], pair[1]);
        if PLAUSIBLE_RR_MS.contains(&(end_ms - start_ms)) {
            rr_ms.push(end_ms - start_ms);
            beats.extend(beat_between(start_ms, end_ms, false, clock));
        } else {
            implausible += 1;
        }
    }
    if implausible > 0 {
        findings.push(Finding::new(
            FindingCode::EcgImplausibleRrInterval,
            format!("{implausible} R-R intervals outside 0.25 to 2.5 s were dropped"),
        ));
    }
    let heart_rate_bpm = match median(&mut rr_ms) {
        Some(median_rr_ms) => Some(60_000.0 / median_rr_ms),
        None => plausible_heart_rate(header_heart_rate_bpm, &mut findings),
    };
    let any_whole = beats.iter().any(|beat| beat.kind == BeatKind::Whole);
    if !any_whole && let Some(bpm) = heart_rate_bpm {
        add_extrapolated(&mut beats, &r_times_ms, 60_000.0 / bpm, clock);
    }
    let found = !r_peaks.is_empty() || !beats.is_empty();
    if !found {
        findings
            .push(Finding::new(FindingCode::EcgNoBeatFound, format!("the {source} ECG shows no beat inside the loop")));
    }
    Beats { source: if found { source } else { EcgSource::None }, r_peaks, beats, heart_rate_bpm, findings }
}

/// Places the missing R wave before the first and after the last known one, where no whole beat is known.
fn add_extrapolated(beats: &mut Vec<Beat>, r_times_ms: &[f64], rr_ms: f64, clock: &FrameClock) {
    let (Some(&first_ms), Some(&last_ms)) = (r_times_ms.first(), r_times_ms.last()) else {
        return;
    };
    beats.extend(beat_between(first_ms - rr_ms, first_ms, true, clock));
    beats.extend(beat_between(last_ms, last_ms + rr_ms, true, clock));
    beats.sort_by(|a, b| a.start_ms.total_cmp(&b.start_ms));
}

/// Returns the beat between two R times, or nothing where the loop shows no frame of it.
fn beat_between(start_ms: f64, end_ms: f64, extrapolated: bool, clock: &FrameClock) -> Option<Beat> {
    let (start_frame, end_frame) = (clock.frame_at_ms(start_ms), clock.frame_at_ms(end_ms));
    let frame_count = f64::from(clock.frame_count());
    // A loop stored from R to R ends with the frame before the next R: all its frames are there.
    let inside = start_frame.round() >= 0.0 && end_frame.round() <= frame_count;
    let kind = match (extrapolated, inside) {
        (true, _) => BeatKind::Extrapolated,
        (false, true) => BeatKind::Whole,
        (false, false) => BeatKind::Cut,
    };
    let beat = Beat { start_frame, end_frame, start_ms, end_ms, kind };
    (!beat.frames(clock.frame_count()).is_empty()).then_some(beat)
}

/// An R wave this close outside the loop, in frames, still counts as on its first or last frame: times are rounded.
const EDGE_FRAMES: f64 = 0.1;

/// Returns R times as frames, without those outside the loop.
fn r_peaks_in_loop(r_times_ms: &[f64], clock: &FrameClock, findings: &mut Vec<Finding>) -> Vec<f64> {
    let last_frame = f64::from(clock.frame_count() - 1);
    let inside: Vec<f64> = r_times_ms
        .iter()
        .map(|&time_ms| clock.frame_at_ms(time_ms))
        .filter(|frame| (-EDGE_FRAMES..=last_frame + EDGE_FRAMES).contains(frame))
        .map(|frame| frame.clamp(0.0, last_frame))
        .collect();
    let outside = r_times_ms.len() - inside.len();
    if outside > 0 {
        findings.push(Finding::new(
            FindingCode::EcgRTimesOutsideLoop,
            format!("{outside} of {} R waves lie outside the loop", r_times_ms.len()),
        ));
    }
    inside
}

fn plausible_heart_rate(bpm: Option<f64>, findings: &mut Vec<Finding>) -> Option<f64> {
    let bpm = bpm?;
    if bpm > 0.0 && PLAUSIBLE_RR_MS.contains(&(60_000.0 / bpm)) {
        return Some(bpm);
    }
    findings.push(Finding::new(
        FindingCode::EcgImplausibleHeartRate,
        format!("a heart rate of {bpm} per minute in the header was not used"),
    ));
    None
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some((lower + upper) / 2.0)
}
