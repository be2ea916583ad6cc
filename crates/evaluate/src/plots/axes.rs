use super::{TITLE, WORDS};
use crate::drawing::{Anchor, Drawing, Ink, Place};

/// A frame in which values have places.
pub(super) struct Axes {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
}

impl Axes {
    /// The usual frame, below a title, within a plot of [`Axes::WIDTH`] x [`Axes::HEIGHT`].
    pub(super) fn new(x: (f64, f64), y: (f64, f64)) -> Self {
        Self { left: 70.0, top: 50.0, width: 400.0, height: 340.0, x, y }
    }

    pub(super) const WIDTH: f64 = 500.0;
    pub(super) const HEIGHT: f64 = 450.0;

    pub(super) fn place(&self, x: f64, y: f64) -> Place {
        let along = |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low)).clamp(0.0, 1.0);
        (self.left + self.width * along(x, self.x), self.top + self.height * (1.0 - along(y, self.y)))
    }

    /// Draws grid, numbers in percent, and what they are.
    pub(super) fn draw(&self, drawing: &mut Drawing, title: &str, x_name: &str, y_name: &str) {
        drawing.write((20.0, 28.0), title, TITLE, Anchor::Start, Ink::Words);
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        for value in ticks(self.x) {
            let (x, _) = self.place(value, self.y.0);
            drawing.line(vec![(x, self.top), (x, bottom)], Ink::Faint, 1.0);
            drawing.write((x, bottom + 18.0), percent(value), WORDS, Anchor::Middle, Ink::Quiet);
        }
        for value in ticks(self.y) {
            let (_, y) = self.place(self.x.0, value);
            drawing.line(vec![(self.left, y), (right, y)], Ink::Faint, 1.0);
            drawing.write((self.left - 8.0, y + 4.0), percent(value), WORDS, Anchor::End, Ink::Quiet);
        }
        drawing.write((self.left + self.width / 2.0, bottom + 42.0), x_name, WORDS, Anchor::Middle, Ink::Words);
        drawing.write_upright((20.0, self.top + self.height / 2.0), y_name, WORDS, Anchor::Middle, Ink::Words);
    }
}

/// At most seven round values between two ends.
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2].into_iter().find(|step| (high - low) / step <= 6.01).unwrap_or(0.5);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

fn percent(value: f64) -> String {
    format!("{}%", (value * 1000.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let close = |found: Vec<f64>, expected: &[f64]| {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9)
        };
        assert!(close(ticks((0.0, 1.0)), &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]));
        assert!(close(ticks((0.9, 1.0)), &[0.9, 0.92, 0.94, 0.96, 0.98, 1.0]));
        assert_eq!(percent(0.1 + 0.2), "30%");
    }
}
