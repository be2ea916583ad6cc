//! Scatterers that move with the tissue, and the point spread of the pulse.

use crate::lattice_hash::{cell_hash, normal_from_bits};
use crate::space::Vec3;

/// Edge of a scatterer cell in cm, well below the pulse length so that many scatterers share one speckle grain.
const CELL_CM: f32 = 0.045;

/// Returns the strength of the scatterer at a material point: standard normal, fixed to the material.
pub fn scatterer(at_rest: Vec3, seed: u32) -> f32 {
    let cell = |value: f32| (value / CELL_CM).floor() as i32;
    normal_from_bits(cell_hash(cell(at_rest.x), cell(at_rest.y), cell(at_rest.z), seed))
}

/// The pulse along a beam: a Gaussian with a carrier, real and imaginary part, of unit energy.
#[derive(Debug, Clone)]
pub struct Pulse {
    /// Pairs of (cosine, sine) weights, one per sample, centered.
    pub taps: Vec<(f32, f32)>,
}

impl Pulse {
    /// Returns a pulse whose envelope has a standard deviation of `sigma` samples.
    ///
    /// The carrier has a period of 4 samples: lower than a real one, whose phase turns faster than the grid samples,
    /// but its only duty is to decorrelate echoes from different depths, and that it does.
    pub fn new(sigma: f32) -> Self {
        let half = (2.5 * sigma).ceil() as i32;
        let raw: Vec<(f32, f32)> = (-half..=half)
            .map(|sample| {
                let at = sample as f32;
                let envelope = (-0.5 * (at / sigma) * (at / sigma)).exp();
                let phase = at * std::f32::consts::FRAC_PI_2;
                (envelope * phase.cos(), envelope * phase.sin())
            })
            .collect();
        let energy: f32 = raw.iter().map(|(re, im)| re * re + im * im).sum();
        let scale = 1.0 / energy.sqrt();
        Self { taps: raw.iter().map(|(re, im)| (re * scale, im * scale)).collect() }
    }
}

/// Spread of the beam to its neighbors, per depth.
#[derive(Debug, Clone)]
pub struct BeamWidth {
    /// For every tap (beam offset from `-HALF` to `HALF`) one weight per sample along the beam.
    pub taps: Vec<Vec<f32>>,
}

impl BeamWidth {
    /// Neighbors on each side that a beam reaches.
    pub const HALF: usize = 6;

    /// Beams `focus_sigma` beams wide at `focus` (fraction of depth) and wider elsewhere; unit energy at each depth.
    pub fn new(samples: usize, focus: f32, focus_sigma: f32) -> Self {
        let mut taps = vec![vec![0.0; samples]; 2 * Self::HALF + 1];
        for sample in 0..samples {
            let share = sample as f32 / samples as f32;
            let sigma = focus_sigma * (1.0 + 1.1 * (share - focus).abs() + 1.2 * (0.12 - share).max(0.0) / 0.12);
            let weight = |tap: usize| {
                let offset = (tap as f32 - Self::HALF as f32) / sigma;
                (-0.5 * offset * offset).exp()
            };
            let energy: f32 = (0..taps.len()).map(|tap| weight(tap) * weight(tap)).sum();
            for (tap, weights) in taps.iter_mut().enumerate() {
                weights[sample] = weight(tap) / energy.sqrt();
            }
        }
        Self { taps }
    }
}
