use plot::{Canvas, Color, LineStyle, TextStyle};

use super::{Drawing, Ink, PALETTE, Place, Shape};
use crate::error::Result;

/// Pixels for a unit of the drawing.
const PIXELS_PER_UNIT: f32 = 2.0;

impl Drawing {
    /// Returns the drawing as an RGB PNG for a light page, at two pixels a unit.
    ///
    /// # Errors
    /// [`EvaluateError::Plot`](crate::EvaluateError::Plot) for a size that cannot be drawn.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let mut canvas = Canvas::new(self.width, self.height, PIXELS_PER_UNIT, Color::opaque([255; 3]))?;
        for shape in &self.shapes {
            draw(&mut canvas, shape);
        }
        Ok(canvas.to_png()?)
    }
}

fn draw(canvas: &mut Canvas, shape: &Shape) {
    match shape {
        Shape::Box { at, size, ink, .. } => canvas.fill_rect(point(*at), point(*size), color(*ink)),
        Shape::Circle { at, radius, ink, .. } => canvas.fill_circle(point(*at), *radius as f32, color(*ink)),
        Shape::Polygon { places, ink, .. } => canvas.fill_polygon(&points(places), color(*ink)),
        Shape::Line { places, ink, width, dashed } => {
            let style = LineStyle { color: color(*ink), width: *width as f32, is_dashed: *dashed };
            canvas.line(&points(places), style);
        }
        Shape::Text { at, words, size, anchor, ink, upright } => {
            let style = TextStyle { size: *size as f32, color: color(*ink), anchor: *anchor, is_upright: *upright };
            canvas.text(point(*at), words, style);
        }
    }
}

fn point((x, y): Place) -> plot::Point {
    (x as f32, y as f32)
}

fn points(places: &[Place]) -> Vec<plot::Point> {
    places.iter().map(|place| point(*place)).collect()
}

fn color(ink: Ink) -> Color {
    match ink {
        Ink::Words => Color::opaque([0x1f, 0x23, 0x28]),
        Ink::Quiet => Color::opaque([0x59, 0x63, 0x6e]),
        Ink::Faint => Color::opaque([0xdf, 0xe3, 0xe8]),
        Ink::OnStrong => Color::opaque([255; 3]),
        Ink::Color(index) => Color::opaque(PALETTE[index % PALETTE.len()]),
        Ink::Tint(index, strength) => Color { rgb: PALETTE[index % PALETTE.len()], alpha: strength as f32 },
    }
}
