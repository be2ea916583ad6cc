//! Landmarks of a beat: where end-systole, filling and atrial contraction stand between two R waves.
//!
//! Times after the R wave, in milliseconds, with heart rate HR in beats per minute:
//!
//! | landmark | where | source |
//! |---|---|---|
//! | end-diastole | at R | definition used by ASE/EACVI chamber quantification where the valve is not seen |
//! | end-systole | QS2 less Q-to-R (40 ms); QS2 = 547.5 - 2.05 HR | Weissler, Harris, Schoenfeld 1968: 546 - 2.1 HR for men, 549 - 2.0 HR for women; the mean of both, as sex is not asked for |
//! | mid-systole | half way from R to end-systole | convention |
//! | early diastole | 160 ms after end-systole, the peak of rapid filling | relaxation about 80 ms + E acceleration about 80 ms, typical adult values |
//! | atrial kick | 80 ms before the next R, the peak of atrial filling | P wave 160 ms before R, its mechanical peak half way |
//! | diastasis | half way from the end of rapid filling (180 ms after its peak) to the P wave | typical adult deceleration time |
//!
//! Diastole is shared out where the next R comes early: early diastole stands at most 40 % into it and the atrial kick
//! at most 25 % before its end. Diastasis is left out where rapid filling ends after the P wave begins (above about
//! 75 beats per minute): at high rates it does not exist. Above 120 per minute Weissler's line is outside the rates it
//! was measured at, so the fraction at 120 (0.52 of R-R) is kept.

use serde::{Deserialize, Serialize};

use crate::{Beat, FrameClock};

/// Mean of Weissler's lines for men and women, in milliseconds: QS2 = `QS2_AT_REST_MS` - `QS2_PER_BPM_MS` * HR.
const QS2_AT_REST_MS: f64 = 547.5;
const QS2_PER_BPM_MS: f64 = 2.05;
/// The highest heart rate at which Weissler's line is used, in beats per minute.
const QS2_HIGHEST_BPM: f64 = 120.0;
/// From the Q wave, where QS2 begins, to the R peak, where our beat begins.
const Q_TO_R_MS: f64 = 40.0;
const END_SYSTOLE_TO_E_PEAK_MS: f64 = 160.0;
const E_DECELERATION_MS: f64 = 180.0;
const P_WAVE_TO_R_MS: f64 = 160.0;
const A_PEAK_TO_R_MS: f64 = 80.0;
const MAX_E_PEAK_SHARE_OF_DIASTOLE: f64 = 0.4;
const MAX_A_PEAK_SHARE_OF_DIASTOLE: f64 = 0.25;

/// A landmark of a beat, in the order of time; serializes as snake_case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The R wave: the ventricle is largest.
    EndDiastole,
    /// Half way to the end of ejection.
    MidSystole,
    /// The aortic valve closes: the ventricle is smallest.
    EndSystole,
    /// Peak of rapid filling (E wave).
    EarlyDiastole,
    /// The rest between rapid and atrial filling; absent at high heart rates.
    Diastasis,
    /// Peak of atrial filling (A wave).
    AtrialKick,
}

impl Phase {
    /// Returns the name as it is serialized.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndDiastole => "end_diastole",
            Self::MidSystole => "mid_systole",
            Self::EndSystole => "end_systole",
            Self::EarlyDiastole => "early_diastole",
            Self::Diastasis => "diastasis",
            Self::AtrialKick => "atrial_kick",
        }
    }
}

/// Place of a frame in its beat; serializes as the landmark's name or as a number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FramePhase {
    /// The frame stands for this landmark.
    Landmark(Phase),
    /// The frame stands at this fraction of the R-R interval, 0 at R and below 1.
    Fraction(f64),
}

/// Returns the landmarks of a beat as times in milliseconds after frame 0, rising; the first is end-diastole at R.
#[must_use]
pub fn landmark_times_ms(beat: &Beat) -> Vec<(Phase, f64)> {
    let rr_ms = beat.rr_ms();
    let end_systole_ms = end_systole_after_r_ms(beat);
    let diastole_ms = rr_ms - end_systole_ms;
    let early_ms = end_systole_ms + END_SYSTOLE_TO_E_PEAK_MS.min(MAX_E_PEAK_SHARE_OF_DIASTOLE * diastole_ms);
    let kick_ms = rr_ms - A_PEAK_TO_R_MS.min(MAX_A_PEAK_SHARE_OF_DIASTOLE * diastole_ms);
    let filling_end_ms = end_systole_ms + END_SYSTOLE_TO_E_PEAK_MS + E_DECELERATION_MS;
    let p_wave_ms = rr_ms - P_WAVE_TO_R_MS;
    let mut after_r_ms = vec![
        (Phase::EndDiastole, 0.0),
        (Phase::MidSystole, end_systole_ms / 2.0),
        (Phase::EndSystole, end_systole_ms),
        (Phase::EarlyDiastole, early_ms),
    ];
    if filling_end_ms < p_wave_ms {
        after_r_ms.push((Phase::Diastasis, (filling_end_ms + p_wave_ms) / 2.0));
    }
    after_r_ms.push((Phase::AtrialKick, kick_ms));
    after_r_ms.into_iter().map(|(phase, after_ms)| (phase, beat.start_ms + after_ms)).collect()
}

/// Returns the landmarks of a beat as fractional frame indexes, rising; some may lie outside a loop that cuts the beat.
#[must_use]
pub fn landmarks(beat: &Beat, clock: &FrameClock) -> Vec<(Phase, f64)> {
    landmark_times_ms(beat).into_iter().map(|(phase, time_ms)| (phase, clock.frame_at_ms(time_ms))).collect()
}

/// Returns the place of a frame (index from 0) in a beat: the landmark whose nearest frame it is, else its fraction of
/// R-R; `None` for a frame of another beat.
#[must_use]
pub fn phase_of(frame: u32, beat: &Beat, clock: &FrameClock) -> Option<FramePhase> {
    if !beat.frames(clock.frame_count()).contains(&frame) {
        return None;
    }
    let position = f64::from(frame);
    let at_landmark = landmarks(beat, clock).into_iter().find(|(_, landmark_frame)| landmark_frame.round() == position);
    Some(match at_landmark {
        Some((phase, _)) => FramePhase::Landmark(phase),
        None => FramePhase::Fraction(fraction_of(position, beat, clock)),
    })
}

/// Returns the fraction of the R-R interval at a fractional frame, kept within 0 to just below 1.
pub(crate) fn fraction_of(frame: f64, beat: &Beat, clock: &FrameClock) -> f64 {
    let fraction = (clock.time_of_frame_ms(frame) - beat.start_ms) / beat.rr_ms();
    fraction.clamp(0.0, 1.0 - f64::EPSILON)
}

/// End-systole in milliseconds after R, by the published relation.
fn end_systole_after_r_ms(beat: &Beat) -> f64 {
    let rr_ms = beat.rr_ms();
    let bpm = 60_000.0 / rr_ms;
    let line_bpm = bpm.min(QS2_HIGHEST_BPM);
    let line_rr_ms = 60_000.0 / line_bpm;
    let on_line_ms = QS2_AT_REST_MS - QS2_PER_BPM_MS * line_bpm - Q_TO_R_MS;
    on_line_ms / line_rr_ms * rr_ms.min(line_rr_ms)
}
