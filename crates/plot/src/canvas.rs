use std::ops::Range;

use domain::RgbView;
use tiny_skia::{
    FillRule, LineCap, LineJoin, Path, PathBuilder, Pixmap, PremultipliedColorU8, Rect, Stroke, StrokeDash, Transform,
};

use crate::font::{text_path, text_width};
use crate::{Anchor, Color, PlotError, Result, TextStyle};

/// A point: to the right, down, in units of the canvas.
pub type Point = (f32, f32);

/// Longest side of a canvas, in units.
const MAX_SIDE: f64 = 8000.0;

/// Lengths of a dash and of the gap behind it, in units.
const DASH: [f32; 2] = [4.0, 3.0];

/// Look of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineStyle {
    /// Color.
    pub color: Color,
    /// Width in units.
    pub width: f32,
    /// True for a dashed line.
    pub is_dashed: bool,
}

/// An image to draw on; what lies outside is left out.
pub struct Canvas {
    pixmap: Pixmap,
    pixels_per_unit: f32,
}

impl Canvas {
    /// Returns a canvas of one color. `width` and `height` are in units.
    ///
    /// # Errors
    /// [`PlotError::Size`] for a side that is not positive or beyond 8000 units.
    pub fn new(width: f64, height: f64, pixels_per_unit: f32, background: Color) -> Result<Self> {
        let pixels = |length: f64| (length * f64::from(pixels_per_unit)).ceil() as u32;
        let mut pixmap = (width <= MAX_SIDE && height <= MAX_SIDE)
            .then(|| Pixmap::new(pixels(width), pixels(height)))
            .flatten()
            .ok_or(PlotError::Size { width, height })?;
        pixmap.fill(background.skia());
        Ok(Self { pixmap, pixels_per_unit })
    }

    /// Fills a rectangle; one without an area is left out.
    pub fn fill_rect(&mut self, (x, y): Point, (width, height): (f32, f32), color: Color) {
        if let Some(area) = Rect::from_xywh(x, y, width, height) {
            self.pixmap.fill_rect(area, &color.paint(), self.to_pixels(), None);
        }
    }

    /// Draws the frame of a rectangle, `line_width` wide, within it.
    pub fn outline(&mut self, (x, y): Point, (width, height): (f32, f32), line_width: f32, color: Color) {
        self.fill_rect((x, y), (width, line_width), color);
        self.fill_rect((x, y + height - line_width), (width, line_width), color);
        self.fill_rect((x, y), (line_width, height), color);
        self.fill_rect((x + width - line_width, y), (line_width, height), color);
    }

    /// Fills a circle.
    pub fn fill_circle(&mut self, (x, y): Point, radius: f32, color: Color) {
        self.fill(PathBuilder::from_circle(x, y, radius), color);
    }

    /// Fills a polygon.
    pub fn fill_polygon(&mut self, corners: &[Point], color: Color) {
        self.fill(path(corners, true), color);
    }

    /// Draws a line through points.
    pub fn line(&mut self, points: &[Point], style: LineStyle) {
        let Some(path) = path(points, false) else { return };
        let stroke = Stroke {
            width: style.width,
            line_cap: LineCap::Butt,
            line_join: LineJoin::Round,
            dash: style.is_dashed.then(|| StrokeDash::new(DASH.to_vec(), 0.0)).flatten(),
            ..Stroke::default()
        };
        self.pixmap.stroke_path(&path, &style.color.paint(), &stroke, self.to_pixels(), None);
    }

    /// Draws a line of text with its baseline at `at`. Its beginning is moved to a whole pixel, which keeps stems sharp.
    pub fn text(&mut self, at: Point, text: &str, style: TextStyle) {
        let scale = self.pixels_per_unit;
        let size = style.size * scale;
        let Some(outline) = text_path(text, size) else { return };
        let start = match style.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -text_width(text, size) / 2.0,
            Anchor::End => -text_width(text, size),
        };
        let origin = Transform::from_translate((at.0 * scale).round(), (at.1 * scale).round());
        let turned = if style.is_upright { origin.pre_rotate(-90.0) } else { origin };
        let transform = turned.pre_translate(start.round(), 0.0);
        self.pixmap.fill_path(&outline, &style.color.paint(), FillRule::Winding, transform, None);
    }

    /// Draws an image scaled to `size` by averaging the pixels that fall together.
    pub fn image(&mut self, at: Point, size: (f32, f32), image: RgbView<'_>) {
        let pixels = |length: f32| (length * self.pixels_per_unit).round().max(0.0) as usize;
        let (left, top, width, height) = (pixels(at.0), pixels(at.1), pixels(size.0), pixels(size.1));
        let (canvas_width, canvas_height) = (self.pixmap.width() as usize, self.pixmap.height() as usize);
        let (image_width, image_height) = (image.width() as usize, image.height() as usize);
        for row in 0..height.min(canvas_height.saturating_sub(top)) {
            let rows = source_range(row, height, image_height);
            for column in 0..width.min(canvas_width.saturating_sub(left)) {
                let columns = source_range(column, width, image_width);
                if let Some([red, green, blue]) = mean(image, &columns, &rows) {
                    let pixel = (top + row) * canvas_width + left + column;
                    self.pixmap.pixels_mut()[pixel] = PremultipliedColorU8::from_rgba(red, green, blue, 255)
                        .unwrap_or(PremultipliedColorU8::TRANSPARENT);
                }
            }
        }
    }

    /// Encodes the canvas as an RGB PNG.
    ///
    /// # Errors
    /// [`PlotError::Png`] from the encoder.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let rgb: Vec<u8> =
            self.pixmap.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.pixmap.width(), self.pixmap.height());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&rgb)?;
        writer.finish()?;
        Ok(bytes)
    }

    fn fill(&mut self, path: Option<Path>, color: Color) {
        if let Some(path) = path {
            self.pixmap.fill_path(&path, &color.paint(), FillRule::Winding, self.to_pixels(), None);
        }
    }

    fn to_pixels(&self) -> Transform {
        Transform::from_scale(self.pixels_per_unit, self.pixels_per_unit)
    }
}

