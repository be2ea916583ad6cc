//! One frame in beam coordinates: what each beam meets, convolved, attenuated and log-compressed.

use rayon::prelude::*;

use super::gain::Gain;
use super::grid::PolarGrid;
use super::scene::Scene;
use super::speckle::{BeamWidth, Pulse, scatterer};
use super::unevenness::{
    acoustics_of_loop, along_wall_share, beam_loss_db, chest_wall, from_db, patchiness, side_haze, slider_db,
};
use crate::heart::{Acoustics, CardiacState, Tissue};
use crate::lattice_hash::{cell_hash, normal_from_bits, unit_from_bits};
use crate::probe::ImagePlane;
use crate::space::{Vec3, smooth_step, vec3};

/// A frame in beam coordinates, beam after beam.
#[derive(Debug, Clone)]
pub struct PolarFrame {
    /// `[beams * samples]` gray levels from 0 to 1.
    pub gray: Vec<f32>,
    /// `[beams * samples]` tissues.
    pub tissue: Vec<Tissue>,
}

/// Forms frames of one scene, each in its plane.
#[derive(Debug, Clone)]
pub struct Beamformer {
    scene: Scene,
    grid: PolarGrid,
    gain: Gain,
    pulse: Pulse,
    width: BeamWidth,
    /// Loss of each beam in dB: ribs, lungs and poor contact.
    beam_loss_db: Vec<f32>,
    /// Unevenness that the operator's time-gain sliders leave, in dB per sample.
    slider_db: Vec<f32>,
    /// Look of the tissues in this loop.
    acoustics: Vec<Acoustics>,
    seed: u32,
}

struct Echo {
    field: f32,
    impedance: f32,
    loss: f32,
    tissue: Tissue,
}

impl Beamformer {
    /// Returns a beamformer; `seed` varies scatterers, noise and shadows.
    pub fn new(scene: Scene, grid: PolarGrid, gain: Gain, seed: u32) -> Self {
        let beam_loss_db = (0..grid.beams).map(|beam| beam_loss_db(beam, &grid, &gain, seed)).collect();
        Self {
            scene,
            pulse: Pulse::new(gain.pulse_length * (1.15 * grid.samples as f32 / 400.0 + 0.35)),
            width: BeamWidth::new(grid.samples, 0.45, gain.beam_width * 1.35 * grid.beams as f32 / 150.0),
            beam_loss_db,
            slider_db: (0..grid.samples).map(|sample| slider_db(sample, &grid, seed)).collect(),
            acoustics: acoustics_of_loop(gain.tissue_deviation_db, seed),
            grid,
            gain,
            seed,
        }
    }

    /// Returns the beams.
    pub fn grid(&self) -> &PolarGrid {
        &self.grid
    }

    /// Returns the tissue on every sample, without the image: for truth and tests. `[beams * samples]`.
    pub fn tissue_map(&self, plane: &ImagePlane, state: &CardiacState) -> Vec<Tissue> {
        let mut map = Vec::with_capacity(self.grid.beams * self.grid.samples);
        for beam in 0..self.grid.beams {
            let direction = plane.beam(self.grid.angle_rad(beam as f32));
            let point = |sample: usize| plane.probe + direction * (sample as f32 * self.grid.step_cm());
            map.extend((0..self.grid.samples).map(|sample| self.tissue_at(point(sample), beam, sample, state).0));
        }
        map
    }

    /// Returns frame number `frame` of a loop, with the probe at `plane` and the heart in `state`.
    pub fn frame(&self, plane: &ImagePlane, state: &CardiacState, frame: u32) -> PolarFrame {
        let echoes: Vec<Vec<Echo>> =
            (0..self.grid.beams).into_par_iter().map(|beam| self.echoes(plane, beam, state, frame)).collect();
        let (re, im): (Vec<Vec<f32>>, Vec<Vec<f32>>) =
            (0..self.grid.beams).into_par_iter().map(|beam| self.pulse_convolved(beam, &echoes)).unzip();
        let envelope: Vec<Vec<f32>> =
            (0..self.grid.beams).into_par_iter().map(|beam| self.spread_envelope(beam, &re, &im)).collect();
        let gray: Vec<f32> = (0..self.grid.beams)
            .into_par_iter()
            .flat_map_iter(|beam| self.compressed(beam, &envelope, frame))
            .collect();
        PolarFrame { gray, tissue: echoes.iter().flatten().map(|echo| echo.tissue).collect() }
    }

    fn tissue_at(&self, point: Vec3, beam: usize, sample: usize, state: &CardiacState) -> (Tissue, Vec3) {
        let depth_cm = sample as f32 * self.grid.step_cm();
        let wall_cm = self.scene.wall_cm();
        if depth_cm < wall_cm {
            let at = vec3(beam as f32 * 0.012, 50.0, depth_cm);
            return (chest_wall(beam, depth_cm, wall_cm, self.seed), at);
        }
        let material = self.scene.material_at(point, state);
        (material.tissue, material.at_rest)
    }

    fn echoes(&self, plane: &ImagePlane, beam: usize, state: &CardiacState, frame: u32) -> Vec<Echo> {
        let direction = plane.beam(self.grid.angle_rad(beam as f32));
        let step_cm = self.grid.step_cm();
        let mut loss_db = self.beam_loss_db[beam];
        (0..self.grid.samples)
            .map(|sample| {
                let point = plane.probe + direction * (sample as f32 * step_cm);
                let (tissue, at_rest) = self.tissue_at(point, beam, sample, state);
                let acoustics = self.acoustics[tissue as usize];
                loss_db = (loss_db + acoustics.excess_db_per_cm * step_cm).clamp(-5.0, 45.0);
                // Blood flows: its scatterers are new in every frame.
                let seed = if tissue.is_blood() { self.seed ^ frame.wrapping_mul(0x9E37) } else { self.seed };
                let loss = from_db(-loss_db);
                let patchy = self.gain.patchiness * patchiness(at_rest, self.seed)
                    + along_wall_share(tissue, at_rest, direction) * -self.gain.along_wall_loss_db;
                Echo {
                    field: scatterer(at_rest, seed) * from_db(acoustics.scatter_db + patchy) * loss,
                    impedance: acoustics.impedance,
                    loss,
                    tissue,
                }
            })
            .collect()
    }

