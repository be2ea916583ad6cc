//! R-peak detection on a sampled ECG, made for the short strips that come with an echo loop.
//!
//! The whole strip is at hand, so nothing is learned on the way and nothing is lost at the ends: 1. `feature`: the
//! curve is put on a 200 Hz grid and filtered both ways; its energy within a QRS length is the strength of a beat at
//! each instant. The ends are mirrored. 2. `select`: humps of the strength are beats by their share of the usual beat
//! around them; T and P waves are recognized by their distance and share; gaps are searched again for small beats. 3.
//! `refine`: the R peak is the middle of the top of the curve, on the side most beats of the strip point to.
//!
//! When a strip has no beats: it holds fewer than four of its own smallest steps from bottom to top (a flat line that
//! jitters by a pixel), or its largest swings do not stand out of its usual ones (noise, see `select`),
//! or it has fewer than ten samples a second.

mod feature;
mod filter;
mod refine;
mod select;

use domain::EcgSamples;
use feature::{GRID_STEP_MS, feature_of};

/// The least height of an ECG in the smallest steps its values take: a trace three pixels high shows no beat.
const MIN_STEPS: f32 = 4.0;

/// Sampled more slowly than this, no curve shows a QRS complex.
const LONGEST_SAMPLE_INTERVAL_MS: f64 = 100.0;

/// Finds the R peaks of a whole ECG strip and returns their times in milliseconds after frame 0, rising and fractional.
///
/// Works from 50 samples a second and 40 to 200 beats per minute, on either polarity, with baseline wander, mains hum,
/// ectopic beats, a clipped curve, and on strips of a single beat. A strip without beats gives an empty list; the rule
/// stands in the description of this module. Memory and time grow with the length of the strip only.
///
/// ```
/// use domain::EcgSamples;
///
/// // 9.6 seconds at 250 Hz with a narrow QRS complex every 0.8 s.
/// let value_at = |sample: u16| {
///     let after_r_s = (f64::from(sample) / 250.0).rem_euclid(0.8) - 0.4;
///     (-(after_r_s / 0.015).powi(2)).exp() as f32
/// };
/// let ecg = EcgSamples::new((0..2400).map(value_at).collect(), 4.0, 0.0)?;
/// let r_times_ms = ecg::detect_r_peaks(&ecg);
/// assert_eq!(r_times_ms.len(), 12);
/// assert!((r_times_ms[1] - 1200.0).abs() < 10.0);
/// # Ok::<(), domain::InvalidEcgSamples>(())
/// ```
#[must_use]
pub fn detect_r_peaks(samples: &EcgSamples) -> Vec<f64> {
    let interval_ms = samples.sample_interval_ms;
    let timed = interval_ms > 0.0 && interval_ms <= LONGEST_SAMPLE_INTERVAL_MS && samples.start_ms.is_finite();
    if !timed || is_flat(&samples.values) {
        return Vec::new();
    }
    let feature = feature_of(samples);
    let complexes = select::qrs_complexes(&feature);
    refine::r_positions(&feature, &complexes)
        .into_iter()
        .map(|position| samples.start_ms + position * GRID_STEP_MS)
        .collect()
}

fn is_flat(values: &[f32]) -> bool {
    let mut levels: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    levels.sort_by(f32::total_cmp);
    levels.dedup();
    let (Some(lowest), Some(highest)) = (levels.first(), levels.last()) else {
        return true;
    };
    let step = levels.windows(2).map(|pair| pair[1] - pair[0]).fold(f32::INFINITY, f32::min);
    levels.len() < 2 || highest - lowest < MIN_STEPS * step
}
