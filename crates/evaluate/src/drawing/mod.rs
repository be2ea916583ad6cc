//! A drawing is a list of shapes that two writers know: SVG and PNG.

mod png_writer;
mod svg_writer;

pub(crate) use plot::Anchor;

/// A drawing in its own units, which are pixels where it is not enlarged.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// A description for those who cannot see it.
    pub title: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
}

/// A place: to the right, down.
pub(crate) type Place = (f64, f64);

/// An element of a drawing; later ones are above earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A filled box; a pointer that rests on it is told `hint`.
    Box { at: Place, size: (f64, f64), ink: Ink, hint: Option<String> },
    /// A line through some places.
    Line { places: Vec<Place>, ink: Ink, width: f64, dashed: bool },
    /// A filled outline.
    Polygon { places: Vec<Place>, ink: Ink, hint: Option<String> },
    /// A filled circle.
    Circle { at: Place, radius: f64, ink: Ink, hint: Option<String> },
    /// Words on one line.
    Text { at: Place, words: String, size: f64, anchor: Anchor, ink: Ink, upright: bool },
}

/// The color of a shape. The first three follow the reader's light or dark page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ink {
    /// Words.
    Words,
    /// Words of less weight, axes.
    Quiet,
    /// Grid lines.
    Faint,
    /// Words on a tint so strong that the page's words would not be read.
    OnStrong,
    /// A color of [`PALETTE`].
    Color(usize),
    /// The same, as strong as stated, 0 to 1.
    Tint(usize, f64),
}

/// Eight colors that color-blind people tell apart (Okabe and Ito 2008), black replaced by gray so that they are seen
/// on light and dark pages.
pub(crate) const PALETTE: [[u8; 3]; 8] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [230, 159, 0],
    [86, 180, 233],
    [140, 140, 140],
    [196, 181, 20],
];

/// Returns the width of words in units. The SVG writer's fonts are as wide at most: DejaVu Sans is wider than the system
/// fonts of browsers.
pub(crate) fn text_width(words: &str, size: f64) -> f64 {
    f64::from(plot::text_width(words, size as f32))
}

impl Drawing {
    pub(crate) fn new(title: impl Into<String>, width: f64, height: f64) -> Self {
        Self { title: title.into(), width, height, shapes: Vec::new() }
    }

    pub(crate) fn add(&mut self, shape: Shape) {
        self.shapes.push(shape);
    }

    pub(crate) fn line(&mut self, places: Vec<Place>, ink: Ink, width: f64) {
        self.add(Shape::Line { places, ink, width, dashed: false });
    }

    pub(crate) fn dashed(&mut self, from: Place, to: Place, ink: Ink) {
        self.add(Shape::Line { places: vec![from, to], ink, width: 1.0, dashed: true });
    }

    pub(crate) fn write(&mut self, at: Place, words: impl Into<String>, size: f64, anchor: Anchor, ink: Ink) {
        self.add(Shape::Text { at, words: words.into(), size, anchor, ink, upright: false });
    }

    /// Writes from below to above.
    pub(crate) fn write_upright(&mut self, at: Place, words: impl Into<String>, size: f64, anchor: Anchor, ink: Ink) {
        self.add(Shape::Text { at, words: words.into(), size, anchor, ink, upright: true });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing() -> Drawing {
        let mut drawing = Drawing::new("a <drawing> & \"more\"", 60.0, 40.0);
        drawing.add(Shape::Box { at: (2.0, 2.0), size: (10.0, 10.0), ink: Ink::Color(0), hint: Some("<b>".into()) });
        drawing.line(vec![(0.0, 39.0), (59.0, 39.0)], Ink::Quiet, 1.0);
        drawing.dashed((0.0, 35.0), (59.0, 35.0), Ink::Faint);
        drawing.add(Shape::Circle { at: (30.0, 20.0), radius: 4.0, ink: Ink::Tint(1, 0.5), hint: None });
        drawing.add(Shape::Polygon {
            places: vec![(40.0, 5.0), (50.0, 5.0), (45.0, 15.0)],
            ink: Ink::Quiet,
            hint: None,
        });
        drawing.write((20.0, 10.0), "A&B</text>", 12.0, Anchor::Middle, Ink::Words);
        drawing.write_upright((55.0, 30.0), "up", 12.0, Anchor::End, Ink::OnStrong);
        drawing
    }

    #[test]
    fn names_cannot_break_out_of_an_svg() {
        let svg = drawing().to_svg();
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.ends_with("</svg>"));
        assert!(svg.contains("A&amp;B&lt;/text&gt;") && svg.contains("<title>&lt;b&gt;</title>"));
        assert!(svg.contains("a &lt;drawing&gt; &amp; &quot;more&quot;"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
        assert!(svg.contains("rotate(-90 55 30)"));
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn a_png_shows_what_was_drawn() {
        let bytes = drawing().to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        // Twice as large, RGB.
        assert_eq!((info.width, info.height, info.color_type), (120, 80, png::ColorType::Rgb));
        let pixel = |x: usize, y: usize| &pixels[(y * 120 + x) * 3..][..3];
        // Below the words that lie over the box.
        assert_eq!(pixel(6, 22), PALETTE[0]);
        assert_eq!(pixel(118, 0), [255, 255, 255]);
        let middle = pixel(60, 40);
        assert!(middle[0] > 225 && middle[2] > 120 && middle[2] < 135, "half of the orange over white: {middle:?}");
        assert!((20..44).any(|x| (2..22).any(|y| pixel(x, y)[0] < 60)), "words are dark");
        assert!(Drawing::new("", 0.0, 5.0).to_png().is_err());
        assert!(Drawing::new("", 1e9, 5.0).to_png().is_err());
    }
}