    /// Scatter and mirror echoes of a beam, convolved with the pulse.
    fn pulse_convolved(&self, beam: usize, echoes: &[Vec<Echo>]) -> (Vec<f32>, Vec<f32>) {
        let here = &echoes[beam];
        let left = &echoes[beam.saturating_sub(1)];
        let right = &echoes[(beam + 1).min(self.grid.beams - 1)];
        let beam_step_rad = 2.0 * self.grid.half_angle_rad / (self.grid.beams - 1) as f32;
        let samples = self.grid.samples;
        let mirror = 0.24 * from_db(self.gain.mirror_db);
        let mut field: Vec<f32> = here.iter().map(|echo| echo.field).collect();
        for sample in 2..samples - 2 {
            let along = here[sample + 2].impedance - here[sample - 2].impedance;
            if along.abs() < 1e-3 {
                continue;
            }
            // An interface throws its mirror echo back only where the beam meets it nearly head on.
            let across =
                (right[sample].impedance - left[sample].impedance) * 2.0 / (sample as f32 * beam_step_rad).max(0.5);
            let head_on = along * along / (along * along + across * across);
            let glint = 0.35 + 0.65 * unit_from_bits(cell_hash(beam as i32, (sample / 3) as i32, 0, self.seed));
            // In phase with the pulse's carrier, so that the samples of one interface add up.
            let carrier = [1.0, 0.0, -1.0, 0.0][sample % 4];
            field[sample] += carrier * mirror * along.abs() * head_on * head_on * glint * here[sample].loss;
        }
        let half = self.pulse.taps.len() / 2;
        let (mut re, mut im) = (vec![0.0; samples], vec![0.0; samples]);
        for (tap, &(cos, sin)) in self.pulse.taps.iter().enumerate() {
            let (out_from, in_from) = (half.saturating_sub(tap), tap.saturating_sub(half));
            let length = samples - out_from.max(in_from);
            let source = &field[in_from..in_from + length];
            let target = re[out_from..out_from + length].iter_mut().zip(&mut im[out_from..out_from + length]);
            for ((re, im), value) in target.zip(source) {
                *re += cos * value;
                *im += sin * value;
            }
        }
        (re, im)
    }

    /// Returns the magnitude of a beam after the neighbors within the beam's width have been added.
    fn spread_envelope(&self, beam: usize, re: &[Vec<f32>], im: &[Vec<f32>]) -> Vec<f32> {
        let samples = self.grid.samples;
        let (mut sum_re, mut sum_im) = (vec![0.0; samples], vec![0.0; samples]);
        for (tap, weights) in self.width.taps.iter().enumerate() {
            let Some(neighbor) = (beam + tap).checked_sub(BeamWidth::HALF).filter(|&b| b < self.grid.beams) else {
                continue;
            };
            let sources = re[neighbor].iter().zip(&im[neighbor]).zip(weights);
            for ((to_re, to_im), ((re, im), weight)) in sum_re.iter_mut().zip(&mut sum_im).zip(sources) {
                *to_re += re * weight;
                *to_im += im * weight;
            }
        }
        sum_re.iter().zip(&sum_im).map(|(re, im)| (re * re + im * im).sqrt()).collect()
    }

    /// Gray levels of a beam: side lobes, reverberation, clutter, noise, log compression.
    fn compressed(&self, beam: usize, envelope: &[Vec<f32>], frame: u32) -> Vec<f32> {
        let samples = self.grid.samples;
        let gain = &self.gain;
        let reach = self.grid.beams / 14;
        let first = beam.saturating_sub(reach);
        let last = (beam + reach).min(self.grid.beams - 1);
        let clutter = from_db(gain.clutter_db);
        let side = side_haze(beam, &self.grid, gain, self.seed);
        let step_cm = self.grid.step_cm();
        (0..samples)
            .map(|sample| {
                let own = envelope[beam][sample];
                // Grating of far beams: a faint smear of strong echoes along the arc.
                let lobes = 0.02 * (envelope[first][sample] + envelope[last][sample]);
                let echo_of_wall = gain.reverberation * envelope[beam][sample / 2];
                let depth_cm = sample as f32 * step_cm;
                let hash = cell_hash(beam as i32, sample as i32, 0, self.seed ^ 0xC10);
                let haze = (clutter * (-depth_cm / gain.clutter_depth_cm).exp() + side * (-depth_cm / 8.0).exp())
                    * unit_from_bits(hash);
                let share = sample as f32 / samples as f32;
                let noise_hash = cell_hash(beam as i32 / 2, sample as i32 / 2, frame as i32, self.seed ^ 0x4015E);
                let noise = from_db(gain.noise_db + 12.0 * (share - 1.0)) * normal_from_bits(noise_hash).abs();
                let sum = own + lobes + echo_of_wall + haze + noise;
                let level_db = 20.0 * (sum + 1e-6).log10() + gain.gain_db + self.slider_db[sample];
                let gray = ((level_db + gain.range_db - 6.0) / gain.range_db).clamp(0.0, 1.0);
                gray.powf(gain.gamma) * smooth_step(0.0, 0.12, depth_cm)
            })
            .collect()
    }
}
