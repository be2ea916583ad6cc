use tiny_skia::Paint;

/// An sRGB color.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Color {
    /// Red, green and blue.
    pub rgb: [u8; 3],
    /// Opacity, 0 to 1.
    pub alpha: f32,
}

impl Color {
    /// Returns an opaque color.
    pub const fn opaque(rgb: [u8; 3]) -> Self {
        Self { rgb, alpha: 1.0 }
    }

    pub(crate) fn skia(self) -> tiny_skia::Color {
        let [red, green, blue] = self.rgb;
        let mut color = tiny_skia::Color::from_rgba8(red, green, blue, 255);
        color.set_alpha(self.alpha);
        color
    }

    pub(crate) fn paint(self) -> Paint<'static> {
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color(self.skia());
        paint
    }
}
