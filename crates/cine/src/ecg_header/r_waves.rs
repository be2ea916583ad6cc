//! R-wave times and the heart rate, and whether they fit the frame times.

use dicom_dictionary_std::tags;

use crate::scan::DataSet;
use crate::timing::FrameTiming;
use domain::{Finding, FindingCode};

/// No heart beats slower or faster than this.
const HEART_RATE_BPM: std::ops::RangeInclusive<f64> = 20.0..=300.0;
/// More R waves than this are not a loop's.
const MAX_R_WAVES: usize = 10_000;
/// Two statements about time that differ by more than this contradict each other.
const TOLERANCE: f64 = 0.2;

/// Reads Heart Rate, where it is one; 0 is what scanners write without an ECG and passes in silence.
pub(super) fn heart_rate(data_set: &DataSet, findings: &mut Vec<Finding>) -> Option<f64> {
    let stated = data_set.decimal(tags::HEART_RATE)?;
    if HEART_RATE_BPM.contains(&stated) {
        return Some(stated);
    }
    if stated != 0.0 {
        findings.push(Finding::new(
            FindingCode::HeartRateInvalid,
            format!("a heart rate of {stated} per minute was ignored"),
        ));
    }
    None
}

/// Reads the R Wave Time Vector: the finite times, in ascending order.
pub(super) fn r_wave_times(data_set: &DataSet, findings: &mut Vec<Finding>) -> Vec<f64> {
    let stored = data_set.f32s(tags::R_WAVE_TIME_VECTOR);
    let finite = stored.iter().filter(|time| time.is_finite()).map(|time| f64::from(*time));
    let mut times_ms: Vec<f64> = finite.take(MAX_R_WAVES).collect();
    if times_ms.len() < stored.len() {
        findings
            .push(Finding::new(FindingCode::RWaveTimesInvalid, "some R-wave times are no numbers and were ignored"));
    }
    if !times_ms.is_sorted() {
        findings
            .push(Finding::new(FindingCode::RWaveTimesUnsorted, "the R-wave times do not ascend; they were sorted"));
        times_ms.sort_by(f64::total_cmp);
    }
    times_ms.dedup();
    times_ms
}

/// Reports R-wave times that fit neither the loop's duration nor the heart rate.
pub(super) fn cross_check(
    times_ms: &[f64],
    heart_rate_bpm: Option<f64>,
    timing: &FrameTiming,
    findings: &mut Vec<Finding>,
) {
    let (Some(first_ms), Some(last_ms)) = (times_ms.first(), times_ms.last()) else {
        return;
    };
    let loop_ms = timing.duration_ms() + timing.frame_time_ms();
    if !times_ms.iter().any(|time_ms| (0.0..=loop_ms).contains(time_ms)) {
        findings.push(Finding::new(FindingCode::RWavesOutsideLoop, "no R wave lies inside the loop"));
    } else if last_ms - first_ms > loop_ms * (1.0 + TOLERANCE) {
        let message = format!("the R waves span {:.0} ms, the frames only {loop_ms:.0} ms", last_ms - first_ms);
        findings.push(Finding::new(FindingCode::TimingDisagreesWithRWaves, message));
    }
    let mut intervals_ms: Vec<f64> = times_ms.windows(2).map(|pair| pair[1] - pair[0]).collect();
    intervals_ms.sort_by(f64::total_cmp);
    if let (Some(bpm), Some(median_ms)) = (heart_rate_bpm, intervals_ms.get(intervals_ms.len() / 2)) {
        let from_r_waves = 60_000.0 / median_ms;
        if (from_r_waves - bpm).abs() > TOLERANCE * bpm {
            let message = format!("the R waves give {from_r_waves:.0} beats a minute, Heart Rate says {bpm:.0}");
            findings.push(Finding::new(FindingCode::HeartRateDisagreesWithRWaves, message));
        }
    }
}
