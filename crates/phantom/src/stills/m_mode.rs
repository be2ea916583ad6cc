//! A strip of one beam over time.

use domain::PixelRect;
use random::Stream;

use super::noise::{smooth, speckle, white};
use super::tone::Tone;
use crate::screen::{Canvas, flow_color};

/// An interface that moves with the heart.
#[derive(Debug, Clone, Copy)]
struct Layer {
    /// Mean depth, thickness and excursion as shares of the strip's height.
    depth: f32,
    thickness: f32,
    excursion: f32,
    brightness: f32,
    /// Brightness of what lies below it, up to the next layer.
    below: f32,
    /// Time of the excursion as a share of the beat, and its length.
    at: f32,
    length: f32,
}

/// An M-mode and its noise.
#[derive(Debug, Clone)]
pub struct MModeStrip {
    layers: Vec<Layer>,
    beats: f32,
    first_beat: f32,
    noise: f32,
    gain: f32,
    /// Speckle is stretched along time.
    grain_px: (f32, f32),
    color: Option<(f32, f32)>,
    breathing: f32,
    seed: u32,
}

impl MModeStrip {
    /// Draws an M-mode, with flow where it `has_color`.
    pub fn random(has_color: bool, random: &mut Stream) -> Self {
        let count = random.whole(3, 9);
        let mut depth = random.uniform_f32(0.02, 0.1);
        let step = 0.9 / count as f32;
        let excursion = random.uniform_f32(0.02, 0.12);
        let layers = (0..count)
            .map(|_| {
                depth += step * random.uniform_f32(0.6, 1.3);
                Layer {
                    depth,
                    thickness: random.uniform_f32(0.008, 0.05),
                    excursion: excursion * random.uniform_f32(-0.4, 1.0),
                    brightness: random.uniform_f32(0.35, 1.0),
                    below: if random.coin() { random.uniform_f32(0.0, 0.08) } else { random.uniform_f32(0.12, 0.45) },
                    at: random.uniform_f32(0.1, 0.4),
                    length: random.uniform_f32(0.2, 0.5),
                }
            })
            .collect();
        let color = has_color.then(|| {
            let from = random.uniform_f32(0.15, 0.45);
            (from, from + random.uniform_f32(0.25, 0.5))
        });
        Self {
            layers,
            beats: random.uniform_f32(1.6, 8.0),
            first_beat: random.uniform_f32(0.0, 1.0),
            noise: random.uniform_f32(0.0, 0.06),
            gain: random.uniform_f32(0.55, 1.1),
            grain_px: (random.uniform_f32(4.0, 16.0), random.uniform_f32(1.5, 4.0)),
            color,
            breathing: random.uniform_f32(0.0, 0.03),
            seed: random.bits() as u32,
        }
    }

    /// Returns the brightness of the tissue at `depth` and a time, both from 0 to 1, without speckle.
    fn tissue(&self, time: f32, depth: f32) -> f32 {
        let warped = time * self.beats + self.first_beat;
        let phase = warped - warped.floor();
        let breath = self.breathing * (time * 5.0 + self.first_beat).sin();
        // The skin and what lies above the first layer hardly moves.
        let mut level = (1.0 - depth / 0.06).max(0.12);
        for layer in &self.layers {
            let from = (phase - layer.at).rem_euclid(1.0) / layer.length;
            let moved = if from < 1.0 { (from * std::f32::consts::PI).sin() } else { 0.0 };
            let at = layer.depth + breath + layer.excursion * moved;
            let inside = (depth - at) / layer.thickness;
            if inside >= 1.0 {
                level = layer.below;
            } else if inside >= 0.0 {
                return layer.brightness;
            } else {
                break;
            }
        }
        level
    }

    fn flow(&self, time: f32, depth: f32) -> Option<f32> {
        let (from, to) = self.color.filter(|(from, to)| (*from..*to).contains(&depth))?;
        let warped = time * self.beats + self.first_beat;
        let phase = warped - warped.floor();
        let share = (depth - from) / (to - from);
        let sign = if phase < 0.5 { 1.0 } else { -1.0 };
        let strength = (phase * std::f32::consts::TAU).sin().abs() * (1.0 - (2.0 * share - 1.0).powi(2));
        (strength > 0.3 + 0.3 * white(warped * 40.0, depth * 60.0, self.seed)).then_some(sign * strength)
    }

    /// Draws the strip.
    pub fn draw(&self, canvas: &mut Canvas, rect: PixelRect, tone: &Tone) {
        let (width, height) = (rect.width() as f32, rect.height() as f32);
        for y in rect.y0..=rect.y1 {
            let depth = (y - rect.y0) as f32 / height;
            for x in rect.x0..=rect.x1 {
                let (x_px, y_px) = ((x - rect.x0) as f32, (y - rect.y0) as f32);
                let time = x_px / width;
                // One beam is drawn as a few equal columns.
                let beam_x = (x_px / 2.0).floor() * 2.0;
                let grain = speckle(beam_x / self.grain_px.0, y_px / self.grain_px.1, self.seed);
                let fading = 1.0 - 0.45 * depth;
                let level = self.gain * grain * fading * self.tissue(time, depth)
                    + self.noise * white(x_px, y_px, self.seed)
                    + 0.04 * smooth(x_px / 30.0, y_px / 8.0, self.seed);
                let color = self.flow(time, depth).map_or_else(|| tone.color(level), flow_color);
                canvas.set_index((y * canvas.width() + x) as usize, color);
            }
        }
    }
}