fn path(points: &[Point], is_closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (index, (x, y)) in points.iter().enumerate() {
        if index == 0 {
            builder.move_to(*x, *y);
        } else {
            builder.line_to(*x, *y);
        }
    }
    if is_closed {
        builder.close();
    }
    builder.finish()
}

/// The source pixels that fall on pixel `position` of `length` when `source_length` pixels are scaled to `length`.
fn source_range(position: usize, length: usize, source_length: usize) -> Range<usize> {
    let start = position * source_length / length;
    start..((position + 1) * source_length / length).max(start + 1).min(source_length)
}

fn mean(image: RgbView<'_>, columns: &Range<usize>, rows: &Range<usize>) -> Option<[u8; 3]> {
    let width = image.width() as usize;
    let mut sums = [0; 3];
    for row in rows.clone() {
        for pixel in image.pixels().get(row * width + columns.start..row * width + columns.end)? {
            for (sum, sample) in sums.iter_mut().zip(pixel) {
                *sum += usize::from(*sample);
            }
        }
    }
    let count = columns.len() * rows.len();
    (count > 0).then(|| sums.map(|sum| (sum / count) as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Color = Color::opaque([255; 3]);
    const BLACK: Color = Color::opaque([0; 3]);

    fn pixels(canvas: &Canvas) -> (usize, Vec<u8>) {
        let bytes = canvas.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        (info.width as usize, pixels)
    }

    /// Columns and rows of the pixels that are darker than half, as a bounding box with both ends.
    fn dark_box(canvas: &Canvas) -> Option<[usize; 4]> {
        let (width, pixels) = pixels(canvas);
        let dark = || pixels.chunks_exact(3).enumerate().filter(|(_, pixel)| pixel[0] < 128).map(|(index, _)| index);
        let columns = || dark().map(|index| index % width);
        let rows = || dark().map(|index| index / width);
        Some([columns().min()?, rows().min()?, columns().max()?, rows().max()?])
    }

    #[test]
    fn shapes_fill_their_pixels() {
        let mut canvas = Canvas::new(20.0, 10.0, 2.0, WHITE).unwrap();
        canvas.fill_rect((1.0, 2.0), (3.0, 4.0), BLACK);
        assert_eq!(dark_box(&canvas), Some([2, 4, 7, 11]));
        let mut canvas = Canvas::new(20.0, 10.0, 1.0, WHITE).unwrap();
        canvas.outline((2.0, 3.0), (10.0, 5.0), 1.0, BLACK);
        let (width, pixels) = pixels(&canvas);
        assert_eq!(dark_box(&canvas), Some([2, 3, 11, 7]));
        assert_eq!(pixels[(5 * width + 6) * 3], 255, "the middle stays free");
    }

    #[test]
    fn text_lies_at_its_anchor_and_nothing_is_cut_off() {
        let mut canvas = Canvas::new(120.0, 40.0, 1.0, WHITE).unwrap();
        canvas.text((10.0, 30.0), "HEH", TextStyle::new(20.0, BLACK));
        let [left, top, right, bottom] = dark_box(&canvas).unwrap();
        assert!((10..14).contains(&left) && right <= 10 + text_width("HEH", 20.0) as usize, "{left} to {right}");
        assert!((14..17).contains(&top) && bottom == 29, "{top} to {bottom}");
        let mut canvas = Canvas::new(40.0, 120.0, 1.0, WHITE).unwrap();
        let style = TextStyle { anchor: Anchor::End, is_upright: true, ..TextStyle::new(20.0, BLACK) };
        canvas.text((30.0, 10.0), "HEH", style);
        let [left, top, right, _] = dark_box(&canvas).unwrap();
        assert!((10..14).contains(&top) && right == 29 && left < 17, "{left} {top} {right}");
    }

    #[test]
    fn an_image_is_averaged_and_clipped() {
        let samples: Vec<u8> = [10, 20, 30, 40].iter().flat_map(|level| [*level; 3]).collect();
        let image = RgbView::new(4, 1, &samples).unwrap();
        let mut canvas = Canvas::new(3.0, 2.0, 1.0, WHITE).unwrap();
        canvas.image((2.0, 0.0), (2.0, 1.0), image);
        canvas.image((0.0, 1.0), (2.0, 1.0), image);
        let (_, pixels) = pixels(&canvas);
        let reds: Vec<u8> = pixels.chunks_exact(3).map(|pixel| pixel[0]).collect();
        assert_eq!(reds, [255, 255, 15, 15, 35, 255]);
    }

    #[test]
    fn sizes_that_cannot_be_drawn_are_refused() {
        for (width, height) in [(0.0, 5.0), (1e9, 5.0), (f64::NAN, 5.0)] {
            assert!(matches!(Canvas::new(width, height, 1.0, WHITE), Err(PlotError::Size { .. })));
        }
    }
}
