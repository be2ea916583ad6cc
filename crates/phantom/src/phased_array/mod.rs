//! A second way from tissue to gray: a phased array of elements, and point scatterers in a slice of some thickness.
//!
//! Independent of [`beamform`](crate::beamform) in all but the anatomy, and never used to make training data, so that what a
//! model learned of one image formation can be measured on another. The echo of every scatterer is summed with its phase
//! (linear acoustics of point targets, as in Jensen, "Field: A Program for Simulating Ultrasound Systems", Med Biol Eng
//! Comput 1996;34:351-353, with the pulse-echo field of the array in closed form for a far scatterer).

mod display;
mod echoes;
mod pattern;
mod settings;

use rayon::prelude::*;

use crate::beamform::{PolarFrame, PolarGrid, Scene};
use crate::heart::CardiacState;
use crate::probe::ImagePlane;
use display::{Display, Line};
use echoes::{Column, EchoLattice};
use pattern::BeamPattern;
use settings::ArraySettings;

/// Half the extent of a pulse in standard deviations.
const PULSE_REACH: f32 = 2.5;

/// A phased array, and what its screen makes of the echoes.
#[derive(Debug, Clone)]
pub struct PhasedArray {
    grid: PolarGrid,
    settings: ArraySettings,
    pattern: BeamPattern,
    lattice: EchoLattice,
    display: Display,
    /// Scale that gives tissue of 0 dB an envelope of 1.
    scale: f32,
}

impl PhasedArray {
    /// Returns an array over `scene`; `seed` decides on the machine, the chest and the scatterers.
    pub fn new(scene: Scene, grid: PolarGrid, seed: u64) -> Self {
        let settings = ArraySettings::random(seed);
        let lattice = EchoLattice::new(scene, grid, settings, seed as u32);
        let pattern = BeamPattern::new(&settings, grid.depth_cm);
        let mut array =
            Self { grid, settings, pattern, lattice, display: Display::new(settings, seed as u32), scale: 1.0 };
        array.scale = array.scale_of_unit_tissue();
        array
    }

    /// Returns frame number `frame` of a loop, with the probe at `plane` and the heart in `state`.
    pub fn frame(&self, plane: &ImagePlane, state: &CardiacState, frame: u32) -> PolarFrame {
        let columns = self.lattice.columns(plane, state, frame);
        let lines: Vec<Line> = (0..self.grid.beams).into_par_iter().map(|beam| self.line(beam, &columns)).collect();
        let gray = self.display.gray(&lines, &self.grid, frame);
        PolarFrame { gray, tissue: self.lattice.tissues(plane, state) }
    }

    /// Sums what the beam hears of all scatterers within its reach.
    fn line(&self, beam: usize, columns: &[Column]) -> Line {
        let mut line = vec![(0.0, 0.0); self.grid.samples];
        let axis_rad = self.grid.angle_rad(beam as f32);
        let step_cm = self.grid.step_cm();
        let reach = (PULSE_REACH * self.settings.pulse_sigma_cm / step_cm).ceil() as usize;
        for column in columns.iter().filter(|column| column.is_within(axis_rad, self.pattern.reach_rad())) {
            for echo in &column.echoes {
                let (re, im) = self.pattern.at(echo.depth_cm, echo.angle_rad - axis_rad);
                let value = (echo.re * re - echo.im * im, echo.re * im + echo.im * re);
                let middle = (echo.depth_cm / step_cm) as usize;
                let last = (middle + reach + 1).min(self.grid.samples);
                for (sample, sum) in line[..last].iter_mut().enumerate().skip(middle.saturating_sub(reach)) {
                    let off = (sample as f32 * step_cm - echo.depth_cm) / self.settings.pulse_sigma_cm;
                    let weight = (-0.5 * off * off).exp() * self.scale;
                    sum.0 += value.0 * weight;
                    sum.1 += value.1 * weight;
                }
            }
        }
        line
    }

