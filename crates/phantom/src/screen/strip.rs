//! Spectral Doppler strips.

use serde::Serialize;

use super::canvas::Canvas;
use super::colors::{Color, gray_ramp};
use crate::heart::{CardiacCycle, CardiacState};
use crate::lattice_hash::{cell_hash, normal_from_bits, unit_from_bits};
use domain::PixelRect;

/// Place of the Doppler sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpectralSite {
    /// Mitral inflow: E and A waves towards the probe.
    MitralInflow,
    /// Left outflow tract or aortic valve: ejection away from the probe.
    AorticOutflow,
    /// Tricuspid regurgitation: a long systolic jet away from the probe.
    TricuspidRegurgitation,
    /// The mitral ring in tissue Doppler: s', e' and a'.
    MitralRing,
}

impl SpectralSite {
    /// Returns the largest speed on the scale in cm/s.
    pub fn scale_cm_s(self) -> f64 {
        match self {
            Self::MitralInflow => 120.0,
            Self::AorticOutflow => 160.0,
            Self::TricuspidRegurgitation => 350.0,
            Self::MitralRing => 18.0,
        }
    }

    /// Returns the velocity of the spectrum's edge in cm/s, positive towards the probe, and the fraction of slower
    /// blood below it.
    fn edge(self, state: &CardiacState, slope: f64) -> (f64, f64) {
        let (inflow, outflow) = (f64::from(state.inflow_speed), f64::from(state.outflow_speed));
        match self {
            Self::MitralInflow => (82.0 * inflow - 12.0 * outflow, 0.45),
            Self::AorticOutflow => (-118.0 * outflow + 10.0 * inflow, 0.4),
            Self::TricuspidRegurgitation => {
                (-265.0 * f64::from(state.contraction) * (1.0 - inflow) * outflow.max(0.4), 0.95)
            }
            Self::MitralRing => (0.62 * slope, 0.3),
        }
    }
}

/// Draws the spectrum of `site` into `rect`: `seconds_per_pixel` along x, the site's scale along y.
pub fn draw_spectrum(
    canvas: &mut Canvas,
    rect: PixelRect,
    site: SpectralSite,
    cycle: &CardiacCycle,
    seconds_per_pixel: f64,
    seed: u32,
) {
    let middle = f64::from(rect.y0 + rect.y1) / 2.0;
    let pixels_per_cm_s = f64::from(rect.y1 - rect.y0) / 2.0 / site.scale_cm_s();
    for x in rect.x0..=rect.x1 {
        let time_s = f64::from(x - rect.x0) * seconds_per_pixel;
        let state = cycle.state(time_s);
        let after = cycle.state(time_s + 0.01);
        // The ring's speed follows how fast the ventricle shortens (about 14 mm in all).
        let slope = f64::from(after.contraction - state.contraction) * 140.0;
        let (edge, fill) = site.edge(&state, slope);
        let flutter = f64::from(normal_from_bits(cell_hash(x as i32 / 2, 1, 0, seed)));
        let edge = edge * (1.0 + 0.05 * flutter) + 0.01 * site.scale_cm_s() * flutter;
        for y in rect.y0..=rect.y1 {
            let velocity = (middle - f64::from(y)) / pixels_per_cm_s;
            let share = velocity / if edge.abs() < 1e-6 { 1e-6 } else { edge };
            let speckle = unit_from_bits(cell_hash(x as i32 / 2, y as i32 / 2, 2, seed));
            let mut level = 0.05 * f64::from(unit_from_bits(cell_hash(x as i32, y as i32, 3, seed)));
            if (0.0..1.05).contains(&share) && edge.abs() > 0.04 * site.scale_cm_s() {
                let dense = if share > 1.0 - fill { 1.0 } else { 0.35 };
                level += dense * (0.35 + 0.6 * f64::from(speckle)) * (1.0 - 0.5 * (share - 0.75).abs());
            }
            // The wall filter leaves a dark band around zero, fringed by slow clutter.
            let slow = velocity.abs() / site.scale_cm_s();
            if slow < 0.03 {
                level *= 0.2;
            } else if slow < 0.08 {
                level += 0.25 * f64::from(speckle);
            }
            let gray = (level.clamp(0.0, 1.0) * 255.0) as usize;
            canvas.set_index((y * canvas.width() + x) as usize, gray_ramp(gray, 0.0));
        }
    }
}

/// Draws the time and value axes of a strip: a base line, second ticks and value labels.
pub fn draw_axes(canvas: &mut Canvas, rect: PixelRect, seconds_per_pixel: f64, top: f64, bottom: f64, scale: u32) {
    let color: Color = [230, 230, 230];
    for half_second in 0..(f64::from(rect.x1 - rect.x0) * seconds_per_pixel * 2.0) as u32 {
        let x = rect.x0 as f32 + (f64::from(half_second) * 0.5 / seconds_per_pixel) as f32;
        let length = if half_second % 2 == 0 { 8.0 } else { 4.0 };
        canvas.line((x, rect.y1 as f32), (x, rect.y1 as f32 - length), 1.0, [190, 120, 40]);
    }
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let y = f64::from(rect.y0) + share * f64::from(rect.y1 - rect.y0);
        let value = top + share * (bottom - top);
        let x = rect.x1 as f32;
        canvas.line((x + 4.0, y as f32), (x + 10.0, y as f32), 1.0, color);
        canvas.text(x as i32 + 13, y as i32 - 3 * scale as i32, scale, color, &format!("{value:.0}"));
    }
    if top * bottom < 0.0 {
        let y = f64::from(rect.y0) + f64::from(rect.y1 - rect.y0) * top / (top - bottom);
        canvas.line((rect.x0 as f32, y as f32), (rect.x1 as f32, y as f32), 1.0, [190, 120, 40]);
    }
}
