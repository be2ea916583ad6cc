//! The frames that a plan names, for loops of every kind.

use domain::{EcgSource, FindingCode, SamplingStrategy};
use ecg::{
    Beat, BeatKind, Beats, FrameClock, FramePhase, Phase, PlanSettings, SamplingPlan, beats_from_r_wave_times,
    landmarks, no_beats, phase_of, plan,
};

/// 100 frames of 20 ms: 0 to 2 s.
fn clock() -> FrameClock {
    FrameClock::uniform(100, 20.0).expect("clock")
}

fn settings(strategy: SamplingStrategy, frames_per_clip: usize) -> PlanSettings {
    PlanSettings { strategy, frames_per_clip, max_clips: None }
}

fn indexes(plan: &SamplingPlan, clip: usize) -> Vec<u32> {
    plan.clips[clip].frames.iter().map(|frame| frame.index).collect()
}

fn codes(plan: &SamplingPlan) -> Vec<FindingCode> {
    plan.findings.iter().map(|finding| finding.code).collect()
}

fn two_beats() -> Beats {
    beats_from_r_wave_times(&[100.0, 1100.0, 1700.0], &clock(), None)
}

#[test]
fn six_frames_a_beat_are_its_six_landmarks() {
    let plan = plan(&two_beats(), &clock(), &PlanSettings::default()).expect("plan");
    assert_eq!(plan.clips.len(), 2);
    let phases: Vec<FramePhase> = plan.clips[0].frames.iter().filter_map(|frame| frame.phase).collect();
    let all = [
        Phase::EndDiastole,
        Phase::MidSystole,
        Phase::EndSystole,
        Phase::EarlyDiastole,
        Phase::Diastasis,
        Phase::AtrialKick,
    ];
    assert_eq!(phases, all.map(FramePhase::Landmark));
    // R at 100 ms; QS2 at 60 per minute is 424.5 ms, less 40 ms from Q to R: 484.5 ms is frame 24.
    // Rapid filling peaks 160 ms later and ends after another 180 ms, the P wave starts at 940 ms: 882 ms is between.
    assert_eq!(indexes(&plan, 0), [5, 15, 24, 32, 44, 51]);
    assert_eq!((plan.clips[0].beat, plan.clips[1].beat), (Some(0), Some(1)));
    assert_eq!(plan.clips[0].source, EcgSource::RWaveTimeVector);
    assert_eq!(plan.clips[0].strategy, SamplingStrategy::Landmarks);
}

#[test]
fn a_fast_beat_has_no_diastasis_and_still_six_frames() {
    let plan = plan(&two_beats(), &clock(), &PlanSettings::default()).expect("plan");
    let second = &plan.clips[1].frames;
    assert_eq!(second.len(), 6);
    assert!(second.iter().all(|frame| frame.phase != Some(FramePhase::Landmark(Phase::Diastasis))));
    let fractions = second.iter().filter(|frame| matches!(frame.phase, Some(FramePhase::Fraction(_)))).count();
    assert_eq!(fractions, 1);
}

#[test]
fn short_clips_take_the_most_important_landmarks() {
    let of = |count| {
        let plan = plan(&two_beats(), &clock(), &settings(SamplingStrategy::Landmarks, count)).expect("plan");
        plan.clips[0].frames.iter().filter_map(|frame| frame.phase).collect::<Vec<_>>()
    };
    assert_eq!(of(1), [FramePhase::Landmark(Phase::EndDiastole)]);
    assert_eq!(of(2), [Phase::EndDiastole, Phase::EndSystole].map(FramePhase::Landmark));
}

#[test]
fn even_steps_start_at_r_and_leave_the_next_r_out() {
    let plan = plan(&two_beats(), &clock(), &settings(SamplingStrategy::EvenlySpaced, 5)).expect("plan");
    assert_eq!(indexes(&plan, 0), [5, 15, 25, 35, 45]);
    assert_eq!(indexes(&plan, 1), [55, 61, 67, 73, 79]);
    assert_eq!(plan.clips[0].frames[1].phase, Some(FramePhase::Fraction(0.2)));
}

#[test]
fn windows_move_by_two_and_keep_the_last_one() {
    let plan_of = |end_ms: f64| {
        let beats = beats_from_r_wave_times(&[0.0, end_ms], &clock(), None);
        plan(&beats, &clock(), &settings(SamplingStrategy::Windowed, 6)).expect("plan")
    };
    // The reference gave 0 windows for 16 frames, 1 for 17 and 18, 2 for 20; the last window was lost.
    let counts = [16, 17, 18, 20, 30].map(|frames| plan_of(f64::from(frames) * 20.0).clips.len());
    assert_eq!(counts, [1, 1, 2, 3, 8]);
    assert_eq!(indexes(&plan_of(360.0), 0), [0, 3, 6, 9, 12, 15]);
    assert_eq!(indexes(&plan_of(360.0), 1), [2, 5, 8, 11, 14, 17]);
}

#[test]
fn a_beat_shorter_than_the_window_is_stretched_not_lost() {
    let slow = FrameClock::uniform(30, 100.0).expect("clock");
    let beats = beats_from_r_wave_times(&[0.0, 400.0], &slow, None);
    let plan = plan(&beats, &slow, &settings(SamplingStrategy::Windowed, 6)).expect("plan");
    assert_eq!(indexes(&plan, 0), [0, 1, 1, 2, 3, 3]);
    assert_eq!(codes(&plan), [FindingCode::PlanShortBeatStretched, FindingCode::PlanFramesRepeated]);
}

