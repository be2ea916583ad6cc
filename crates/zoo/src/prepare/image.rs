//! The part of a decoded frame that a model sees.

use domain::{PixelRect, RgbView};

use super::preparation::Crop;

/// A part of an image, at least one pixel, all of it in the image; most often of a decoded frame.
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

impl<'a> ImageView<'a> {
    /// Returns the part of a frame, at least one pixel wide and high, that `crop` keeps.
    ///
    /// `sector` is the rectangle of the ultrasound image; where it is unknown, or less than two pixels of it in width or
    /// height lie on the frame, the whole frame stands in.
    pub fn from_frame(frame: RgbView<'a>, crop: Crop, sector: Option<PixelRect>) -> Self {
        let (columns, rows) = (frame.width() as usize, frame.height() as usize);
        let (side, edge) = (columns / 10, rows / 15);
        let part =
            |left, top, width, height| Self { pixels: frame.pixels(), stride: columns, left, top, width, height };
        match crop {
            Crop::None => part(0, 0, columns, rows),
            Crop::Sector => {
                let visible = sector.and_then(|sector| sector.within(frame.width(), frame.height()));
                match visible.filter(|visible| visible.width() > 1 && visible.height() > 1) {
                    Some(visible) => part(
                        visible.x0 as usize,
                        visible.y0 as usize,
                        visible.width() as usize,
                        visible.height() as usize,
                    ),
                    None => part(0, 0, columns, rows),
                }
            }
            Crop::ElevenViewsImage => part(side, 0, columns - side, rows - edge),
            Crop::ElevenViewsVideo => part(side, edge, columns - side, rows - 2 * edge),
        }
    }
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
        let frame = RgbView::new(636, 434, &pixels).unwrap();
        // PIL: (w // 10, h // 15 or 0, w, h - h // 15)
        assert_eq!(area(&ImageView::from_frame(frame, Crop::ElevenViewsVideo, None)), (63, 28, 573, 378));
        assert_eq!(area(&ImageView::from_frame(frame, Crop::ElevenViewsImage, None)), (63, 0, 573, 406));
        assert_eq!(area(&ImageView::from_frame(frame, Crop::Sector, None)), (0, 0, 636, 434));
    }

    #[test]
    fn a_sector_beyond_the_frame_is_cut_at_its_edge_or_not_used() {
        let pixels = vec![0; 20 * 10 * 3];
        let frame = RgbView::new(20, 10, &pixels).unwrap();
        let sector = |x0, y0, x1, y1| Some(PixelRect { x0, y0, x1, y1 });
        assert_eq!(area(&ImageView::from_frame(frame, Crop::Sector, sector(5, 2, 100, 100))), (5, 2, 15, 8));
        for outside in
            [sector(20, 0, 24, 4), sector(u32::MAX, 0, u32::MAX, 4), sector(3, 3, 2, 7), sector(19, 0, 24, 4)]
        {
            let whole = area(&ImageView::from_frame(frame, Crop::Sector, outside));
            assert_eq!(whole, (0, 0, 20, 10), "{outside:?}");
        }
    }
}
