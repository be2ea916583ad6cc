use font8x8::{BASIC_FONTS, LATIN_FONTS, UnicodeFonts};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};

use super::{Anchor, Drawing, Ink, PALETTE, Place, Shape};
use crate::error::{EvaluateError, Result};

/// Pixels for a unit of the drawing.
const SCALE: f32 = 2.0;

/// The longest side in units.
const LONGEST: f64 = 8000.0;

impl Drawing {
    /// The drawing as an RGB PNG for a light page, at two pixels a unit. Words are drawn with an 8 x 8 font, so that a
    /// machine without fonts draws the same.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let impossible = || EvaluateError::ImageSize { width: self.width, height: self.height };
        if !(self.width <= LONGEST && self.height <= LONGEST) {
            return Err(impossible());
        }
        let pixels = |length: f64| (length * f64::from(SCALE)).ceil() as u32;
        let mut pixmap = Pixmap::new(pixels(self.width), pixels(self.height)).ok_or_else(impossible)?;
        pixmap.fill(Color::WHITE);
        for shape in &self.shapes {
            draw(&mut pixmap, shape);
        }
        encode(&pixmap).map_err(EvaluateError::Png)
    }
}

fn encode(pixmap: &Pixmap) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let rgb: Vec<u8> = pixmap.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(bytes)
}

fn draw(pixmap: &mut Pixmap, shape: &Shape) {
    let to_pixels = Transform::from_scale(SCALE, SCALE);
    match shape {
        Shape::Box { at: (x, y), size: (width, height), ink, .. } => {
            // A box without an area has nothing to fill.
            if let Some(area) = Rect::from_xywh(*x as f32, *y as f32, *width as f32, *height as f32) {
                pixmap.fill_rect(area, &paint(*ink), to_pixels, None);
            }
        }
        Shape::Circle { at: (x, y), radius, ink, .. } => {
            let circle = PathBuilder::from_circle(*x as f32, *y as f32, *radius as f32);
            fill(pixmap, circle, *ink);
        }
        Shape::Polygon { places, ink, .. } => fill(pixmap, path(places, true), *ink),
        Shape::Line { places, ink, width, dashed } => {
            let Some(path) = path(places, false) else { return };
            let stroke = Stroke {
                width: *width as f32,
                line_cap: LineCap::Butt,
                line_join: LineJoin::Round,
                dash: dashed.then(|| StrokeDash::new(vec![4.0, 3.0], 0.0)).flatten(),
                ..Stroke::default()
            };
            pixmap.stroke_path(&path, &paint(*ink), &stroke, to_pixels, None);
        }
        Shape::Text { at, words, size, anchor, ink, upright } => {
            write(pixmap, *at, words, *size, *anchor, *ink, *upright);
        }
    }
}

fn fill(pixmap: &mut Pixmap, path: Option<Path>, ink: Ink) {
    if let Some(path) = path {
        pixmap.fill_path(&path, &paint(ink), FillRule::Winding, Transform::from_scale(SCALE, SCALE), None);
    }
}

fn path(places: &[Place], close: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (index, (x, y)) in places.iter().enumerate() {
        if index == 0 {
            builder.move_to(*x as f32, *y as f32);
        } else {
            builder.line_to(*x as f32, *y as f32);
        }
    }
    if close {
        builder.close();
    }
    builder.finish()
}

/// Draws words so that `at` is on their baseline. A letter is 8 x 8 dots, the lowest row below the baseline; a dot is a
/// whole number of pixels, so that letters are crisp.
fn write(pixmap: &mut Pixmap, at: Place, words: &str, size: f64, anchor: Anchor, ink: Ink, upright: bool) {
    let dot = ((size as f32 * SCALE / 12.0).floor()).max(1.0);
    let length = 8.0 * dot * words.chars().count() as f32;
    let start = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -length / 2.0,
        Anchor::End => -length,
    };
    let origin = Transform::from_translate((at.0 as f32 * SCALE).round(), (at.1 as f32 * SCALE).round());
    let turned = if upright { origin.pre_rotate(-90.0) } else { origin };
    let mut paint = paint(ink);
    paint.anti_alias = false;
    for (index, letter) in words.chars().enumerate() {
        let left = start.round() + 8.0 * dot * index as f32;
        for (row, bits) in glyph(letter).into_iter().enumerate() {
            for column in (0..8).filter(|column| bits >> column & 1 == 1) {
                let (x, y) = (left + dot * column as f32, dot * (row as f32 - 7.0));
                if let Some(area) = Rect::from_xywh(x, y, dot, dot) {
                    pixmap.fill_rect(area, &paint, turned, None);
                }
            }
        }
    }
}

/// The rows of a letter from the top; bit 0 is the leftmost dot. A letter without a glyph becomes a question mark.
fn glyph(letter: char) -> [u8; 8] {
    let found = BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter));
    found.or_else(|| BASIC_FONTS.get('?')).unwrap_or_default()
}

fn paint(ink: Ink) -> Paint<'static> {
    let opaque = |[red, green, blue]: [u8; 3]| Color::from_rgba8(red, green, blue, 255);
    let color = match ink {
        Ink::Words => opaque([0x1f, 0x23, 0x28]),
        Ink::Quiet => opaque([0x59, 0x63, 0x6e]),
        Ink::Faint => opaque([0xdf, 0xe3, 0xe8]),
        Ink::OnStrong => Color::WHITE,
        Ink::Color(index) => opaque(PALETTE[index % PALETTE.len()]),
        Ink::Tint(index, strength) => {
            let mut color = opaque(PALETTE[index % PALETTE.len()]);
            color.set_alpha(strength as f32);
            color
        }
    };
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(color);
    paint
}
