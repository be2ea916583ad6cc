//! Gray maps, tints and backgrounds.

use random::Stream;

use crate::screen::gray_ramp;

/// Color of gray levels and of the screen behind them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    tint: [f32; 3],
    gamma: f32,
    black_level: f32,
}

impl Tone {
    /// Tints of the maps that scanners offer: sepia, amber, blue, candle; gray most often.
    const TINTS: [[f32; 3]; 8] = [
        [1.0, 1.0, 1.0],
        [1.0, 1.0, 1.0],
        [1.0, 1.0, 1.0],
        [1.0, 1.0, 1.0],
        [1.0, 0.82, 0.55],
        [1.0, 0.68, 0.3],
        [0.62, 0.78, 1.0],
        [0.85, 1.0, 0.8],
    ];

    /// Draws a map.
    pub fn random(random: &mut Stream) -> Self {
        let tint = random.pick(&Self::TINTS);
        let black_level = if random.chance(0.2) { random.uniform_f32(0.01, 0.06) } else { 0.0 };
        Self { tint, gamma: random.uniform_f32(0.75, 1.4), black_level }
    }

    /// Draws the color behind pictures and strips: mostly black, sometimes a dark or a light page.
    pub fn page(&self, random: &mut Stream) -> [u8; 3] {
        match random.below(12) {
            0 => [random.uniform_f32(18.0, 45.0) as u8; 3],
            1 => [random.uniform_f32(200.0, 255.0) as u8; 3],
            2 => [14, 20, 34],
            _ => [0; 3],
        }
    }

    /// Returns the color of a gray level from 0 to 1.
    pub fn color(&self, level: f32) -> [u8; 3] {
        let level = (self.black_level + (1.0 - self.black_level) * level.clamp(0.0, 1.0)).powf(self.gamma);
        let gray = gray_ramp((level * 255.0) as usize, 0.0);
        let mut color = [0; 3];
        for ((out, gray), tint) in color.iter_mut().zip(gray).zip(self.tint) {
            // Tinted maps end in white.
            let tint = tint + (1.0 - tint) * level * level;
            *out = (f32::from(gray) * tint) as u8;
        }
        color
    }
}
