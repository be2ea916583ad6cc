//! ECG facts of the header: R-wave times, waveforms, retired curves.

mod curve;
mod r_waves;
mod start;
mod waveform;

pub(crate) use start::Start;
pub(crate) use waveform::ecg_channel;

use serde::Serialize;

use crate::scan::DataSet;
use crate::timing::FrameTiming;
use domain::{EcgSamples, Finding};

/// Everything the headers tell about the ECG, as plain data; empty where absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EcgHeader {
    /// R Wave Time Vector (0018,6060) in ms from frame 0: finite, ascending, may lie outside the loop.
    pub r_wave_times_ms: Vec<f64>,
    /// The ECG channel of a Waveform Sequence (5400,0100) inside the image object.
    pub waveform: Option<EcgSamples>,
    /// The ECG of a retired curve group (50xx), spread over the loop where the curve has no time axis.
    pub curve: Option<EcgSamples>,
    /// Heart Rate (0018,1088) in beats per minute, where it is between 20 and 300.
    pub heart_rate_bpm: Option<f64>,
    /// When frame 0 was acquired.
    #[serde(skip)]
    pub(crate) start: Start,
}

/// Reads every ECG fact of the header and checks them against each other and against the frame times.
pub(crate) fn read_ecg(data_set: &DataSet, timing: &FrameTiming, findings: &mut Vec<Finding>) -> EcgHeader {
    let heart_rate_bpm = r_waves::heart_rate(data_set, findings);
    let r_wave_times_ms = r_waves::r_wave_times(data_set, findings);
    r_waves::cross_check(&r_wave_times_ms, heart_rate_bpm, timing, findings);
    EcgHeader {
        waveform: ecg_channel(data_set, findings),
        curve: curve::ecg_curve(data_set, timing, findings),
        r_wave_times_ms,
        heart_rate_bpm,
        start: Start::of_loop(data_set),
    }
}
