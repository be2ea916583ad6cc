//! From detected echoes to gray: noise, haze, compression, a filter against speckle.

use super::settings::ArraySettings;
use crate::beamform::{PolarGrid, from_db};
use crate::lattice_hash::{cell_hash, normal_from_bits};
use crate::space::smooth_step;

/// Variance of gray within pure speckle, above which the filter takes a difference for a structure.
const SPECKLE_VARIANCE: f32 = 0.006;

/// One beam before detection: in-phase and quadrature part of every sample.
pub type Line = Vec<(f32, f32)>;

/// The receiver and the screen.
#[derive(Debug, Clone)]
pub struct Display {
    settings: ArraySettings,
    seed: u32,
}

impl Display {
    pub fn new(settings: ArraySettings, seed: u32) -> Self {
        Self { settings, seed }
    }

    /// Returns gray levels `[beams * samples]` from 0 to 1.
    pub fn gray(&self, lines: &[Line], grid: &PolarGrid, frame: u32) -> Vec<f32> {
        let mut gray = Vec::with_capacity(grid.beams * grid.samples);
        for (beam, line) in lines.iter().enumerate() {
            let level = |(sample, value): (usize, &(f32, f32))| self.level((beam, sample), *value, grid, frame);
            gray.extend(line.iter().enumerate().map(level));
        }
        filtered(&gray, grid, self.settings.speckle_filter)
    }

    fn level(&self, (beam, sample): (usize, usize), (re, im): (f32, f32), grid: &PolarGrid, frame: u32) -> f32 {
        let settings = &self.settings;
        let depth_cm = sample as f32 * grid.step_cm();
        let normal = |salt: u32, frame: u32| {
            normal_from_bits(cell_hash(beam as i32, sample as i32, frame as i32, self.seed ^ salt))
        };
        let noise = from_db(settings.noise.0 + settings.noise.1 * depth_cm);
        // Reverberations stand still while the heart moves.
        let haze = from_db(settings.haze.0) * (-depth_cm / settings.haze.1).exp();
        let re = re + noise * normal(11, frame) + haze * normal(21, 0);
        let im = im + noise * normal(12, frame) + haze * normal(22, 0);
        let level_db = 20.0 * (re.hypot(im) + 1e-6).log10() + settings.gain_db;
        let share = ((level_db + settings.range_db - 8.0) / settings.range_db).clamp(0.0, 1.0);
        let curved = share * share * (3.0 - 2.0 * share);
        (share + settings.s_shape * (curved - share)) * smooth_step(0.0, 0.12, depth_cm)
    }
}

/// Smooths what varies no more than speckle does, after Lee, "Digital Image Enhancement and Noise Filtering by Use of Local
/// Statistics", IEEE Trans Pattern Anal Mach Intell 1980;2:165-168.
fn filtered(gray: &[f32], grid: &PolarGrid, strength: f32) -> Vec<f32> {
    let (beams, samples) = (grid.beams as isize, grid.samples as isize);
    let at =
        |beam: isize, sample: isize| gray[(beam.clamp(0, beams - 1) * samples + sample.clamp(0, samples - 1)) as usize];
    let one = |index: usize| {
        let (beam, sample) = (index as isize / samples, index as isize % samples);
        let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
        for across in -1..=1 {
            for along in -3..=3 {
                let value = at(beam + across, sample + along);
                sum += value;
                squares += value * value;
                count += 1.0;
            }
        }
        let mean = sum / count;
        let variance = (squares / count - mean * mean).max(0.0);
        let keep = 1.0 - strength + strength * variance / (variance + SPECKLE_VARIANCE);
        mean + keep * (gray[index] - mean)
    };
    (0..gray.len()).map(one).collect()
}
