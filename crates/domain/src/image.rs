//! RGB images, owned and borrowed.

use crate::PixelRect;

/// A size that does not fit the number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an RGB image of {width} x {height} pixels has {width} x {height} x 3 bytes, not {bytes}")]
pub struct ImageSizeMismatch {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Number of bytes that were given.
    pub bytes: usize,
}

fn check(width: u32, height: u32, bytes: usize) -> Result<(), ImageSizeMismatch> {
    let expected = (width as usize).checked_mul(height as usize).and_then(|pixels| pixels.checked_mul(3));
    (expected == Some(bytes)).then_some(()).ok_or(ImageSizeMismatch { width, height, bytes })
}

/// An owned RGB image of 8 bits a sample: `[height, width, 3]`, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl RgbImage {
    /// Returns the image of these pixels.
    ///
    /// # Errors
    /// `pixels` has not exactly `width * height * 3` bytes.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, ImageSizeMismatch> {
        check(width, height, pixels.len())?;
        Ok(Self { width, height, pixels })
    }

    /// Returns a black image.
    pub fn black(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![0; width as usize * height as usize * 3] }
    }

    /// Returns the number of columns.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Returns the number of rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Returns the samples `[height, width, 3]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns the samples `[height, width, 3]` for drawing.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// Blackens everything outside the parts of an image that may be shown.
    pub fn blacken_outside(&mut self, parts: &[PixelRect]) {
        let width = self.width().max(1) as usize;
        for (number, pixel) in self.pixels.chunks_exact_mut(3).enumerate() {
            let (x, y) = ((number % width) as u32, (number / width) as u32);
            if !parts.iter().any(|part| part.contains(x, y)) {
                pixel.fill(0);
            }
        }
    }

    /// Gives up the image for its samples.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Borrows the image.
    pub fn view(&self) -> RgbView<'_> {
        RgbView { width: self.width, height: self.height, pixels: &self.pixels }
    }
}

/// A borrowed RGB image of 8 bits a sample: `[height, width, 3]`, rows from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RgbView<'a> {
    width: u32,
    height: u32,
    pixels: &'a [u8],
}

impl<'a> RgbView<'a> {
    /// Returns the image of these pixels.
    ///
    /// # Errors
    /// `pixels` has not exactly `width * height * 3` bytes.
    pub fn new(width: u32, height: u32, pixels: &'a [u8]) -> Result<Self, ImageSizeMismatch> {
        check(width, height, pixels.len())?;
        Ok(Self { width, height, pixels })
    }

    /// Returns the number of columns.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Returns the number of rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Returns the samples `[height, width, 3]`.
    pub const fn samples(&self) -> &'a [u8] {
        self.pixels
    }

    /// Returns the pixels, row after row.
    pub fn pixels(&self) -> &'a [[u8; 3]] {
        self.pixels.as_chunks().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_as_many_bytes_as_its_size_says() {
        assert!(RgbImage::new(2, 2, vec![0; 12]).is_ok());
        assert!(RgbImage::new(2, 2, vec![0; 11]).is_err());
        assert!(RgbView::new(0, 7, &[]).is_ok());
        assert!(RgbView::new(u32::MAX, u32::MAX, &[0; 3]).is_err());
    }
}
