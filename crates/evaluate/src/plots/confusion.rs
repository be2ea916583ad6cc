use super::{TITLE, WORDS};
use crate::drawing::{Anchor, Drawing, Ink, Shape, text_width};
use crate::metrics::Confusion;

/// Numbers in the cells of a confusion matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cells {
    /// The weight of the rows.
    Counts,
    /// The share of the true class's rows, in percent.
    Shares,
}

/// A confusion matrix: truths down, predictions across, correct ones blue and wrong ones orange.
///
/// A cell's strength is the square root of its share of the true class, so that small errors are seen. Rows outside the
/// classes and abstentions have a row and a column of their own where there are any.
pub fn confusion(matrix: &Confusion, classes: &[String], cells: Cells) -> Drawing {
    let extra = usize::from(matrix.has_outside_or_abstained());
    let shown = matrix.classes() + extra;
    let name = |index: usize, other: &str| classes.get(index).map_or_else(|| other.to_owned(), Clone::clone);
    let truths: Vec<String> = (0..shown).map(|index| name(index, "(outside)")).collect();
    let answers: Vec<String> = (0..shown).map(|index| name(index, "(abstained)")).collect();
    let cell = match shown {
        0..=12 => 44.0,
        13..=24 => 28.0,
        _ => 18.0,
    };
    let cell_words = match shown {
        0..=12 => WORDS,
        13..=24 => 10.0,
        _ => 8.0,
    };
    let label = truths.iter().chain(&answers).map(|name| text_width(name, WORDS)).fold(0.0, f64::max);
    let (left, top) = (label + 40.0, label + 92.0);
    let side = cell * shown as f64;
    let title = match cells {
        Cells::Counts => "Confusion, counts",
        Cells::Shares => "Confusion, % of each true view",
    };
    let mut drawing = Drawing::new(title, (left + side + 80.0).max(420.0), top + side + 24.0);
    drawing.write((20.0, 28.0), title, TITLE, Anchor::Start, Ink::Words);
    drawing.write((20.0, 50.0), "blue: right, orange: wrong", WORDS, Anchor::Start, Ink::Quiet);
    drawing.write((left + side / 2.0, top - label - 22.0), "called", WORDS, Anchor::Middle, Ink::Quiet);
    drawing.write_upright((20.0, top + side / 2.0), "truth", WORDS, Anchor::Middle, Ink::Quiet);
    drawing.write((left + side + 12.0, top - 10.0), "rows", WORDS, Anchor::Start, Ink::Quiet);
    for index in 0..=shown {
        let along = cell * index as f64;
        drawing.line(vec![(left + along, top), (left + along, top + side)], Ink::Faint, 1.0);
        drawing.line(vec![(left, top + along), (left + side, top + along)], Ink::Faint, 1.0);
    }
    for index in 0..shown {
        let middle = cell * (index as f64 + 0.5) + 4.0;
        drawing.write((left - 10.0, top + middle), truths[index].clone(), WORDS, Anchor::End, Ink::Words);
        drawing.write_upright((left + middle, top - 10.0), answers[index].clone(), WORDS, Anchor::Start, Ink::Words);
        let support = whole(matrix.support(index));
        drawing.write((left + side + 12.0, top + middle), support, WORDS, Anchor::Start, Ink::Quiet);
    }
    for (truth, truth_name) in truths.iter().enumerate() {
        for (answer, answer_name) in answers.iter().enumerate() {
            let count = matrix.between(truth, answer);
            if count <= 0.0 {
                continue;
            }
            let share = matrix.share(truth, answer);
            let strength = share.sqrt().max(0.08);
            // Nothing that is outside the classes is correct, except an abstention.
            let ink = Ink::Tint(usize::from(truth != answer), strength);
            let (x, y) = (left + cell * answer as f64, top + cell * truth as f64);
            let hint = format!("{truth_name} called {answer_name}: {} rows, {:.1}%", whole(count), 100.0 * share);
            drawing.add(Shape::Box { at: (x + 0.5, y + 0.5), size: (cell - 1.0, cell - 1.0), ink, hint: Some(hint) });
            let words = match cells {
                Cells::Counts => whole(count),
                Cells::Shares => format!("{:.0}", 100.0 * share),
            };
            // Three digits do not fit into the cells of many classes.
            if text_width(&words, cell_words) <= cell - 2.0 {
                let ink = if strength > 0.6 { Ink::OnStrong } else { Ink::Words };
                let at = (x + cell / 2.0, y + cell / 2.0 + cell_words * 0.33);
                drawing.write(at, words, cell_words, Anchor::Middle, ink);
            }
        }
    }
    drawing
}

/// A weight without digits that say nothing.
fn whole(weight: f64) -> String {
    ((weight * 10.0).round() / 10.0).to_string()
}
