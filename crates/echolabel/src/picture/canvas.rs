use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use super::text;

/// A colour, RGB.
pub type Colour = [u8; 3];

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

    /// Colours one pixel.
    pub fn dot(&mut self, x: i64, y: i64, colour: Colour) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.width && y < self.height {
            self.pixels[(y * self.width + x) * 3..][..3].copy_from_slice(&colour);
        }
    }

    /// Fills the box from (x, y) of the given size.
    pub fn fill(&mut self, (x, y): (i64, i64), (width, height): (i64, i64), colour: Colour) {
        for row in y..y + height {
            for column in x..x + width {
                self.dot(column, row, colour);
            }
        }
    }

    /// Draws the outline of a box whose corners both belong to it.
    pub fn outline(&mut self, (x0, y0): (i64, i64), (x1, y1): (i64, i64), colour: Colour) {
        for x in x0..=x1 {
            self.dot(x, y0, colour);
            self.dot(x, y1, colour);
        }
        for y in y0..=y1 {
            self.dot(x0, y, colour);
            self.dot(x1, y, colour);
        }
    }

    /// Writes a line of text with its upper left corner at (x, y); a letter is 8 x 8 pixels.
    pub fn write(&mut self, (x, y): (i64, i64), words: &str, colour: Colour) {
        for (index, letter) in words.chars().enumerate() {
            for (row, bits) in text::glyph(letter).into_iter().enumerate() {
                for column in (0..8).filter(|column| bits >> column & 1 == 1) {
                    self.dot(x + 8 * index as i64 + column, y + row as i64, colour);
                }
            }
        }
    }

    /// Copies an interleaved RGB image, shrunk by the nearest pixel to `width` x `height`, to (x, y).
    pub fn image(&mut self, (x, y): (i64, i64), (width, height): (usize, usize), frame: &cine::RgbFrame) {
        for row in 0..height {
            for column in 0..width {
                let from_x = column * frame.width as usize / width.max(1);
                let from_y = row * frame.height as usize / height.max(1);
                if let Some(&[red, green, blue]) =
                    frame.pixels.get((from_y * frame.width as usize + from_x) * 3..).and_then(|rest| rest.first_chunk())
                {
                    self.dot(x + column as i64, y + row as i64, [red, green, blue]);
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
