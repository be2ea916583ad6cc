//! From a raw curve to one number per instant that is large in a QRS complex and small elsewhere.

use super::filter::{Section, filter_both_ways, high_pass, low_pass};
use domain::EcgSamples;

/// Rate of the grid on which beats are looked for; whatever the source, filters and windows mean the same there.
pub(super) const GRID_RATE_HZ: f64 = 200.0;
/// Milliseconds between two grid points.
pub(super) const GRID_STEP_MS: f64 = 1000.0 / GRID_RATE_HZ;
/// The band that holds most of a QRS complex and little of P and T waves, wander and power-line hum (Elgendi 2013).
const QRS_BAND_HZ: (f64, f64) = (8.0, 20.0);
/// The band that keeps the shape of a complex and loses wander and most of the hum.
const SHAPE_BAND_HZ: (f64, f64) = (4.0, 35.0);
/// About the length of a QRS complex.
const ENERGY_WINDOW_MS: f64 = 120.0;
/// The mirrored lead-in of the filters, long enough for the slowest to settle.
const PADDING: usize = 200;

/// The curve on the grid, and how QRS-like it is at each point.
#[derive(Debug)]
pub(super) struct Feature {
    /// The curve in its own unit.
    pub curve: Vec<f64>,
    /// The curve in the QRS band, where beats are found; zero in the mean.
    pub band: Vec<f64>,
    /// The curve in a wider band, where the R peak of a beat, wide ectopic ones too, is measured; zero in the mean.
    pub shape: Vec<f64>,
    /// Root mean square of the band within a QRS length, in the unit of the curve.
    pub strength: Vec<f64>,
}

/// Puts the samples on the grid and measures them; empty where no sample is a number.
pub(super) fn feature_of(samples: &EcgSamples) -> Feature {
    let curve = on_grid(&bridged(&samples.values), samples.sample_interval_ms);
    let band = band_passed(&curve, QRS_BAND_HZ);
    let shape = band_passed(&curve, SHAPE_BAND_HZ);
    let energy: Vec<f64> = band.iter().map(|value| value * value).collect();
    let half = (ENERGY_WINDOW_MS / GRID_STEP_MS / 2.0) as usize;
    let strength = centered_mean(&energy, half).into_iter().map(f64::sqrt).collect();
    Feature { curve, band, shape, strength }
}

fn band_passed(curve: &[f64], (low_hz, high_hz): (f64, f64)) -> Vec<f64> {
    let sections: Vec<Section> =
        high_pass(2, low_hz, GRID_RATE_HZ).into_iter().chain(low_pass(2, high_hz, GRID_RATE_HZ)).collect();
    filter_both_ways(&sections, curve, PADDING)
}

/// Returns the values with gaps (NaN, infinite) bridged by straight lines and held at the ends.
fn bridged(values: &[f32]) -> Vec<f64> {
    let mut out: Vec<f64> = Vec::with_capacity(values.len());
    let mut gap = 0;
    for value in values.iter().map(|v| f64::from(*v)) {
        if !value.is_finite() {
            gap += 1;
            continue;
        }
        let before = out.last().copied().unwrap_or(value);
        for step in 1..=gap {
            out.push(before + (value - before) * step as f64 / (gap + 1) as f64);
        }
        gap = 0;
        out.push(value);
    }
    if let Some(last) = out.last().copied() {
        out.resize(values.len(), last);
    }
    out
}

/// Resamples to the grid: the mean of the samples around a grid point, or the line between two where they are sparse.
fn on_grid(values: &[f64], interval_ms: f64) -> Vec<f64> {
    if values.is_empty() {
        return Vec::new();
    }
    let last = values.len() - 1;
    let points = (last as f64 * interval_ms / GRID_STEP_MS) as usize + 1;
    let half_box = GRID_STEP_MS / interval_ms / 2.0;
    (0..points)
        .map(|point| {
            let position = point as f64 * GRID_STEP_MS / interval_ms;
            if half_box >= 1.0 {
                let from = (position - half_box).round().max(0.0) as usize;
                let to = ((position + half_box).round() as usize).min(last);
                return values[from..=to].iter().sum::<f64>() / (to - from + 1) as f64;
            }
            let before = (position as usize).min(last);
            let after = (before + 1).min(last);
            values[before] + (values[after] - values[before]) * (position - before as f64)
        })
        .collect()
}

/// Returns the mean within `half` points on both sides; at the ends, of what there is.
fn centered_mean(values: &[f64], half: usize) -> Vec<f64> {
    let sums: Vec<f64> = std::iter::once(0.0)
        .chain(values.iter().scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        }))
        .collect();
    (0..values.len())
        .map(|at| {
            let (from, to) = (at.saturating_sub(half), (at + half + 1).min(values.len()));
            (sums[to] - sums[from]).max(0.0) / (to - from) as f64
        })
        .collect()
}
