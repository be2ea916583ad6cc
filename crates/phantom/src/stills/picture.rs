//! A picture of tissue: the fan of a phased or curved array, or the rectangle of a linear one.

use domain::PixelRect;
use random::Stream;

use super::noise::{smooth, speckle};
use super::tone::Tone;
use crate::screen::{Canvas, flow_color};

/// Shape of the scanned area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// A fan that starts in a point.
    Sector,
    /// A fan that starts with an arc.
    Curved,
    /// A rectangle.
    Linear,
}

/// An ellipse of other tissue or of blood, in shares of the picture.
#[derive(Debug, Clone, Copy)]
struct Blob {
    center: (f32, f32),
    radii: (f32, f32),
    level: f32,
    wall: f32,
}

/// A picture, with flow where it has a color box.
#[derive(Debug, Clone)]
pub struct Picture {
    scan: Scan,
    half_angle_rad: f32,
    /// Radius of the probe's face as a share of the depth.
    face: f32,
    blobs: Vec<Blob>,
    gain: f32,
    layers: f32,
    /// Slope of the layers: 0 is level, as echoes between the probe and air are.
    tilt: f32,
    grain_px: (f32, f32),
    dropout: f32,
    /// Exponent that spreads the tissue's brightness.
    contrast: f32,
    is_upside_down: bool,
    /// Number of echoes between the face and itself over the whole depth, and the level of the noise, for a probe in air.
    air: Option<(f32, f32)>,
    /// Left, right, top, bottom in shares of the angle and depth.
    color_box: Option<[f32; 4]>,
    seed: u32,
}

impl Picture {
    /// Draws a picture.
    pub fn random(scan: Scan, has_color: bool, random: &mut Stream) -> Self {
        let blobs = (0..random.whole(0, 7))
            .map(|_| Blob {
                center: (random.uniform_f32(0.15, 0.85), random.uniform_f32(0.15, 0.9)),
                radii: (random.uniform_f32(0.05, 0.22), random.uniform_f32(0.05, 0.25)),
                level: if random.chance(0.7) { random.uniform_f32(0.0, 0.08) } else { random.uniform_f32(0.3, 0.8) },
                wall: random.uniform_f32(0.5, 1.0),
            })
            .collect();
        let color_box = has_color.then(|| {
            let (left, top) = (random.uniform_f32(0.15, 0.5), random.uniform_f32(0.2, 0.5));
            [left, left + random.uniform_f32(0.25, 0.4), top, top + random.uniform_f32(0.25, 0.45)]
        });
        Self {
            scan,
            half_angle_rad: match scan {
                Scan::Sector => random.uniform_f32(0.52, 0.8),
                _ => random.uniform_f32(0.45, 0.65),
            },
            face: match scan {
                Scan::Sector => random.uniform_f32(0.0, 0.08),
                _ => random.uniform_f32(0.25, 0.5),
            },
            blobs,
            gain: random.uniform_f32(0.35, 1.0),
            layers: if scan == Scan::Linear || random.chance(0.2) { random.uniform_f32(0.0, 0.9) } else { 0.0 },
            tilt: if random.chance(0.3) { 0.0 } else { random.uniform_f32(0.0, 3.0) },
            grain_px: (random.uniform_f32(2.0, 7.0), random.uniform_f32(1.5, 3.5)),
            contrast: random.uniform_f32(1.0, 4.0),
            dropout: random.uniform_f32(0.0, 0.9),
            is_upside_down: random.chance(0.05),
            color_box,
            air: None,
            seed: random.bits() as u32,
        }
    }

    /// Returns the picture of the same probe in air.
    pub fn in_air(self, random: &mut Stream) -> Self {
        Self { air: Some((random.uniform_f32(6.0, 50.0), random.uniform_f32(0.0, 0.25))), ..self }
    }

    /// Returns the place of a pixel of the box as shares of the angle or width and of the depth; `None` outside.
    fn place(&self, x: f32, y: f32, width: f32, height: f32) -> Option<(f32, f32)> {
        let y = if self.is_upside_down { height - 1.0 - y } else { y };
        if self.scan == Scan::Linear {
            return Some((x / width, y / height));
        }
        let (sin, cos) = self.half_angle_rad.sin_cos();
        // The largest radius with which the fan fits into the box.
        let radius = (height / (1.0 - self.face * cos)).min(width / 2.0 / sin);
        let (across, down) = (x - width / 2.0, y + self.face * cos * radius);
        let distance = across.hypot(down);
        let angle = across.atan2(down);
        let depth = (distance / radius - self.face) / (1.0 - self.face);
        let is_inside = angle.abs() <= self.half_angle_rad && (0.0..=1.0).contains(&depth);
        is_inside.then_some(((angle / self.half_angle_rad + 1.0) / 2.0, depth))
    }

    fn level(&self, across: f32, depth: f32, x_px: f32, y_px: f32) -> f32 {
        if let Some((echoes, noise)) = self.air {
            let ring = (-depth * echoes * 0.35).exp() * (0.55 + 0.45 * (depth * echoes * std::f32::consts::TAU).cos());
            let grain = speckle(x_px / self.grain_px.0, y_px / self.grain_px.1, self.seed);
            return self.gain * ring + noise * grain * depth.sqrt();
        }
        let mut tissue = 0.1 + 1.3 * smooth(across * 6.0, depth * 7.0, self.seed).powf(self.contrast);
        let layer = smooth(depth * 24.0 + across * self.tilt, 3.5, self.seed ^ 0x77);
        tissue += self.layers * (1.6 * layer - 0.8) * tissue;
        for blob in &self.blobs {
            let at = ((across - blob.center.0) / blob.radii.0).hypot((depth - blob.center.1) / blob.radii.1);
            if at < 1.0 {
                tissue = blob.level;
            } else if at < 1.18 {
                tissue = tissue.max(blob.wall);
            }
        }
        let shadow = 1.0 - self.dropout * smooth(across * 5.0, 0.5, self.seed ^ 0x33).powi(2);
        let fading = 1.0 - 0.5 * depth;
        let grain = speckle(x_px / self.grain_px.0, y_px / self.grain_px.1, self.seed);
        self.gain * tissue * shadow * fading * grain
    }

    fn flow(&self, across: f32, depth: f32) -> Option<f32> {
        let [left, right, top, bottom] = self.color_box?;
        if !(left..right).contains(&across) || !(top..bottom).contains(&depth) {
            return None;
        }
        let velocity = 2.4 * smooth(across * 9.0, depth * 9.0, self.seed ^ 0x99) - 1.2;
        (velocity.abs() > 0.35).then(|| velocity.clamp(-1.0, 1.0))
    }

    /// Draws the picture into `rect`.
    pub fn draw(&self, canvas: &mut Canvas, rect: PixelRect, tone: &Tone) {
        let (width, height) = (rect.width() as f32, rect.height() as f32);
        for y in rect.y0..=rect.y1 {
            for x in rect.x0..=rect.x1 {
                let (x_px, y_px) = ((x - rect.x0) as f32, (y - rect.y0) as f32);
                let Some((across, depth)) = self.place(x_px, y_px, width, height) else { continue };
                let color = self
                    .flow(across, depth)
                    .map_or_else(|| tone.color(self.level(across, depth, x_px, y_px)), flow_color);
                canvas.set_index((y * canvas.width() + x) as usize, color);
            }
        }
    }
}
