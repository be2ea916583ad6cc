//! A strip of Doppler velocities over time.

use domain::PixelRect;
use random::Stream;

use super::noise::{smooth, speckle, white};
use super::tone::Tone;
use crate::screen::Canvas;

/// One wave of a beat.
#[derive(Debug, Clone, Copy)]
struct Wave {
    /// Center and half width as shares of the beat.
    at: f32,
    half_width: f32,
    /// Signed peak as a share of the larger side of the scale.
    peak: f32,
    /// Position of the peak within the wave: 0.5 is symmetrical.
    skew: f32,
}

/// A spectrum and its noise.
#[derive(Debug, Clone)]
pub struct SpectrumStrip {
    waves: Vec<Wave>,
    /// A flow that never ceases, as a signed share of the scale.
    steady: f32,
    beats: f32,
    first_beat: f32,
    irregularity: f32,
    /// Height of the baseline as a share of the strip.
    baseline: f32,
    has_baseline: bool,
    wall_filter: f32,
    /// Share of the velocities below the edge that are dark.
    hollowness: f32,
    noise: f32,
    mirror: f32,
    clutter: f32,
    gain: f32,
    grain_px: (f32, f32),
    /// Share of the width that is drawn before the sweep's gap.
    filled: f32,
    gap: Option<(f32, f32)>,
    seed: u32,
}

fn wave(at: f32, half_width: f32, peak: f32, skew: f32) -> Wave {
    Wave { at, half_width, peak, skew }
}

/// Draws the waves of one of the usual places, with the flow that never ceases there.
fn waves(random: &mut Stream, is_tissue: bool) -> (Vec<Wave>, f32) {
    let mut size = || random.uniform_f32(0.45, 0.95);
    let (a, b, c) = (size(), size(), size());
    if is_tissue {
        return (vec![wave(0.2, 0.16, 0.7 * a, 0.4), wave(0.55, 0.1, -a, 0.5), wave(0.88, 0.08, -0.9 * b, 0.5)], 0.0);
    }
    match random.below(8) {
        // Mitral and tricuspid inflow.
        0 | 1 => (vec![wave(0.5, 0.14, a, 0.35), wave(0.85, 0.09, 0.8 * b, 0.5), wave(0.15, 0.15, -0.2 * c, 0.4)], 0.0),
        // Ejection through a normal and a narrow valve.
        2 => (vec![wave(0.2, 0.17, -a, 0.4), wave(0.6, 0.2, 0.15 * b, 0.4)], 0.0),
        3 => (vec![wave(0.22, 0.2, -0.95, 0.5), wave(0.65, 0.25, 0.4 * b, 0.3)], 0.0),
        // Regurgitation over a whole phase.
        4 => (vec![wave(0.25, 0.25, -a, 0.5)], 0.0),
        5 => (vec![wave(0.7, 0.32, a, 0.12), wave(0.22, 0.15, -0.5 * b, 0.5)], 0.0),
        // Arteries: a steep rise, with and without flow between beats.
        6 => (vec![wave(0.22, 0.2, a, 0.2), wave(0.5, 0.12, -0.2 * b, 0.5)], 0.15 * c),
        // Veins.
        _ => (vec![wave(0.3, 0.2, 0.5 * a, 0.5), wave(0.6, 0.16, 0.45 * b, 0.5), wave(0.9, 0.06, -0.25 * c, 0.5)], 0.1),
    }
}

impl SpectrumStrip {
    /// Draws a spectrum of blood or, where `is_tissue`, of tissue.
    pub fn random(is_tissue: bool, random: &mut Stream) -> Self {
        let (mut waves, mut steady) = waves(random, is_tissue);
        if random.chance(0.25) {
            waves.iter_mut().for_each(|wave| wave.peak = -wave.peak);
            steady = -steady;
        }
        let up: f32 = waves.iter().map(|wave| wave.peak).sum();
        // People move the baseline away from the larger waves.
        let lean = if up > 0.0 { random.uniform_f32(0.5, 0.88) } else { random.uniform_f32(0.12, 0.5) };
        let baseline = if is_tissue || random.chance(0.3) { random.uniform_f32(0.4, 0.6) } else { lean };
        let gap = random.chance(0.15).then(|| (random.uniform_f32(0.1, 0.9), random.uniform_f32(0.005, 0.04)));
        Self {
            waves,
            steady,
            beats: random.uniform_f32(1.6, 8.0),
            first_beat: random.uniform_f32(0.0, 1.0),
            irregularity: if random.chance(0.2) { 0.25 } else { 0.02 },
            baseline,
            has_baseline: random.chance(0.85),
            wall_filter: random.uniform_f32(0.0, 0.06),
            hollowness: if is_tissue { 0.1 } else { random.uniform_f32(0.0, 0.8) },
            noise: if random.chance(0.4) { random.uniform_f32(0.0, 0.03) } else { random.uniform_f32(0.03, 0.22) },
            mirror: if random.chance(0.4) { random.uniform_f32(0.0, 0.4) } else { 0.0 },
            clutter: random.uniform_f32(0.0, 0.7),
            gain: random.uniform_f32(0.5, 1.1),
            grain_px: (random.uniform_f32(1.0, 4.0), random.uniform_f32(1.0, 3.0)),
            filled: if random.chance(0.12) { random.uniform_f32(0.55, 0.95) } else { 1.0 },
            gap,
            seed: random.bits() as u32,
        }
    }

