//! The outlines of the embedded font.

use std::sync::LazyLock;

use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// DejaVu Sans, a subset: `font/README.md` says which.
static FONT: &[u8] = include_bytes!("../font/DejaVuSans-subset.ttf");

static FACE: LazyLock<Face<'static>> = LazyLock::new(|| Face::parse(FONT, 0).expect("the embedded font is sound"));

/// Drawn for characters that the font lacks.
const REPLACEMENT: char = '?';

/// Returns the width of a line of text, in the unit of `size`, the font's em.
pub fn text_width(text: &str, size: f32) -> f32 {
    let scale = scale(size);
    text.chars().map(|letter| advance(glyph(letter)) * scale).sum()
}

/// Returns the outline of a line of text that begins at the origin of its baseline; none where nothing is visible.
pub(crate) fn text_path(text: &str, size: f32) -> Option<Path> {
    let mut outline = Outline { path: PathBuilder::new(), scale: scale(size), left: 0.0 };
    for letter in text.chars() {
        let glyph = glyph(letter);
        // A space has no outline.
        let _bounds = FACE.outline_glyph(glyph, &mut outline);
        outline.left += advance(glyph) * outline.scale;
    }
    outline.path.finish()
}

fn scale(size: f32) -> f32 {
    size / f32::from(FACE.units_per_em())
}

fn glyph(letter: char) -> GlyphId {
    FACE.glyph_index(letter).or_else(|| FACE.glyph_index(REPLACEMENT)).unwrap_or_default()
}

fn advance(glyph: GlyphId) -> f32 {
    FACE.glyph_hor_advance(glyph).map_or(0.0, f32::from)
}

/// Glyphs joined to one path; the font's y axis points up, the canvas's down.
struct Outline {
    path: PathBuilder,
    scale: f32,
    left: f32,
}

impl Outline {
    fn x(&self, x: f32) -> f32 {
        self.left + x * self.scale
    }

    fn y(&self, y: f32) -> f32 {
        -y * self.scale
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.x(x), self.y(y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.x(x), self.y(y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.path.quad_to(self.x(x1), self.y(y1), self.x(x), self.y(y));
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.path.cubic_to(self.x(x1), self.y(y1), self.x(x2), self.y(y2), self.x(x), self.y(y));
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // DejaVu Sans: 2048 units an em; i is 569 wide, m is 1995.
        assert!((text_width("i", 2048.0) - 569.0).abs() < 0.01);
        assert!((text_width("im", 1024.0) - (569.0 + 1995.0) / 2.0).abs() < 0.01);
        assert_eq!(text_width("", 12.0), 0.0);
    }

    #[test]
    fn every_letter_that_labels_use_has_a_glyph() {
        for letter in (' '..='~').chain("äöüßéèñçøåłőșŽµ°±×≤≥–—…αβ".chars()) {
            assert!(FACE.glyph_index(letter).is_some(), "{letter}");
        }
        assert_eq!(glyph('\u{4e00}'), glyph('?'));
    }

    #[test]
    fn an_outline_lies_above_the_baseline_within_the_width() {
        let bounds = text_path("EH", 100.0).unwrap().bounds();
        assert!(bounds.left() > 0.0 && bounds.right() < text_width("EH", 100.0));
        // Capitals of DejaVu Sans are 1493 of 2048 units tall.
        assert!(bounds.bottom().abs() < 0.01 && (bounds.top() + 72.9).abs() < 0.1, "{bounds:?}");
        assert!(text_path("  ", 100.0).is_none());
    }
}
