//! The heart beat of a loop, from the most trustworthy source that shows one.

use cine::{Loop, RegionKind};
use domain::{EcgSource, Finding};
use ecg::trace::{TraceFinding, TraceHints, TraceReading, read_trace};
use ecg::{Beats, EcgError, FrameClock};

use crate::DecodedFrames;

/// The search for a trace passes over every pixel of a dozen frames. Screens of scanners have up to 2560 x 1600 pixels; in
/// larger images it would take longer than a file may.
const MAX_TRACE_PIXELS: u32 = 1 << 22;

/// A loop's beats and the clock that they were put on.
#[derive(Debug, Clone)]
pub struct FoundBeats {
    /// The beats and the source that they come from.
    pub beats: Beats,
    /// The time at which each frame was acquired.
    pub clock: FrameClock,
    /// The trace in the pixels, where it was looked for and found.
    pub trace: Option<TraceReading>,
    /// Oddities that did not stop the search.
    pub findings: Vec<Finding>,
}

/// Finds the beats of a loop: Waveform Sequence, R Wave Time Vector, curve data, burned-in trace, the ECG of another object of
/// the study in the same folder, none, in this order.
///
/// Frames are decoded only when the headers name no beat.
///
/// # Errors
/// The loop has no frames.
pub fn find_beats(frames: &mut DecodedFrames<'_>) -> Result<FoundBeats, EcgError> {
    let header = frames.source().header().clone();
    let clock = clock_of(&header)?;
    let heart_rate_bpm = header.ecg.heart_rate_bpm;
    let mut findings = Vec::new();
    let from_headers = [
        header
            .ecg
            .waveform
            .as_ref()
            .map(|curve| ecg::beats_from_samples(curve, EcgSource::Waveform, &clock, heart_rate_bpm)),
        Some(&header.ecg.r_wave_times_ms)
            .filter(|times_ms| !times_ms.is_empty())
            .map(|times_ms| ecg::beats_from_r_wave_times(times_ms, &clock, heart_rate_bpm)),
        header.ecg.curve.as_ref().map(|curve| ecg::beats_from_samples(curve, EcgSource::Curve, &clock, heart_rate_bpm)),
    ];
    for beats in from_headers.into_iter().flatten() {
        findings.extend(beats.findings.iter().cloned());
        if beats.source != EcgSource::None {
            return Ok(FoundBeats { beats, clock, trace: None, findings });
        }
    }
    let hints = hints(&header);
    let may_have_trace = header.frames > 1 && header.columns * header.rows <= MAX_TRACE_PIXELS;
    let found = match may_have_trace.then(|| read_trace(frames, &hints)).flatten() {
        Some(trace) => {
            let clock = corrected_clock(&trace, &header, clock, &mut findings);
            let beats = from_trace(&trace, &clock, heart_rate_bpm);
            FoundBeats { beats, clock, trace: Some(trace), findings: Vec::new() }
        }
        None => FoundBeats { beats: ecg::no_beats(heart_rate_bpm), clock, trace: None, findings: Vec::new() },
    };
    let found = if found.beats.source == EcgSource::None && header.frames > 1 {
        from_another_object(frames.source(), found, &mut findings)
    } else {
        found
    };
    findings.extend(found.beats.findings.iter().cloned());
    Ok(FoundBeats { findings, ..found })
}

/// Returns the beats of an ECG that lies beside the loop, else what was found before. It is asked last: two objects share a
/// clock at best, and a trace in the picture is at its frame for certain.
fn from_another_object(source: &Loop, found: FoundBeats, findings: &mut Vec<Finding>) -> FoundBeats {
    let Some((samples, finding)) = source.ecg_beside() else { return found };
    let heart_rate_bpm = source.header().ecg.heart_rate_bpm;
    let beats = ecg::beats_from_samples(&samples, EcgSource::Waveform, &found.clock, heart_rate_bpm);
    if beats.source == EcgSource::None {
        return found;
    }
    findings.push(finding);
    FoundBeats { beats, ..found }
}

/// Returns no beats, for a pipeline that ignores the ECG.
pub(crate) fn ignore_beats(frames: &mut DecodedFrames<'_>) -> Result<FoundBeats, EcgError> {
    let clock = clock_of(frames.source().header())?;
    Ok(FoundBeats { beats: ecg::no_beats(None), clock, trace: None, findings: Vec::new() })
}

fn clock_of(header: &cine::Header) -> Result<FrameClock, EcgError> {
    let times_ms = (0..header.frames).map(|frame| header.timing.time_of_frame_ms(frame)).collect();
    FrameClock::new(times_ms).or_else(|_| FrameClock::uniform(header.frames, header.timing.frame_time_ms()))
}

fn from_trace(trace: &TraceReading, clock: &FrameClock, heart_rate_bpm: Option<f64>) -> Beats {
    let mut r_frames: Vec<f64> = trace.r_peaks.iter().chain(&trace.r_peaks_outside).copied().collect();
    r_frames.sort_by(f64::total_cmp);
    let heart_rate_bpm = trace.heart_rate_bpm.or(heart_rate_bpm);
    let times_ms: Vec<f64> = r_frames.iter().map(|&frame| clock.time_of_frame_ms(frame)).collect();
    ecg::beats_from_r_times(&times_ms, EcgSource::BurnedInTrace, clock, heart_rate_bpm)
}

/// The frame time that the trace shows, where the header's contradicts it: headers lie more often than drawn curves.
fn corrected_clock(
    trace: &TraceReading,
    header: &cine::Header,
    clock: FrameClock,
    findings: &mut Vec<Finding>,
) -> FrameClock {
    let mut corrected = None;
    for finding in &trace.findings {
        findings.push(Finding::new(finding.code(), finding.to_string()));
        if let TraceFinding::FrameTimeDisagreesWithTrace { trace_ms, .. } = finding {
            corrected = FrameClock::uniform(header.frames, *trace_ms).ok();
        }
    }
    corrected.unwrap_or(clock)
}

fn hints(header: &cine::Header) -> TraceHints {
    let region = header.regions.iter().find(|region| region.kind == RegionKind::Ecg);
    let inside = region.and_then(|region| region.pixel_rect(header.columns, header.rows));
    // Physical unit 4 is seconds (PS3.3 C.8.5.5.1.15).
    let seconds_per_pixel = region.filter(|region| region.units[0] == 4 && region.delta[0] > 0.0);
    TraceHints {
        ecg_region: inside,
        seconds_per_pixel: seconds_per_pixel.map(|region| region.delta[0]),
        frame_time_ms: (!header.timing.guessed).then(|| header.timing.frame_time_ms()),
        heart_rate_bpm: header.ecg.heart_rate_bpm,
    }
}
