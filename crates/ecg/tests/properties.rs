//! Properties that hold for any clock, any R times and any settings.

use proptest::prelude::{Just, Strategy as _, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use domain::{EcgSamples, EcgSource, SamplingStrategy};
use ecg::{
    FrameClock, FramePhase, PlanSettings, beats_from_r_wave_times, beats_from_samples, detect_r_peaks, landmarks, plan,
};

fn clocks() -> impl proptest::strategy::Strategy<Value = FrameClock> {
    prop::collection::vec(0.5..120.0_f64, 1..200).prop_map(|steps_ms| {
        let mut time_ms = 0.0;
        let times_ms = steps_ms.iter().map(|step_ms| {
            time_ms += step_ms;
            time_ms
        });
        FrameClock::new(times_ms.collect()).expect("rising times")
    })
}

fn r_times() -> impl proptest::strategy::Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![8 => -2000.0..12_000.0_f64, 1 => Just(f64::NAN), 1 => any::<f64>()], 0..12)
}

fn strategies() -> impl proptest::strategy::Strategy<Value = SamplingStrategy> {
    prop_oneof![
        Just(SamplingStrategy::Landmarks),
        Just(SamplingStrategy::EvenlySpaced),
        Just(SamplingStrategy::Windowed),
        Just(SamplingStrategy::Uniform)
    ]
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn a_plan_is_never_empty_and_always_in_range(
        clock in clocks(),
        r_times_ms in r_times(),
        bpm in prop::option::of(any::<f64>()),
        strategy in strategies(),
        wanted in 1..=64_usize,
        max_clips in prop::option::of(1..5_usize),
    ) {
        let frames_per_clip = if strategy == SamplingStrategy::Windowed { 6 } else { wanted };
        let beats = beats_from_r_wave_times(&r_times_ms, &clock, bpm);
        let settings = PlanSettings { strategy, frames_per_clip, max_clips };
        let plan = plan(&beats, &clock, &settings).expect("settings are in range");
        prop_assert!(!plan.clips.is_empty());
        prop_assert!(plan.clips.len() <= max_clips.unwrap_or(usize::MAX));
        for clip in &plan.clips {
            prop_assert_eq!(clip.frames.len(), frames_per_clip);
            prop_assert!(clip.frames.is_sorted_by_key(|frame| frame.index));
            prop_assert!(clip.frames.iter().all(|frame| frame.index < clock.frame_count()));
            prop_assert_eq!(clip.beat.is_some(), clip.source != EcgSource::None);
            if let Some(beat) = clip.beat {
                let of_beat = beats.beats[beat].frames(clock.frame_count());
                prop_assert!(clip.frames.iter().all(|frame| of_beat.contains(&frame.index)));
            }
            for frame in &clip.frames {
                if let Some(FramePhase::Fraction(fraction)) = frame.phase {
                    prop_assert!((0.0..1.0).contains(&fraction));
                }
            }
        }
    }

    #[test]
    fn beats_share_no_frame_and_peaks_are_in_the_loop(clock in clocks(), r_times_ms in r_times()) {
        let beats = beats_from_r_wave_times(&r_times_ms, &clock, None);
        let last = f64::from(clock.frame_count() - 1);
        prop_assert!(beats.r_peaks.is_sorted());
        prop_assert!(beats.r_peaks.iter().all(|frame| (0.0..=last).contains(frame)));
        for pair in beats.beats.windows(2) {
            prop_assert!(pair[0].frames(clock.frame_count()).end <= pair[1].frames(clock.frame_count()).start);
        }
        for beat in &beats.beats {
            prop_assert!((250.0..=2500.0).contains(&beat.rr_ms()));
            let marks = landmarks(beat, &clock);
            prop_assert!(marks.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
            prop_assert!(marks.iter().all(|(_, frame)| (beat.start_frame..beat.end_frame).contains(frame)));
        }
    }

    #[test]
    fn the_clock_goes_both_ways(clock in clocks(), time_ms in -3000.0..30_000.0_f64) {
        let back_ms = clock.time_of_frame_ms(clock.frame_at_ms(time_ms));
        prop_assert!((back_ms - time_ms).abs() < 1e-6);
    }

    #[test]
    fn any_curve_gives_rising_peaks_inside_it(
        values in prop::collection::vec(prop_oneof![9 => -5.0..5.0_f32, 1 => any::<f32>()], 1..400),
        interval_ms in prop_oneof![9 => 0.5..60.0_f64, 1 => any::<f64>()],
        start_ms in -1000.0..1000.0_f64,
    ) {
        let count = values.len() as f64;
        let samples = EcgSamples { values, sample_interval_ms: interval_ms, start_ms };
        let found_ms = detect_r_peaks(&samples);
        prop_assert!(found_ms.is_sorted());
        prop_assert!(found_ms.iter().all(|r_ms| (start_ms..start_ms + count * interval_ms).contains(r_ms)));
        let clock = FrameClock::uniform(30, 33.0).expect("clock");
        let beats = beats_from_samples(&samples, EcgSource::Curve, &clock, None);
        prop_assert!(beats.r_peaks.len() <= found_ms.len());
    }
}
