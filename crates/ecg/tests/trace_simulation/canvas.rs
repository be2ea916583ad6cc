//! A picture to paint on.

/// RGB picture, 8 bits a channel.
#[derive(Debug, Clone)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

pub type Rgb = [u8; 3];

impl Canvas {
    pub fn black(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![0; 3 * width * height] }
    }

    /// Paints a pixel, `cover` 0..1 of it; points outside are passed over.
    pub fn dot(&mut self, x: i64, y: i64, color: Rgb, cover: f64) {
        let inside = x >= 0 && y >= 0 && (x as usize) < self.width && (y as usize) < self.height;
        if !inside || cover <= 0.0 {
            return;
        }
        let at = 3 * (y as usize * self.width + x as usize);
        let cover = cover.min(1.0);
        for (pixel, own) in self.pixels[at..at + 3].iter_mut().zip(color) {
            *pixel = (f64::from(*pixel) * (1.0 - cover) + f64::from(own) * cover).round() as u8;
        }
    }

    pub fn rectangle(&mut self, x: i64, y: i64, width: i64, height: i64, color: Rgb) {
        for row in y..y + height {
            for column in x..x + width {
                self.dot(column, row, color, 1.0);
            }
        }
    }

    /// A straight line of some thickness, edges softened when `soft`.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), thick: f64, color: Rgb, soft: bool) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(1e-6);
        let reach = thick / 2.0 + 1.0;
        let columns = (from.0.min(to.0) - reach).floor() as i64..=(from.0.max(to.0) + reach).ceil() as i64;
        let rows = (from.1.min(to.1) - reach).floor() as i64..=(from.1.max(to.1) + reach).ceil() as i64;
        for y in rows {
            for x in columns.clone() {
                let (px, py) = (x as f64 - from.0, y as f64 - from.1);
                let along = ((px * dx + py * dy) / (length * length)).clamp(0.0, 1.0);
                let away = (px - along * dx).hypot(py - along * dy);
                let cover = thick / 2.0 + 0.5 - away;
                let cover = if soft { cover } else { f64::from(u8::from(cover > 0.45)) };
                self.dot(x, y, color, cover);
            }
        }
    }

    /// A blocky glyph, five by seven cells, its shape from a number.
    pub fn glyph(&mut self, x: i64, y: i64, cell: i64, shape: u64, color: Rgb) {
        let bits = shape.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 0x0001_0842_1084;
        for row in 0..7 {
            for column in 0..5 {
                let bit = (bits >> (row * 5 + column)) & 1;
                if bit == 1 || (row == 0 && shape.is_multiple_of(3)) || (row == 6 && shape.is_multiple_of(4)) {
                    self.rectangle(x + column * cell, y + row * cell, cell, cell, color);
                }
            }
        }
    }

    /// Glyphs in a row; 0 leaves a blank.
    pub fn text(&mut self, x: i64, y: i64, cell: i64, shapes: &[u64], color: Rgb) {
        for (index, shape) in shapes.iter().enumerate().filter(|(_, shape)| **shape != 0) {
            self.glyph(x + index as i64 * 6 * cell, y, cell, *shape, color);
        }
    }
}
