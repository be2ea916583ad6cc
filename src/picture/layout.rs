//! Places of the parts of a loop's picture: image, legend, time line, sampled frames.

use plot::text_width;

/// Space around the parts, in pixels.
pub const MARGIN: f32 = 12.0;
/// Em of the text; still read when the picture is shown at half size.
pub const TEXT_SIZE: f32 = 17.0;
/// Distance of two baselines.
pub const LINE_HEIGHT: f32 = 22.0;
/// Height of the time line.
pub const TIMELINE_HEIGHT: f32 = 84.0;
/// Sampled frames in a row, at most.
const MAX_COLUMNS: usize = 6;
/// Smallest width of the picture, with room for the legend.
const MIN_WIDTH: f32 = 800.0;
/// Largest height of a sampled frame.
const MAX_THUMBNAIL_HEIGHT: f32 = 400.0;

/// Places of the parts, in pixels.
pub struct Layout {
    /// Width of the picture.
    pub width: f32,
    /// Height of the picture.
    pub height: f32,
    /// Pixels for each pixel of the loop's image in the frame at the top: a whole number, so that small images are seen well.
    pub image_scale: f32,
    /// Size of the frame at the top.
    pub image: (f32, f32),
    /// Top of the legend.
    pub legend_top: f32,
    /// Top of the time line.
    pub timeline_top: f32,
    /// Size of a sampled frame.
    pub thumbnail: (f32, f32),
    thumbnails_top: f32,
    columns: usize,
}

impl Layout {
    /// Returns the places for an image of that size and sampled frames with these captions, each a list of lines. A row
    /// has as many frames as leave room for the widest line.
    pub fn new(image: (f32, f32), captions: &[Vec<String>]) -> Self {
        let image_scale = (MIN_WIDTH / image.0.max(1.0)).floor().max(1.0);
        let image = (image.0 * image_scale, image.1 * image_scale);
        let width = image.0.max(MIN_WIDTH) + 2.0 * MARGIN;
        let caption = captions.iter().flatten().map(|line| text_width(line, TEXT_SIZE)).fold(1.0, f32::max);
        let fitting = ((width - MARGIN) / (caption + MARGIN)).floor().max(1.0) as usize;
        let columns = captions.len().clamp(1, MAX_COLUMNS.min(fitting));
        let thumbnail_width = ((width - MARGIN) / columns as f32 - MARGIN).floor();
        let thumbnail_height = (thumbnail_width * image.1 / image.0.max(1.0)).floor().clamp(1.0, MAX_THUMBNAIL_HEIGHT);
        let legend_top = image.1 + 2.0 * MARGIN;
        let timeline_top = legend_top + 2.0 * LINE_HEIGHT + MARGIN;
        let thumbnails_top = timeline_top + TIMELINE_HEIGHT + MARGIN;
        let lines = captions.iter().map(Vec::len).max().unwrap_or(0);
        let mut layout = Self {
            width,
            height: 0.0,
            image_scale,
            image,
            legend_top,
            timeline_top,
            thumbnail: (thumbnail_width, thumbnail_height),
            thumbnails_top,
            columns,
        };
        let rows = captions.len().div_ceil(columns);
        layout.height = thumbnails_top + rows as f32 * layout.row_height(lines) + MARGIN;
        layout
    }

    /// Returns the upper left corner of a sampled frame whose captions have `lines` lines.
    pub fn thumbnail_place(&self, number: usize, lines: usize) -> (f32, f32) {
        let (column, row) = (number % self.columns, number / self.columns);
        (
            MARGIN + column as f32 * (self.thumbnail.0 + MARGIN),
            self.thumbnails_top + row as f32 * self.row_height(lines),
        )
    }

    fn row_height(&self, lines: usize) -> f32 {
        self.thumbnail.1 + lines as f32 * LINE_HEIGHT + MARGIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_fit_below_their_frames() {
        let captions = vec![vec!["frame 17".to_owned(), "early diastole".to_owned()]; 12];
        for image in [(320.0, 240.0), (1016.0, 708.0), (64.0, 64.0)] {
            let layout = Layout::new(image, &captions);
            assert!(text_width("early diastole", TEXT_SIZE) <= layout.thumbnail.0, "{}", layout.thumbnail.0);
            let (x, y) = layout.thumbnail_place(11, 2);
            assert!(
                x + layout.thumbnail.0 <= layout.width && y + layout.thumbnail.1 + 2.0 * LINE_HEIGHT <= layout.height
            );
        }
    }

    #[test]
    fn a_loop_without_clips_has_no_sampled_frames() {
        let layout = Layout::new((320.0, 240.0), &[]);
        assert!(layout.height > layout.timeline_top && layout.height < layout.timeline_top + TIMELINE_HEIGHT + 40.0);
    }
}