    /// Returns the edges of the spectrum above and below the baseline at `x` from 0 to 1, as shares of the scale.
    fn edges(&self, x: f32) -> (f32, f32) {
        let warped = x * self.beats + self.first_beat;
        let beat = warped.floor();
        let jitter = |beat: f32| self.irregularity * (white(beat, 3.0, self.seed) - 0.5);
        let phase = warped - beat + jitter(beat);
        let size = 1.0 + 0.15 * (white(beat, 5.0, self.seed) - 0.5);
        let (mut above, mut below) = (self.steady.max(0.0), (-self.steady).max(0.0));
        for wave in &self.waves {
            let from = (phase - (wave.at - wave.half_width)) / (2.0 * wave.half_width);
            if !(0.0..1.0).contains(&from) {
                continue;
            }
            let lobe = if from < wave.skew { from / wave.skew } else { (1.0 - from) / (1.0 - wave.skew) };
            let height = (lobe * std::f32::consts::FRAC_PI_2).sin() * wave.peak * size;
            above = above.max(height);
            below = below.max(-height);
        }
        let flutter = 1.0 + 0.12 * (smooth(x * 160.0, 9.0, self.seed) - 0.5);
        (above * flutter, below * flutter)
    }

    /// Returns the brightness at a velocity whose edge on its side is `edge` and on the other `opposite`.
    fn level(&self, speed: f32, edge: f32, opposite: f32, x_px: f32, y_px: f32) -> f32 {
        let grain = speckle(x_px / self.grain_px.0, y_px / self.grain_px.1, self.seed);
        let inside = |edge: f32| {
            let share = speed / edge.max(1e-3);
            if share < 1.04 && edge > 0.02 {
                let core = if share < 1.0 - 0.35 { 1.0 - self.hollowness } else { 1.0 };
                core * if share > 1.0 { 0.5 } else { 1.0 }
            } else {
                0.0
            }
        };
        let mut level = self.gain * grain * (0.6 * inside(edge) + 0.6 * self.mirror * inside(opposite));
        level += self.noise * grain * (0.7 + 0.3 * smooth(x_px / 40.0, 2.0, self.seed));
        if speed < self.wall_filter {
            level *= 0.1;
        } else if speed < self.wall_filter + 0.06 {
            level += self.clutter * grain * 0.6 * smooth(x_px / 9.0, 4.0, self.seed);
        }
        level
    }

    /// Draws the strip.
    pub fn draw(&self, canvas: &mut Canvas, rect: PixelRect, tone: &Tone) {
        let (width, height) = (rect.width() as f32, rect.height() as f32);
        let zero_px = self.baseline * height;
        let scale_px = zero_px.max(height - zero_px);
        for x in rect.x0..=rect.x1 {
            let x_px = (x - rect.x0) as f32;
            let share = x_px / width;
            let is_gap = self.gap.is_some_and(|(at, size)| (at..at + size).contains(&share));
            if share > self.filled || is_gap {
                continue;
            }
            let (above, below) = self.edges(share);
            for y in rect.y0..=rect.y1 {
                let y_px = (y - rect.y0) as f32;
                let speed = (zero_px - y_px).abs() / scale_px;
                let (edge, opposite) = if y_px < zero_px { (above, below) } else { (below, above) };
                let level = self.level(speed, edge, opposite, x_px, y_px);
                canvas.set_index((y * canvas.width() + x) as usize, tone.color(level));
            }
        }
        if self.has_baseline {
            let y = rect.y0 as f32 + zero_px;
            let color = [[200, 130, 50], [225, 225, 225], [60, 160, 70], [110, 110, 110]][self.seed as usize % 4];
            canvas.line((rect.x0 as f32, y), (rect.x1 as f32, y), 1.0, color);
        }
    }
}
