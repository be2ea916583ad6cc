//! When the heart beats: R-wave times for several rhythms, exact to the float.

use random::Stream;
use serde::Serialize;

/// The kind of rhythm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// Regular, with about 2 % variation.
    Sinus,
    /// The rate swings with respiration by about 15 %.
    SinusArrhythmia,
    /// No P waves, R-R intervals vary by about 20 %.
    AtrialFibrillation,
    /// Sinus rhythm with premature ventricular beats and their compensatory pause.
    PrematureVentricular,
}

impl Rhythm {
    /// All rhythms.
    pub const ALL: [Self; 4] =
        [Self::Sinus, Self::SinusArrhythmia, Self::AtrialFibrillation, Self::PrematureVentricular];
}

/// One beat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat {
    /// The time of the R peak in seconds from frame 0.
    pub r_time_s: f64,
    /// True if the beat starts early in the ventricle: a wide QRS, no P wave, a weak contraction.
    pub premature: bool,
    /// True if the atria contract before the beat.
    pub atrial_kick: bool,
}

/// Time simulated before frame 0, so that traces that show the past have one.
const BEFORE_S: f64 = 8.0;
/// Time simulated after the last frame, so that every beat in the loop has an end.
const AFTER_S: f64 = 4.0;

/// Returns the beats from 8 s before frame 0 until 4 s after `duration_s`; the first R peak at or after frame 0 is at
/// `first_r_s` (less than one R-R interval).
pub fn beats(rhythm: Rhythm, heart_rate_bpm: f64, duration_s: f64, first_r_s: f64, seed: u64) -> Vec<Beat> {
    let mean_rr_s = 60.0 / heart_rate_bpm;
    let mut random = Stream::for_purpose(seed, "rhythm");
    let respiration_phase = random.uniform(0.0, std::f64::consts::TAU);
    let has_kick = rhythm != Rhythm::AtrialFibrillation;
    let mut beats = vec![];
    let mut time_s = 0.0;
    let mut premature = false;
    let mut since_premature = random.whole(0, 3);
    let total_s = BEFORE_S + duration_s + AFTER_S + 2.0 * mean_rr_s;
    while time_s < total_s {
        beats.push(Beat { r_time_s: time_s, premature, atrial_kick: has_kick && !premature });
        let after_premature = premature;
        premature = false;
        since_premature += 1;
        let factor = match rhythm {
            Rhythm::Sinus => random.bounded_normal(1.0, 0.02),
            Rhythm::SinusArrhythmia => {
                let swing = (respiration_phase + time_s * std::f64::consts::TAU / 4.2).sin();
                1.0 + 0.15 * swing + random.bounded_normal(0.0, 0.015)
            }
            Rhythm::AtrialFibrillation => random.bounded_normal(1.0, 0.2).clamp(0.6, 1.6),
            Rhythm::PrematureVentricular if after_premature => random.bounded_normal(1.38, 0.02),
            Rhythm::PrematureVentricular if since_premature >= 3 && random.chance(0.6) => {
                premature = true;
                since_premature = 0;
                random.bounded_normal(0.62, 0.02)
            }
            Rhythm::PrematureVentricular => random.bounded_normal(1.0, 0.02),
        };
        // Even an early beat cannot come while the ventricle is refractory.
        time_s += (mean_rr_s * factor).max(0.27);
    }
    let anchor = beats.iter().find(|beat| beat.r_time_s >= BEFORE_S).map_or(BEFORE_S, |beat| beat.r_time_s);
    for beat in &mut beats {
        beat.r_time_s += first_r_s - anchor;
    }
    beats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_what_was_asked_for() {
        for rhythm in Rhythm::ALL {
            for rate in [40.0, 75.0, 180.0] {
                let beats = beats(rhythm, rate, 60.0, 0.1, 5);
                let span_s = beats[beats.len() - 1].r_time_s - beats[0].r_time_s;
                let measured = 60.0 * (beats.len() - 1) as f64 / span_s;
                assert!((measured / rate - 1.0).abs() < 0.12, "{rhythm:?} {rate}: {measured}");
                assert!(beats.iter().any(|beat| (beat.r_time_s - 0.1).abs() < 1e-9));
            }
        }
    }

    #[test]
    fn premature_beats_come_early_and_are_followed_by_a_pause() {
        let beats = beats(Rhythm::PrematureVentricular, 70.0, 60.0, 0.0, 1);
        let mean_s = 60.0 / 70.0;
        let mut seen = 0;
        for three in beats.windows(3).filter(|three| three[1].premature) {
            assert!(three[1].r_time_s - three[0].r_time_s < 0.75 * mean_s);
            assert!(three[2].r_time_s - three[1].r_time_s > 1.2 * mean_s);
            seen += 1;
        }
        assert!(seen > 3);
    }
}