#[test]
fn without_an_ecg_clips_are_as_long_as_a_beat() {
    let uniform = plan(&no_beats(Some(75.0)), &clock(), &PlanSettings::default()).expect("plan");
    assert_eq!(codes(&uniform), [FindingCode::PlanUniform]);
    // Two beats of 800 ms, then half a beat is left: a third clip ends with the loop.
    let firsts: Vec<u32> = (0..uniform.clips.len()).map(|clip| indexes(&uniform, clip)[0]).collect();
    assert_eq!(firsts, [0, 40, 60]);
    let clip = &uniform.clips[0];
    assert_eq!((clip.beat, clip.source, clip.strategy), (None, EcgSource::None, SamplingStrategy::Uniform));
    assert!(clip.frames.iter().all(|frame| frame.phase.is_none()));

    let asked = plan(&two_beats(), &clock(), &settings(SamplingStrategy::Uniform, 6)).expect("plan");
    assert_eq!(codes(&asked), []);
}

#[test]
fn a_still_is_one_clip_of_one_frame_repeated() {
    let still = FrameClock::uniform(1, 33.0).expect("clock");
    let plan = plan(&no_beats(None), &still, &PlanSettings::default()).expect("plan");
    assert_eq!(plan.clips.len(), 1);
    assert_eq!(indexes(&plan, 0), [0; 6]);
    assert_eq!(plan.frame_indexes(), [0]);
    assert!(codes(&plan).contains(&FindingCode::PlanFramesRepeated));
}

#[test]
fn one_r_wave_and_a_heart_rate_give_the_larger_part_of_a_beat() {
    let beats = beats_from_r_wave_times(&[600.0], &clock(), Some(40.0));
    let plan = plan(&beats, &clock(), &PlanSettings::default()).expect("plan");
    assert_eq!(codes(&plan)[0], FindingCode::EcgBeatExtrapolated);
    assert_eq!(plan.clips.len(), 1);
    let shown = indexes(&plan, 0);
    assert!(shown[0] == 30 && shown[5] <= 99 && shown.is_sorted(), "{shown:?}");
}

#[test]
fn less_than_half_a_beat_is_not_taken_for_one() {
    let beats = Beats {
        source: EcgSource::RWaveTimeVector,
        beats: vec![Beat {
            start_frame: 80.0,
            end_frame: 160.0,
            start_ms: 1600.0,
            end_ms: 3200.0,
            kind: BeatKind::Cut,
        }],
        ..Beats::default()
    };
    let plan = plan(&beats, &clock(), &PlanSettings::default()).expect("plan");
    assert_eq!(codes(&plan), [FindingCode::PlanUniform]);
}

#[test]
fn a_limit_keeps_clips_evenly() {
    let limited = |most| PlanSettings { max_clips: Some(most), ..settings(SamplingStrategy::Windowed, 6) };
    let beats = beats_from_r_wave_times(&[0.0, 1000.0], &clock(), None);
    let plan = plan(&beats, &clock(), &limited(3)).expect("plan");
    // 50 frames hold 18 windows; of each third the middle one is kept.
    let firsts: Vec<u32> = (0..3).map(|clip| indexes(&plan, clip)[0]).collect();
    assert_eq!(firsts, [6, 18, 30]);
    assert!(codes(&plan).contains(&FindingCode::PlanClipsLimited));
}

#[test]
fn settings_out_of_range_name_the_key() {
    let refuse = |settings: PlanSettings| plan(&no_beats(None), &clock(), &settings).expect_err("refused").to_string();
    assert!(refuse(settings(SamplingStrategy::Landmarks, 0)).contains("frames_per_clip = 0"));
    assert!(refuse(settings(SamplingStrategy::Landmarks, 65)).contains("frames_per_clip = 65"));
    assert!(refuse(settings(SamplingStrategy::Windowed, 8)).contains("frames_per_clip = 8"));
    assert!(refuse(PlanSettings { max_clips: Some(0), ..PlanSettings::default() }).contains("max_clips = 0"));
}

#[test]
fn a_frame_knows_its_phase() {
    let beats = two_beats();
    let beat = &beats.beats[0];
    assert_eq!(phase_of(5, beat, &clock()), Some(FramePhase::Landmark(Phase::EndDiastole)));
    assert_eq!(phase_of(10, beat, &clock()), Some(FramePhase::Fraction(0.1)));
    assert_eq!(phase_of(55, beat, &clock()), None);
    assert_eq!(landmarks(beat, &clock())[0], (Phase::EndDiastole, 5.0));
}

#[test]
fn a_plan_serializes_phases_as_names_or_fractions() {
    let plan = plan(&two_beats(), &clock(), &settings(SamplingStrategy::Landmarks, 7)).expect("plan");
    let json = serde_json::to_value(&plan.clips[0]).expect("json");
    assert_eq!(json["frames"][0], serde_json::json!({"index": 5, "phase": "end_diastole"}));
    assert_eq!(json["source"], "r_wave_time_vector");
    let back: ecg::Clip = serde_json::from_value(json).expect("clip");
    assert_eq!(back, plan.clips[0]);
}
