//! A decoded screen and the part of it that a model sees.

use super::preparation::Crop;
use crate::{Result, ZooError};

/// A decoded frame, borrowed: RGB bytes [height, width, 3].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Screen<'a> {
    pixels: &'a [[u8; 3]],
    width: usize,
    height: usize,
}

/// A rectangle of whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelArea {
    /// Columns left of it.
    pub left: usize,
    /// Rows above it.
    pub top: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl<'a> Screen<'a> {
    /// `pixels` as [height, width, 3] bytes; an error if there are more or fewer, or none.
    pub fn new(width: usize, height: usize, pixels: &'a [u8]) -> Result<Self> {
        let expected = width.checked_mul(height).and_then(|count| count.checked_mul(3));
        match pixels.as_chunks() {
            (pixels, []) if !pixels.is_empty() && expected == Some(pixels.len() * 3) => {
                Ok(Self { pixels, width, height })
            }
            _ => Err(ZooError::Screen { width, height, bytes: pixels.len() }),
        }
    }

    /// Number of columns, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The part that `crop` keeps.
    ///
    /// `sector` is the box of the ultrasound image; where it is unknown or not on the screen the whole screen stands in.
    pub fn crop(&self, crop: Crop, sector: Option<PixelArea>) -> ImageView<'a> {
        let whole = PixelArea { left: 0, top: 0, width: self.width, height: self.height };
        let (side, edge) = (self.width / 10, self.height / 15);
        let area = match crop {
            Crop::None => whole,
            Crop::Sector => sector.and_then(|sector| self.on_screen(sector)).unwrap_or(whole),
            Crop::ElevenViewsImage => {
                PixelArea { left: side, width: self.width - side, height: self.height - edge, ..whole }
            }
            Crop::ElevenViewsVideo => {
                PixelArea { left: side, top: edge, width: self.width - side, height: self.height - 2 * edge }
            }
        };
        ImageView {
            pixels: self.pixels,
            stride: self.width,
            left: area.left,
            top: area.top,
            width: area.width,
            height: area.height,
        }
    }

    /// What of `area` is on the screen; `None` if that is less than two pixels wide or high.
    fn on_screen(&self, area: PixelArea) -> Option<PixelArea> {
        let width = area.width.min(self.width.checked_sub(area.left)?);
        let height = area.height.min(self.height.checked_sub(area.top)?);
        (width > 1 && height > 1).then_some(PixelArea { width, height, ..area })
    }
}

/// A part of an image, at least one pixel, all of it in the image; most often of a screen.
#[derive(Debug, Clone, Copy)]
pub struct ImageView<'a, P = [u8; 3]> {
    pixels: &'a [P],
    stride: usize,
    left: usize,
    top: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl<'a, P> ImageView<'a, P> {
    /// All of an image whose rows have `width` pixels.
    pub fn whole(pixels: &'a [P], width: usize) -> Self {
        Self { pixels, stride: width, left: 0, top: 0, width, height: pixels.len() / width }
    }

    /// The pixels of row `y`, which is below `height`.
    pub fn row(&self, y: usize) -> &'a [P] {
        let from = (self.top + y) * self.stride + self.left;
        &self.pixels[from..from + self.width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(view: &ImageView<'_>) -> (usize, usize, usize, usize) {
        (view.left, view.top, view.width, view.height)
    }

    #[test]
    fn crops_are_those_of_the_reference() {
        let pixels = vec![0; 636 * 434 * 3];
        let screen = Screen::new(636, 434, &pixels).unwrap();
        // PIL: (w // 10, h // 15 or 0, w, h - h // 15)
        assert_eq!(area(&screen.crop(Crop::ElevenViewsVideo, None)), (63, 28, 573, 378));
        assert_eq!(area(&screen.crop(Crop::ElevenViewsImage, None)), (63, 0, 573, 406));
        assert_eq!(area(&screen.crop(Crop::Sector, None)), (0, 0, 636, 434));
    }

    #[test]
    fn a_sector_beyond_the_screen_is_cut_at_its_edge_or_not_used() {
        let pixels = vec![0; 20 * 10 * 3];
        let screen = Screen::new(20, 10, &pixels).unwrap();
        let sector = |left, top, width, height| Some(PixelArea { left, top, width, height });
        assert_eq!(area(&screen.crop(Crop::Sector, sector(5, 2, 100, 100))), (5, 2, 15, 8));
        for outside in [sector(20, 0, 5, 5), sector(usize::MAX, 0, 5, 5), sector(3, 3, 0, 5), sector(19, 0, 5, 5)] {
            assert_eq!(area(&screen.crop(Crop::Sector, outside)), (0, 0, 20, 10), "{outside:?}");
        }
    }

    #[test]
    fn a_screen_has_as_many_bytes_as_its_size_says() {
        assert!(Screen::new(2, 2, &[0; 12]).is_ok());
        for (width, height, bytes) in [(2, 2, 11), (2, 2, 15), (0, 0, 0), (0, 5, 0), (usize::MAX, 3, 9), (2, 2, 13)] {
            assert!(Screen::new(width, height, &vec![0; bytes]).is_err(), "{width} {height} {bytes}");
        }
    }
}
