//! Sources of unevenness in an echo: texture of tissue, direction of fibres, sliders, layers near the probe, shadows.

use std::f32::consts::TAU;

use super::gain::Gain;
use super::grid::PolarGrid;
use crate::heart::{Acoustics, Tissue};
use crate::lattice_hash::{cell_hash, normal_from_bits, unit_from_bits};
use crate::space::{Vec3, smooth_step};

/// Returns an amplitude from its level in dB.
pub fn from_db(level_db: f32) -> f32 {
    (level_db * 0.166_096_4).exp2()
}

/// Slow variation of brightness within a tissue, in dB.
pub fn patchiness(at_rest: Vec3, seed: u32) -> f32 {
    let phase = |salt: u32| TAU * unit_from_bits(cell_hash(1, 2, 3, seed ^ salt));
    let fine =
        (3.1 * at_rest.x + 2.3 * at_rest.z + phase(1)).sin() * (2.7 * at_rest.y - 1.9 * at_rest.z + phase(2)).sin();
    let coarse = (0.9 * at_rest.x + 1.3 * at_rest.y - 0.8 * at_rest.z + phase(3)).sin();
    2.2 * fine + 2.5 * coarse
}

/// Muscle fibres run around the ventricle: they echo well where the beam meets the wall head on (0) and poorly along it
/// (1).
pub fn along_wall_share(tissue: Tissue, at_rest: Vec3, direction: Vec3) -> f32 {
    if tissue != Tissue::Myocardium {
        return 0.0;
    }
    let radius = at_rest.x.hypot(at_rest.y).max(0.2);
    let head_on = (at_rest.x * direction.x + at_rest.y * direction.y) / radius;
    1.0 - head_on * head_on
}

/// Returns the look of each tissue in one loop, by its number: no two patients and machines show muscle and valves
/// alike.
pub fn acoustics_of_loop(deviation_db: f32, seed: u32) -> Vec<Acoustics> {
    let of_loop = |tissue: Tissue| {
        let usual = tissue.acoustics();
        let deviation = deviation_db * normal_from_bits(cell_hash(tissue as i32, 8, 8, seed ^ 0xAC0));
        // Blood stays dark: what it shows is noise.
        let scatter_db = if tissue.is_blood() { usual.scatter_db } else { usual.scatter_db + deviation };
        Acoustics { scatter_db, ..usual }
    };
    Tissue::ALL.into_iter().map(of_loop).collect()
}

/// Amplitude of the haze that ribs and lung throw over a side of the sector, on one beam near the probe.
pub fn side_haze(beam: usize, grid: &PolarGrid, gain: &Gain, seed: u32) -> f32 {
    let at = beam as f32 / (grid.beams - 1) as f32;
    let unit = |salt: u32| unit_from_bits(cell_hash(6, 7, 8, seed ^ salt));
    let from_side = if unit(1) < 0.5 { at } else { 1.0 - at };
    let reach = 0.2 + 0.4 * unit(2);
    from_db(gain.side_haze_db) * smooth_step(reach, 0.4 * reach, from_side)
}

/// Uneven time-gain sliders, and sensitivity that falls off far away.
pub fn slider_db(sample: usize, grid: &PolarGrid, seed: u32) -> f32 {
    let depth_cm = sample as f32 * grid.step_cm();
    let phase = |salt: u32| TAU * unit_from_bits(cell_hash(4, 5, 6, seed ^ salt));
    let sliders = 1.8 * (depth_cm * 0.55 + phase(1)).sin() + 1.2 * (depth_cm * 1.1 + phase(2)).sin();
    sliders - 0.8 * (depth_cm - 9.0).max(0.0)
}

/// Skin, fat and muscle in front of the subject: layers nearly parallel to the probe.
pub fn chest_wall(beam: usize, depth_cm: f32, wall_cm: f32, seed: u32) -> Tissue {
    let wave = 0.07 * ((beam as f32) * 0.06 + (seed % 7) as f32).sin();
    let layers = (depth_cm + wave) / wall_cm * 3.6;
    let hash = cell_hash(layers as i32, 3, 3, seed);
    let line = layers.fract() < 0.14 + 0.16 * unit_from_bits(hash);
    if line { Tissue::Fascia } else { Tissue::ChestWall }
}

/// Loss of a beam in dB: worse towards the edges, with a soft shadow of a rib or of lung.
pub fn beam_loss_db(beam: usize, grid: &PolarGrid, gain: &Gain, seed: u32) -> f32 {
    let at = beam as f32 / (grid.beams - 1) as f32;
    let edge = (2.0 * at - 1.0).abs();
    let unit = |salt: u32| unit_from_bits(cell_hash(7, 7, 7, seed ^ salt));
    let shadow_at = if unit(1) < 0.5 { 0.03 + 0.12 * unit(2) } else { 0.85 + 0.12 * unit(2) };
    let shadow = smooth_step(0.10, 0.0, (at - shadow_at).abs()) * 16.0 * gain.dropout * unit(3);
    let rib = |number: u32| {
        let (at_rib, width) = (unit(20 + 3 * number), 0.04 + 0.10 * unit(21 + 3 * number));
        smooth_step(width, 0.3 * width, (at - at_rib).abs()) * (6.0 + 18.0 * unit(22 + 3 * number))
    };
    let ribs: f32 = (0..gain.shadows).map(rib).sum();
    let ripple = 1.5 * (at * 19.0 + TAU * unit(4)).sin() * (at * 7.0 + TAU * unit(5)).sin();
    7.0 * gain.dropout * smooth_step(0.6, 1.0, edge) + shadow + ribs + ripple
}
