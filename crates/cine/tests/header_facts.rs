//! Header facts of real files: timing, R waves, curves, waveforms, identity.

use std::path::Path;

use cine::{Header, Loop, TimingSource};
use test_support::shared_data;

fn header(folder: &Path, name: &str) -> Header {
    Loop::open(&folder.join(name)).expect("it opens").header().clone()
}

#[test]
fn timing_follows_the_frame_increment_pointer() {
    let Some(folder) = shared_data() else {
        return;
    };
    let vector = header(&folder, "malformed/derived/ok_frametimevector.dcm").timing;
    let times_ms: Vec<f64> = (0..6).map(|frame| vector.time_of_frame_ms(frame).round()).collect();
    assert_eq!(times_ms, [0.0, 33.0, 66.0, 116.0, 149.0, 182.0]);
    assert_eq!(vector.source, TimingSource::FrameTimeVector);
    let vivid = header(&folder, "dicom/derived/ge_vivid_e95_a3c_color_27f_jpeg.dcm");
    assert_eq!((vivid.timing.source, vivid.timing.frame_time_ms()), (TimingSource::FrameTime, 47.4359));
    let missing = header(&folder, "malformed/derived/frametime_missing.dcm").timing;
    assert!(missing.guessed);
}

#[test]
fn r_waves_are_in_milliseconds_from_the_first_frame() {
    let Some(folder) = shared_data() else {
        return;
    };
    let vivid = header(&folder, "dicom/derived/ge_vivid_e95_a3c_color_27f_jpeg.dcm").ecg;
    let rounded: Vec<f64> = vivid.r_wave_times_ms.iter().map(|ms| ms.round()).collect();
    assert_eq!((rounded, vivid.heart_rate_bpm), (vec![48.0, 1130.0], Some(57.0)));
    let unsorted = header(&folder, "malformed/derived/rwave_unsorted.dcm").ecg;
    assert!(unsorted.r_wave_times_ms.is_sorted());
    let not_finite = header(&folder, "malformed/derived/rwave_nan_inf.dcm").ecg;
    assert!(not_finite.r_wave_times_ms.iter().all(|ms| ms.is_finite()));
    assert_eq!(header(&folder, "malformed/derived/heartrate_absurd.dcm").ecg.heart_rate_bpm, None);
}

#[test]
fn the_retired_curve_spreads_over_the_loop() {
    let Some(folder) = shared_data() else {
        return;
    };
    let angiogram = header(&folder, "dicom/angio-curve-ecg/rubo_xa_96f_jpeg_curve_ecg.dcm");
    let curve = angiogram.ecg.curve.expect("group 5000 holds an ECG");
    println!("{} points, {} ms apart", curve.values.len(), curve.sample_interval_ms);
    assert_eq!(curve.values.len(), 96 * 40);
    assert!((curve.sample_interval_ms - 33.0 / 40.0).abs() < 1e-9);
}

#[test]
fn uids_are_always_valid_and_no_name_is_kept() {
    let Some(folder) = shared_data() else {
        return;
    };
    for name in ["study_uid_path_traversal", "uids_1000_chars", "study_uid_missing", "sop_instance_uid_missing"] {
        let header = header(&folder, &format!("malformed/derived/{name}.dcm"));
        let uids =
            [header.sop_instance_uid.as_str(), header.study_instance_uid.as_str(), header.series_instance_uid.as_str()];
        assert!(uids.into_iter().all(domain::is_valid_uid), "{name}: {uids:?}");
    }
    let hostile = header(&folder, "malformed/derived/patient_name_hostile.dcm");
    let json = serde_json::to_string(&hostile).expect("a header is serializable");
    assert!(!json.contains("DROP") && !json.contains("script") && !json.contains("Patient"), "{json}");
}
