//! The part of a frame that a model sees.

use domain::{PixelRect, RgbView};
use zoo::Crop;

use crate::{PreprocessError, Result};

/// A part of an image, at least one pixel, all of it inside the image.
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
    /// Returns the view of a whole image whose rows have `width` pixels.
    pub fn whole(pixels: &'a [P], width: usize) -> Self {
        Self { pixels, stride: width, left: 0, top: 0, width, height: pixels.len() / width }
    }

    /// Returns the pixels of row `y`, which is below `height`.
    pub fn row(&self, y: usize) -> &'a [P] {
        let from = (self.top + y) * self.stride + self.left;
        &self.pixels[from..from + self.width]
    }
}

impl<'a> ImageView<'a> {
    /// Returns the part of `frame` that `crop` keeps.
    ///
    /// `sector` is the box of the ultrasound image; where it is unknown or not on the frame, the whole frame is kept.
    ///
    /// # Errors
    /// The frame has no pixel.
    pub fn cropped(frame: RgbView<'a>, crop: Crop, sector: Option<PixelRect>) -> Result<Self> {
        let (columns, rows) = (frame.width(), frame.height());
        let rect = crop_rect((columns, rows), crop, sector).ok_or(PreprocessError::EmptyFrame { columns, rows })?;
        Ok(Self {
            pixels: frame.pixels(),
            stride: columns as usize,
            left: rect.x0 as usize,
            top: rect.y0 as usize,
            width: rect.width() as usize,
            height: rect.height() as usize,
        })
    }
}

/// Returns the part of a frame of `columns` x `rows` that a crop keeps; `None` for a frame without a pixel.
///
/// `sector` is the box of the ultrasound image; where it is unknown or not on the frame, the whole frame is kept.
pub fn crop_rect((columns, rows): (u32, u32), crop: Crop, sector: Option<PixelRect>) -> Option<PixelRect> {
    let whole = PixelRect::whole(columns, rows)?;
    let (side, edge) = (columns / 10, rows / 15);
    Some(match crop {
        Crop::None => whole,
        Crop::Sector => sector.and_then(|sector| on_frame(sector, columns, rows)).unwrap_or(whole),
        Crop::ElevenViewsImage => PixelRect { x0: side, y1: whole.y1 - edge, ..whole },
        Crop::ElevenViewsVideo => PixelRect { x0: side, y0: edge, y1: whole.y1 - edge, ..whole },
        Crop::EchoPrime => echo_prime(columns, rows),
    })
}

/// Returns the square in the middle without a tenth of it at each side. As the authors round, a side may be one pixel longer.
fn echo_prime(columns: u32, rows: u32) -> PixelRect {
    let along = |length: u32, other: u32| {
        let excess = (f64::from(length.saturating_sub(other)) / 2.0).round_ties_even() as u32;
        let excess = excess.min((length - 1) / 2);
        let cut = (f64::from(length - 2 * excess) * 0.1) as u32;
        (excess + cut, length - 1 - excess - cut)
    };
    let ((x0, x1), (y0, y1)) = (along(columns, rows), along(rows, columns));
    PixelRect { x0, y0, x1, y1 }
}

/// Returns the part of `rect` on the frame; `None` if that is less than two pixels wide or high.
fn on_frame(rect: PixelRect, columns: u32, rows: u32) -> Option<PixelRect> {
    rect.within(columns, rows).filter(|rect| rect.width() > 1 && rect.height() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cropped(pixels: &[u8], (width, height): (u32, u32), crop: Crop, sector: Option<PixelRect>) -> [usize; 4] {
        let frame = RgbView::new(width, height, pixels).unwrap();
        let view = ImageView::cropped(frame, crop, sector).unwrap();
        [view.left, view.top, view.width, view.height]
    }

    #[test]
    fn crops_are_those_of_the_reference() {
        let pixels = vec![0; 636 * 434 * 3];
        let cropped = |crop| cropped(&pixels, (636, 434), crop, None);
        // PIL: (w // 10, h // 15 or 0, w, h - h // 15)
        assert_eq!(cropped(Crop::ElevenViewsVideo), [63, 28, 573, 378]);
        assert_eq!(cropped(Crop::ElevenViewsImage), [63, 0, 573, 406]);
        assert_eq!(cropped(Crop::Sector), [0, 0, 636, 434]);
        assert_eq!(cropped(Crop::EchoPrime), [101 + 43, 43, 434 - 86, 434 - 86]);
    }

    #[test]
    fn the_square_of_echo_prime_is_never_empty() {
        for (columns, rows) in [(1, 1), (2, 1), (1, 9), (3, 2), (1000, 1), (7, 6), (101, 100)] {
            let rect = echo_prime(columns, rows);
            assert!(rect.x0 <= rect.x1 && rect.x1 < columns && rect.y0 <= rect.y1 && rect.y1 < rows, "{rect:?}");
        }
    }

    #[test]
    fn a_sector_beyond_the_frame_is_cut_at_its_edge_or_not_used() {
        let pixels = vec![0; 20 * 10 * 3];
        let cropped = |x0, y0, x1, y1| cropped(&pixels, (20, 10), Crop::Sector, Some(PixelRect { x0, y0, x1, y1 }));
        assert_eq!(cropped(5, 2, 104, 101), [5, 2, 15, 8]);
        for [x0, y0, x1, y1] in [[20, 0, 24, 4], [u32::MAX, 0, u32::MAX, 4], [3, 3, 2, 8], [19, 0, 23, 4]] {
            assert_eq!(cropped(x0, y0, x1, y1), [0, 0, 20, 10], "{x0} {y0} {x1} {y1}");
        }
    }

    #[test]
    fn a_frame_without_pixels_is_an_error() {
        for (width, height) in [(0, 0), (0, 5), (5, 0)] {
            let frame = RgbView::new(width, height, &[]).unwrap();
            assert!(ImageView::cropped(frame, Crop::None, None).is_err(), "{width} {height}");
        }
    }
}
