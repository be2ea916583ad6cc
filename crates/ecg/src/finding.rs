//! What was odd about an ECG or a plan, for people and for the `findings` of `inspect --json`.

use serde::{Deserialize, Serialize};

/// One thing that was odd, with the value that follows it still usable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of oddity, for machines.
    pub code: FindingCode,
    /// The same in a sentence with its numbers, for people. Holds no identity.
    pub message: String,
}

impl Finding {
    /// A finding from its code and its sentence.
    pub fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// The kinds of oddity this crate reports; they serialize as snake_case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingCode {
    /// R times that are NaN or infinite were left out.
    EcgRTimesNotNumbers,
    /// R times were not in rising order and were sorted.
    EcgRTimesUnsorted,
    /// R times that stood there twice (within 20 ms) were merged.
    EcgRTimesDuplicate,
    /// R times before the first or after the last frame are not listed as R peaks.
    EcgRTimesOutsideLoop,
    /// Beats whose R-R interval is outside 0.25 to 2.5 s were dropped.
    EcgImplausibleRrInterval,
    /// The signal shows no beat.
    EcgNoBeatFound,
    /// The heart rate of the header is outside what a heart does and was not used.
    EcgImplausibleHeartRate,
    /// No whole beat is in the loop: the missing R peak was placed by the heart rate.
    EcgBeatExtrapolated,
    /// No whole beat is in the loop: a part of one is used.
    EcgPartialBeat,
    /// A beat or loop has fewer frames than the clip asks for; frames repeat.
    PlanFramesRepeated,
    /// A beat is shorter than the window; all its frames were used, stretched to the clip length.
    PlanShortBeatStretched,
    /// No beat could be used, so frames were spread uniformly.
    PlanUniform,
    /// There were more clips than the limit; evenly spaced ones were kept.
    PlanClipsLimited,
}

impl FindingCode {
    /// The code as it is serialized.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EcgRTimesNotNumbers => "ecg_r_times_not_numbers",
            Self::EcgRTimesUnsorted => "ecg_r_times_unsorted",
            Self::EcgRTimesDuplicate => "ecg_r_times_duplicate",
            Self::EcgRTimesOutsideLoop => "ecg_r_times_outside_loop",
            Self::EcgImplausibleRrInterval => "ecg_implausible_rr_interval",
            Self::EcgNoBeatFound => "ecg_no_beat_found",
            Self::EcgImplausibleHeartRate => "ecg_implausible_heart_rate",
            Self::EcgBeatExtrapolated => "ecg_beat_extrapolated",
            Self::EcgPartialBeat => "ecg_partial_beat",
            Self::PlanFramesRepeated => "plan_frames_repeated",
            Self::PlanShortBeatStretched => "plan_short_beat_stretched",
            Self::PlanUniform => "plan_uniform",
            Self::PlanClipsLimited => "plan_clips_limited",
        }
    }
}
