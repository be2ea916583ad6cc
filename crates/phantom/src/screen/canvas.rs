//! An RGB image and the few things drawn on it.

use super::colors::Color;
use super::font;
use domain::{PixelRect, RgbImage};

/// An RGB image to draw on; what lies outside is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    image: RgbImage,
}

impl Canvas {
    /// Returns a black canvas.
    pub fn black(width: u32, height: u32) -> Self {
        Self { image: RgbImage::black(width, height) }
    }

    /// Returns the number of columns.
    pub fn width(&self) -> u32 {
        self.image.width()
    }

    /// Returns the number of rows.
    pub fn height(&self) -> u32 {
        self.image.height()
    }

    /// Returns what was drawn.
    pub fn image(&self) -> &RgbImage {
        &self.image
    }

    /// Returns what was drawn, giving up the canvas.
    pub fn into_image(self) -> RgbImage {
        self.image
    }

    /// Copies `image` here with its top left corner at (`left`, `top`); what does not fit is left out.
    pub fn paste(&mut self, image: &RgbImage, left: u32, top: u32) {
        let columns = image.width().min(self.width().saturating_sub(left)) as usize;
        let rows = image.height().min(self.height().saturating_sub(top)) as usize;
        for row in 0..rows {
            let from = row * image.width() as usize * 3;
            let to = ((top as usize + row) * self.width() as usize + left as usize) * 3;
            self.image.pixels_mut()[to..to + columns * 3].copy_from_slice(&image.pixels()[from..from + columns * 3]);
        }
    }

    /// Sets the pixel with index `pixel` (row * width + column).
    pub fn set_index(&mut self, pixel: usize, color: Color) {
        if let Some(rgb) = self.image.pixels_mut().get_mut(pixel * 3..pixel * 3 + 3) {
            rgb.copy_from_slice(&color);
        }
    }

    /// Mixes `color` into a pixel; outside the image nothing happens.
    pub fn blend(&mut self, x: i32, y: i32, color: Color, share: f32) {
        if x < 0 || y < 0 || x >= self.width() as i32 || y >= self.height() as i32 || share <= 0.0 {
            return;
        }
        let at = (y as usize * self.width() as usize + x as usize) * 3;
        for (old, new) in self.image.pixels_mut()[at..at + 3].iter_mut().zip(color) {
            *old = (f32::from(*old) + (f32::from(new) - f32::from(*old)) * share.min(1.0)).round() as u8;
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, rect: PixelRect, color: Color) {
        for y in rect.y0..=rect.y1 {
            for x in rect.x0..=rect.x1 {
                self.blend(x as i32, y as i32, color, 1.0);
            }
        }
    }

    /// Draws a smooth-edged line.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), thickness: f32, color: Color) {
        let reach = thickness * 0.5 + 1.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length2 = (dx * dx + dy * dy).max(1e-6);
        let (x0, x1) = ((from.0.min(to.0) - reach) as i32, (from.0.max(to.0) + reach) as i32);
        let (y0, y1) = ((from.1.min(to.1) - reach) as i32, (from.1.max(to.1) + reach) as i32);
        for y in y0..=y1 {
            for x in x0..=x1 {
                let (px, py) = (x as f32 - from.0, y as f32 - from.1);
                let t = ((px * dx + py * dy) / length2).clamp(0.0, 1.0);
                let distance = (px - t * dx).hypot(py - t * dy);
                self.blend(x, y, color, thickness * 0.5 + 0.5 - distance);
            }
        }
    }

    /// Draws a smooth-edged disc.
    pub fn disc(&mut self, center: (f32, f32), radius: f32, color: Color) {
        let reach = radius as i32 + 2;
        for y in center.1 as i32 - reach..=center.1 as i32 + reach {
            for x in center.0 as i32 - reach..=center.0 as i32 + reach {
                let distance = (x as f32 - center.0).hypot(y as f32 - center.1);
                self.blend(x, y, color, radius + 0.5 - distance);
            }
        }
    }

    /// Writes text in capitals with its top left corner at (`x`, `y`); every dot of the font is `scale` pixels wide.
    pub fn text(&mut self, x: i32, y: i32, scale: u32, color: Color, text: &str) {
        let scale = scale as i32;
        for (index, letter) in text.chars().enumerate() {
            let left = x + index as i32 * 6 * scale;
            for (row, bits) in font::glyph(letter).iter().enumerate() {
                for column in 0..5 {
                    if bits & (0x10 >> column) == 0 {
                        continue;
                    }
                    for dot in 0..scale * scale {
                        let dot_x = left + column * scale + dot % scale;
                        self.blend(dot_x, y + row as i32 * scale + dot / scale, color, 1.0);
                    }
                }
            }
        }
    }

    /// Returns the width of `text` in pixels.
    pub fn text_width(text: &str, scale: u32) -> i32 {
        text.chars().count() as i32 * 6 * scale as i32
    }
}

impl From<RgbImage> for Canvas {
    fn from(image: RgbImage) -> Self {
        Self { image }
    }
}