    /// Power adds up over scatterers of random phase: those of the pattern's width and the pulse's length.
    fn scale_of_unit_tissue(&self) -> f32 {
        let middle_cm = 0.5 * self.grid.depth_cm;
        let steps = (self.pattern.reach_rad() / self.lattice.angle_step_rad()) as i32;
        let across: f32 = (-steps..=steps)
            .map(|step| {
                let (re, im) = self.pattern.at(middle_cm, step as f32 * self.lattice.angle_step_rad());
                re * re + im * im
            })
            .sum();
        let along = self.settings.pulse_sigma_cm * std::f32::consts::PI.sqrt() / self.lattice.depth_step_cm();
        1.0 / (across * along).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beamform::NonCardiac;
    use crate::heart::{CardiacCycle, Shape, Tissue};
    use crate::rhythm::{Rhythm, beats};
    use crate::space::vec3;

    fn liver(seed: u64) -> (PhasedArray, ImagePlane, CardiacState) {
        let scene = Scene::NonCardiac(NonCardiac::Liver, Shape::random(1, 0.0));
        let grid = PolarGrid { beams: 96, samples: 400, depth_cm: 16.0, half_angle_rad: 0.6 };
        let plane = ImagePlane::looking(vec3(0.0, 0.0, 0.0), vec3(0.0, 0.0, 1.0), vec3(1.0, 0.0, 0.0));
        let cycle = CardiacCycle::new(&beats(Rhythm::Sinus, 70.0, 2.0, 0.1, 1));
        (PhasedArray::new(scene, grid, seed), plane, cycle.state(0.3))
    }

    #[test]
    fn liver_is_fully_developed_speckle() {
        for seed in [1, 2, 3] {
            let (array, plane, state) = liver(seed);
            let columns = array.lattice.columns(&plane, &state, 0);
            let tissues = array.lattice.tissues(&plane, &state);
            let lines: Vec<Line> = (4..92).map(|beam| array.line(beam, &columns)).collect();
            // Between the chest and the diaphragm, away from vessels, depth by depth: the beam is not alike everywhere.
            let mut ratios = vec![];
            for sample in 60..200 {
                let inside = |beam: &usize| {
                    (sample - 8..sample + 8).all(|near| tissues[(beam + 4) * 400 + near] == Tissue::Liver)
                };
                let heard: Vec<f32> = (0..lines.len())
                    .filter(inside)
                    .map(|beam| lines[beam][sample].0.hypot(lines[beam][sample].1))
                    .collect();
                if heard.len() > 60 {
                    let mean = heard.iter().sum::<f32>() / heard.len() as f32;
                    let variance = heard.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / heard.len() as f32;
                    ratios.push(mean / variance.sqrt());
                }
            }
            // The envelope of many scatterers of random phase has Rayleigh's distribution: mean over deviation is 1.91.
            let ratio = ratios.iter().sum::<f32>() / ratios.len() as f32;
            assert!((1.6..2.3).contains(&ratio), "seed {seed}: {ratio} at {} depths", ratios.len());
        }
    }

    #[test]
    fn an_interface_met_head_on_is_brighter_than_tissue() {
        let brighter_by = |seed: u64| {
            let (array, plane, state) = liver(seed);
            let frame = array.frame(&plane, &state, 0);
            assert_eq!(frame.gray, array.frame(&plane, &state, 0).gray);
            let diaphragm_of = |beam: usize| {
                let tissues = &frame.tissue[beam * 400..(beam + 1) * 400];
                tissues.iter().position(|tissue| *tissue == Tissue::Pericardium).unwrap_or(400)
            };
            // The diaphragm is an arch: its top is where a beam meets it head on.
            let beam = (0..96).min_by_key(|&beam| diaphragm_of(beam)).unwrap();
            let (gray, at) = (&frame.gray[beam * 400..(beam + 1) * 400], diaphragm_of(beam));
            let mean = |range: std::ops::Range<usize>| gray[range.clone()].iter().sum::<f32>() / range.len() as f32;
            mean(at - 3..at + 5) - mean(at - 60..at - 20)
        };
        let mean = (1..=6).map(brighter_by).sum::<f32>() / 6.0;
        assert!(mean > 0.05, "{mean}");
    }
}
