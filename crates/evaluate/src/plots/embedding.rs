use super::{TITLE, WORDS};
use crate::drawing::{Anchor, Drawing, Ink, PALETTE, Place, Shape, text_width};

const SIDE: f64 = 560.0;
const LEGEND_ROWS: usize = 28;

/// Points on a plane, by class: eight colors in six forms, which distinguishes 48 classes.
///
/// `classes` gives each point's class, `None` where it is unknown or none of them. Only classes with points are named.
pub fn embedding(points: &[[f64; 2]], classes: &[Option<usize>], names: &[String]) -> Drawing {
    let title = "Features, two-dimensional";
    let present: Vec<usize> = (0..names.len()).filter(|class| classes.contains(&Some(*class))).collect();
    let column = present.iter().map(|class| text_width(&names[*class], WORDS)).fold(0.0, f64::max) + 34.0;
    let columns = present.len().div_ceil(LEGEND_ROWS) as f64;
    let mut drawing = Drawing::new(title, SIDE + 40.0 + columns * column, SIDE + 64.0);
    drawing.write((20.0, 28.0), title, TITLE, Anchor::Start, Ink::Words);
    let ends = |axis: usize| {
        let values = points.iter().map(|point| point[axis]);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let ((left, right), (low, high)) = (ends(0), ends(1));
    let reach = (right - left).max(high - low).max(f64::MIN_POSITIVE);
    let place = |point: &[f64; 2]| {
        let along = |value: f64, low: f64, high: f64| 0.5 + 0.94 * (value - (low + high) / 2.0) / reach;
        (20.0 + SIDE * along(point[0], left, right), 44.0 + SIDE * (1.0 - along(point[1], low, high)))
    };
    // Points of no class first, below the others.
    let all = || points.iter().zip(classes);
    for (point, _) in all().filter(|(_, class)| class.is_none()) {
        let hint = Some("no class".to_owned());
        drawing.add(Shape::Circle { at: place(point), radius: 2.5, ink: Ink::Quiet, hint });
    }
    for (point, class) in all() {
        if let Some(class) = *class {
            let name = names.get(class).cloned().unwrap_or_else(|| class.to_string());
            drawing.add(marker(class, place(point), Ink::Tint(class % PALETTE.len(), 0.8), Some(name)));
        }
    }
    for (index, class) in present.iter().enumerate() {
        let x = SIDE + 44.0 + column * (index / LEGEND_ROWS) as f64;
        let y = 58.0 + 20.0 * (index % LEGEND_ROWS) as f64;
        drawing.add(marker(*class, (x, y), Ink::Color(class % PALETTE.len()), None));
        drawing.write((x + 12.0, y + 4.0), names[*class].clone(), WORDS, Anchor::Start, Ink::Words);
    }
    drawing
}

/// The form of a class: the color changes first, then the form.
fn marker(class: usize, (x, y): Place, ink: Ink, hint: Option<String>) -> Shape {
    let polygon = |corners: &[(f64, f64)], hint| Shape::Polygon {
        places: corners.iter().map(|(right, down)| (x + 4.0 * right, y + 4.0 * down)).collect(),
        ink,
        hint,
    };
    match class / PALETTE.len() % 6 {
        0 => Shape::Circle { at: (x, y), radius: 3.6, ink, hint },
        1 => polygon(&[(0.0, -1.15), (1.05, 0.75), (-1.05, 0.75)], hint),
        2 => polygon(&[(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)], hint),
        3 => polygon(&[(0.0, -1.2), (0.8, 0.0), (0.0, 1.2), (-0.8, 0.0)], hint),
        4 => polygon(&[(0.0, 1.15), (1.05, -0.75), (-1.05, -0.75)], hint),
        _ => polygon(&[(-1.2, -0.4), (1.2, -0.4), (1.2, 0.4), (-1.2, 0.4)], hint),
    }
}
