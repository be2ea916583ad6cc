use font8x8::{BASIC_FONTS, UnicodeFonts};

/// The rows of a letter from the top; bit 0 is the leftmost pixel. A letter outside ASCII becomes a question mark.
pub fn glyph(letter: char) -> [u8; 8] {
    BASIC_FONTS.get(letter).or_else(|| BASIC_FONTS.get('?')).unwrap_or_default()
}
