//! R times of every kind of disorder, put on the frames of a loop.

use domain::{EcgSamples, EcgSource, FindingCode};
use ecg::{BeatKind, Beats, FrameClock, beats_from_r_wave_times, beats_from_samples, no_beats};

/// 60 frames of 20 ms: 0 to 1.2 s.
fn clock() -> FrameClock {
    FrameClock::uniform(60, 20.0).expect("clock")
}

fn codes(beats: &Beats) -> Vec<FindingCode> {
    beats.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn two_r_waves_make_a_whole_beat() {
    let beats = beats_from_r_wave_times(&[105.0, 905.0], &clock(), None);
    assert_eq!(beats.source, EcgSource::RWaveTimeVector);
    assert_eq!(beats.r_peaks, [5.25, 45.25]);
    assert_eq!(beats.heart_rate_bpm, Some(75.0));
    assert_eq!(beats.beats.len(), 1);
    assert_eq!(beats.beats[0].kind, BeatKind::Whole);
    assert_eq!(beats.beats[0].frames(60), 5..45);
    assert_eq!(beats.findings, []);
}

#[test]
fn a_loop_stored_from_r_to_r_is_a_whole_beat() {
    let beats = beats_from_r_wave_times(&[0.0, 1200.0], &clock(), None);
    assert_eq!(beats.beats[0].kind, BeatKind::Whole);
    assert_eq!(beats.beats[0].frames(60), 0..60);
}

#[test]
fn disorder_in_the_vector_is_repaired_and_told() {
    let times_ms = [900.0, f64::NAN, 100.0, 905.0, f64::INFINITY, 5000.0];
    let beats = beats_from_r_wave_times(&times_ms, &clock(), None);
    assert_eq!(beats.r_peaks, [5.0, 45.0]);
    assert_eq!(
        codes(&beats),
        [
            FindingCode::EcgRTimesNotNumbers,
            FindingCode::EcgRTimesUnsorted,
            FindingCode::EcgRTimesDuplicate,
            FindingCode::EcgRTimesOutsideLoop,
            FindingCode::EcgImplausibleRrInterval,
        ]
    );
}

#[test]
fn implausible_intervals_are_no_beats() {
    let beats = beats_from_r_wave_times(&[100.0, 220.0, 1000.0, 4000.0], &clock(), None);
    assert_eq!(beats.beats.len(), 1);
    assert_eq!((beats.beats[0].start_ms, beats.beats[0].end_ms), (220.0, 1000.0));
    assert!(codes(&beats).contains(&FindingCode::EcgImplausibleRrInterval));
}

#[test]
fn one_r_wave_is_completed_by_the_heart_rate() {
    let beats = beats_from_r_wave_times(&[200.0], &clock(), Some(75.0));
    let kinds: Vec<BeatKind> = beats.beats.iter().map(|beat| beat.kind).collect();
    assert_eq!(kinds, [BeatKind::Extrapolated, BeatKind::Extrapolated]);
    assert_eq!((beats.beats[1].start_ms, beats.beats[1].end_ms), (200.0, 1000.0));
    assert_eq!(beats.heart_rate_bpm, Some(75.0));

    let without_rate = beats_from_r_wave_times(&[200.0], &clock(), None);
    assert_eq!((without_rate.r_peaks.len(), without_rate.beats.len()), (1, 0));
}

#[test]
fn an_r_wave_before_the_loop_gives_a_cut_beat() {
    let beats = beats_from_r_wave_times(&[-300.0, 500.0, 1300.0], &clock(), None);
    assert_eq!(beats.r_peaks, [25.0]);
    assert!(beats.beats[..2].iter().any(|beat| beat.kind == BeatKind::Cut));
    assert!(beats.beats.iter().all(|beat| beat.kind != BeatKind::Whole));
}

#[test]
fn nothing_usable_has_no_source() {
    for beats in [
        beats_from_r_wave_times(&[], &clock(), Some(70.0)),
        beats_from_r_wave_times(&[f64::NAN], &clock(), Some(70.0)),
        no_beats(Some(70.0)),
    ] {
        assert_eq!(beats.source, EcgSource::None);
        assert_eq!((beats.r_peaks.len(), beats.beats.len()), (0, 0));
        assert_eq!(beats.heart_rate_bpm, Some(70.0));
    }
}

#[test]
fn a_heart_rate_no_heart_has_is_not_used() {
    for bpm in [0.0, -70.0, 5.0, 900.0, f64::NAN] {
        let beats = no_beats(Some(bpm));
        assert_eq!(beats.heart_rate_bpm, None);
        assert_eq!(codes(&beats), [FindingCode::EcgImplausibleHeartRate]);
    }
}

#[test]
fn a_flat_curve_lets_the_caller_try_the_next_source() {
    let flat = EcgSamples::new(vec![3.0; 500], 4.0, 0.0).expect("samples");
    let beats = beats_from_samples(&flat, EcgSource::Waveform, &clock(), None);
    assert_eq!(beats.source, EcgSource::None);
    assert_eq!(codes(&beats), [FindingCode::EcgNoBeatFound]);
}

#[test]
fn a_curve_that_starts_before_the_loop_is_shifted() {
    let spike = |t_ms: f64| (-0.5 * ((t_ms - 600.0) / 12.0).powi(2)).exp() as f32;
    let values = (0..300).map(|n| spike(f64::from(n) * 4.0)).collect();
    let samples = EcgSamples::new(values, 4.0, -200.0).expect("samples");
    let beats = beats_from_samples(&samples, EcgSource::Curve, &clock(), None);
    assert_eq!(beats.source, EcgSource::Curve);
    assert_eq!(beats.r_peaks.len(), 1);
    assert!((beats.r_peaks[0] - 20.0).abs() < 0.3, "{:?}", beats.r_peaks);
}

#[test]
fn sources_and_codes_serialize_as_the_contract_says() {
    let json = |value: &dyn Fn() -> serde_json::Result<String>| value().expect("json");
    for source in
        [EcgSource::Waveform, EcgSource::RWaveTimeVector, EcgSource::Curve, EcgSource::BurnedInTrace, EcgSource::None]
    {
        assert_eq!(json(&|| serde_json::to_string(&source)), format!("\"{source}\""));
    }
    assert_eq!(EcgSource::BurnedInTrace.as_str(), "burned_in_trace");
    let code = FindingCode::EcgRTimesOutsideLoop;
    assert_eq!(json(&|| serde_json::to_string(&code)), format!("\"{}\"", code.as_str()));
}

#[test]
fn clocks_must_rise_and_may_be_uneven() {
    assert!(FrameClock::new(vec![]).is_err());
    assert!(FrameClock::new(vec![0.0, 10.0, 10.0]).is_err());
    assert!(FrameClock::new(vec![0.0, f64::NAN]).is_err());
    assert!(FrameClock::uniform(3, 0.0).is_err());
    let uneven = FrameClock::new(vec![5.0, 15.0, 45.0]).expect("clock");
    assert_eq!(uneven.times_ms(), [0.0, 10.0, 40.0]);
    assert_eq!((uneven.frame_at_ms(25.0), uneven.time_of_frame_ms(1.5)), (1.5, 25.0));
    assert_eq!((uneven.frame_at_ms(60.0), uneven.frame_at_ms(-20.0)), (3.0, -1.0));
}
