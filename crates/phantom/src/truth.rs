//! Truth about a simulated loop, as it stands in `truth.json`.

use serde::Serialize;

use crate::heart::{BeatPhases, CardiacCycle};
use crate::probe::View;
use crate::rhythm::Rhythm;
use crate::screen::{TraceSpec, Vendor};
use crate::spec::{LoopMode, LoopSpec, PixelEncoding, RegionTable, Subject};
use domain::{EcgSource, PixelRect};

/// Landmarks of the beats as fractional frame indexes; only those within the loop.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct PhaseFrames {
    pub end_diastole: Vec<f64>,
    pub aortic_opening: Vec<f64>,
    pub end_systole: Vec<f64>,
    pub mitral_opening: Vec<f64>,
    pub early_filling: Vec<f64>,
    pub atrial_contraction: Vec<f64>,
}

/// The truth of one loop.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoopTruth {
    /// File name within the study's folder.
    pub file: String,
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// Name in `tte11`; `None` for strips and for what is no heart.
    pub view: Option<View>,
    /// The mode.
    pub mode: LoopMode,
    /// The strongest ECG source.
    pub ecg_source: EcgSource,
    /// R peaks within the loop as fractional frame indexes, from 0; empty for stills and where the file has no ECG.
    pub r_peaks: Vec<f64>,
    /// Time between frames in ms.
    pub frame_time_ms: f64,
    /// Number of frames.
    pub frames: u32,
    /// Landmarks of the beats.
    pub phases: PhaseFrames,
    /// The rhythm.
    pub rhythm: Rhythm,
    /// Mean heart rate.
    pub heart_rate_bpm: f64,
    /// Whose screen.
    pub vendor: Vendor,
    /// Encoding of the pixels.
    pub encoding: PixelEncoding,
    /// The burned-in trace.
    pub trace: Option<TraceSpec>,
    /// The box of the trace in pixels, where there is one.
    pub trace_box: Option<PixelRect>,
    /// The box around the sector in pixels.
    pub sector: PixelRect,
    /// Regions in the header.
    pub regions: RegionTable,
    /// Seed of the loop.
    pub seed: u64,
}

/// The truth of a study: the content of `truth.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyTruth {
    /// Study Instance UID.
    pub study_instance_uid: String,
    /// Seed of the study.
    pub seed: u64,
    /// Its loops, in order of acquisition.
    pub loops: Vec<LoopTruth>,
}

/// Returns the strongest ECG source of a loop.
pub fn ecg_source(spec: &LoopSpec) -> EcgSource {
    if spec.carriers.waveform {
        EcgSource::Waveform
    } else if spec.carriers.r_wave_time_vector {
        EcgSource::RWaveTimeVector
    } else if spec.carriers.curve {
        EcgSource::Curve
    } else if spec.trace.is_some() {
        EcgSource::BurnedInTrace
    } else {
        EcgSource::None
    }
}

/// Returns the view that a loop is labelled with: strips and non-cardiac loops have none.
pub fn view_label(spec: &LoopSpec) -> Option<View> {
    match spec.subject {
        Subject::Heart(view) if !spec.mode.has_strip() => Some(view),
        _ => None,
    }
}

/// Returns the landmarks of `cycle` that lie within a loop of `frames` frames.
pub fn phase_frames(cycle: &CardiacCycle, frame_time_ms: f64, frames: u32) -> PhaseFrames {
    let last = f64::from(frames.saturating_sub(1));
    let mut found = PhaseFrames::default();
    for phases in cycle.phases() {
        let BeatPhases {
            end_diastole_s,
            aortic_opening_s,
            end_systole_s,
            mitral_opening_s,
            early_filling_s,
            atrial_contraction_s,
            ..
        } = phases;
        let keep = |list: &mut Vec<f64>, time_s: f64| {
            let frame = time_s * 1000.0 / frame_time_ms;
            if (0.0..=last).contains(&frame) {
                list.push((frame * 1000.0).round() / 1000.0);
            }
        };
        keep(&mut found.end_diastole, end_diastole_s);
        keep(&mut found.aortic_opening, aortic_opening_s);
        keep(&mut found.end_systole, end_systole_s);
        keep(&mut found.mitral_opening, mitral_opening_s);
        keep(&mut found.early_filling, early_filling_s);
        if let Some(time_s) = atrial_contraction_s {
            keep(&mut found.atrial_contraction, time_s);
        }
    }
    found
}
