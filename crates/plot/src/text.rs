use crate::Color;

/// Part of a line of text that lies at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// Look of a line of text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextStyle {
    /// Em of the font, in units of the canvas.
    pub size: f32,
    /// Color.
    pub color: Color,
    /// Part that lies at the point.
    pub anchor: Anchor,
    /// True for text that runs from bottom to top.
    pub is_upright: bool,
}

impl TextStyle {
    /// Returns the style of text that runs to the right of its point.
    pub const fn new(size: f32, color: Color) -> Self {
        Self { size, color, anchor: Anchor::Start, is_upright: false }
    }
}
