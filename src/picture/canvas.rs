use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use super::text;

/// A color, RGB.
pub type Color = [u8; 3];

/// An RGB image to draw on; what lies outside is left out.
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A dark canvas.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![24; width * height * 3] }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Colors one pixel.
    pub fn dot(&mut self, x: i64, y: i64, color: Color) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.width && y < self.height {
            self.pixels[(y * self.width + x) * 3..][..3].copy_from_slice(&color);
        }
    }

    /// Fills the box from (x, y) of the given size.
    pub fn fill(&mut self, (x, y): (i64, i64), (width, height): (i64, i64), color: Color) {
        for row in y..y + height {
            for column in x..x + width {
                self.dot(column, row, color);
            }
        }
    }

    /// Draws the outline of a box whose corners both belong to it.
    pub fn outline(&mut self, (x0, y0): (i64, i64), (x1, y1): (i64, i64), color: Color) {
        for x in x0..=x1 {
            self.dot(x, y0, color);
            self.dot(x, y1, color);
        }
        for y in y0..=y1 {
            self.dot(x0, y, color);
            self.dot(x1, y, color);
        }
    }

    /// Writes a line of text with its upper left corner at (x, y); a letter is 8 x 8 pixels.
    pub fn write(&mut self, (x, y): (i64, i64), words: &str, color: Color) {
        for (index, letter) in words.chars().enumerate() {
            for (row, bits) in text::glyph(letter).into_iter().enumerate() {
                for column in (0..8).filter(|column| bits >> column & 1 == 1) {
                    self.dot(x + 8 * index as i64 + column, y + row as i64, color);
                }
            }
        }
    }

    /// Copies a frame to (x, y), brought to `width` x `height` by averaging the pixels that fall together.
    pub fn image(&mut self, (x, y): (i64, i64), (width, height): (usize, usize), frame: &cine::RgbFrame) {
        let (frame_width, frame_height) = (frame.width as usize, frame.height as usize);
        for row in 0..height {
            for column in 0..width {
                let columns = span(column, width, frame_width);
                let rows = span(row, height, frame_height);
                let mut sum = [0usize; 3];
                let mut count = 0;
                for from_y in rows {
                    for from_x in columns.clone() {
                        let Some(pixel) =
                            frame.pixels.get((from_y * frame_width + from_x) * 3..).and_then(<[u8]>::first_chunk::<3>)
                        else {
                            continue;
                        };
                        count += 1;
                        for (sum, &sample) in sum.iter_mut().zip(pixel) {
                            *sum += usize::from(sample);
                        }
                    }
                }
                if count > 0 {
                    self.dot(x + column as i64, y + row as i64, sum.map(|sum| (sum / count) as u8));
                }
            }
        }
    }

    /// Writes the canvas as a PNG file.
    pub fn write_png(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(io::Error::other)?;
        writer.write_image_data(&self.pixels).map_err(io::Error::other)?;
        writer.finish().map_err(io::Error::other)?;
        file.flush()
    }
}

/// The source pixels that fall on pixel `position` of `length` when `from` pixels are shrunk or stretched to `length`.
fn span(position: usize, length: usize, from: usize) -> std::ops::Range<usize> {
    let start = position * from / length;
    start..((position + 1) * from / length).max(start + 1).min(from)
}
