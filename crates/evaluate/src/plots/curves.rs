use super::WORDS;
use super::axes::Axes;
use crate::abstention::CoveragePoint;
use crate::calibration::ReliabilityBin;
use crate::drawing::{Anchor, Drawing, Ink, Place, Shape};
use crate::roc::RocPoint;

/// The most points that a line is drawn through.
const MAX_POINTS: usize = 400;

/// Accuracy over confidence, bin by bin, above the number of rows in each bin. What was promised and not kept is orange,
/// what was kept beyond the promise is light blue.
pub fn reliability(bins: &[ReliabilityBin]) -> Drawing {
    let title = "Reliability";
    let mut drawing = Drawing::new(title, Axes::WIDTH, Axes::HEIGHT);
    let axes = Axes { top: 66.0, height: 254.0, ..Axes::new((0.0, 1.0), (0.0, 1.0)) };
    axes.draw(&mut drawing, title, "", "accuracy");
    drawing.write((20.0, 48.0), "orange: promised, not kept", WORDS, Anchor::Start, Ink::Quiet);
    let most = bins.iter().map(|bin| bin.weight).fold(f64::MIN_POSITIVE, f64::max);
    let below = axes.top + axes.height + 74.0;
    for bin in bins {
        let hint = format!(
            "confidence {:.1}%, accuracy {:.1}%, {} rows",
            100.0 * bin.confidence,
            100.0 * bin.accuracy,
            (bin.weight * 10.0).round() / 10.0
        );
        let kept = bin.accuracy.min(bin.confidence);
        let ((left, top), (right, bottom)) = (axes.place(bin.low, kept), axes.place(bin.high, 0.0));
        let width = (right - left - 1.0).max(1.5);
        let bar = |top: f64, bottom: f64, ink, hint| Shape::Box {
            at: (left + 0.5, top),
            size: (width, bottom - top),
            ink,
            hint,
        };
        drawing.add(bar(top, bottom, Ink::Color(0), Some(hint.clone())));
        let (_, end) = axes.place(bin.low, bin.accuracy.max(bin.confidence));
        let gap = if bin.confidence > bin.accuracy { Ink::Color(1) } else { Ink::Tint(0, 0.35) };
        drawing.add(bar(end, top, gap, None));
        let rows = 46.0 * bin.weight / most;
        drawing.add(bar(below - rows, below, Ink::Tint(6, 0.8), Some(hint)));
    }
    drawing.dashed(axes.place(0.0, 0.0), axes.place(1.0, 1.0), Ink::Quiet);
    drawing.line(vec![(axes.left, below), (axes.left + axes.width, below)], Ink::Faint, 1.0);
    drawing.write((axes.left - 8.0, below - 16.0), "rows", WORDS, Anchor::End, Ink::Quiet);
    let middle = axes.left + axes.width / 2.0;
    drawing.write((middle, below + 22.0), "confidence", WORDS, Anchor::Middle, Ink::Words);
    drawing
}

/// Draws accuracy over coverage, which rises as fewer rows are labelled.
pub fn coverage(curve: &[CoveragePoint]) -> Drawing {
    let title = "Accuracy over coverage";
    let mut drawing = Drawing::new(title, Axes::WIDTH, Axes::HEIGHT);
    let lowest = curve.iter().map(|point| point.accuracy).fold(1.0, f64::min);
    let floor = ((lowest - 0.005) * 20.0).floor() / 20.0;
    let axes = Axes::new((0.0, 1.0), (floor.clamp(0.0, 0.95), 1.0));
    axes.draw(&mut drawing, title, "share of rows answered", "accuracy of the answers");
    let places: Vec<Place> = curve.iter().map(|point| axes.place(point.coverage, point.accuracy)).collect();
    draw_line(&mut drawing, &places);
    if let Some(all) = places.last() {
        drawing.add(Shape::Circle { at: *all, radius: 4.0, ink: Ink::Color(1), hint: Some("every row".to_owned()) });
    }
    drawing
}

/// A receiver operating characteristic; `positive` and `negative` say what the two kinds of rows are.
pub fn roc(points: &[RocPoint], positive: &str, negative: &str) -> Drawing {
    let title = "ROC of abstention";
    let mut drawing = Drawing::new(title, Axes::WIDTH, Axes::HEIGHT);
    let axes = Axes::new((0.0, 1.0), (0.0, 1.0));
    axes.draw(&mut drawing, title, negative, positive);
    drawing.dashed(axes.place(0.0, 0.0), axes.place(1.0, 1.0), Ink::Quiet);
    let places: Vec<Place> =
        points.iter().map(|point| axes.place(point.false_positive_rate, point.true_positive_rate)).collect();
    draw_line(&mut drawing, &places);
    drawing
}

fn draw_line(drawing: &mut Drawing, places: &[Place]) {
    let step = places.len().div_ceil(MAX_POINTS).max(1);
    let mut shown: Vec<Place> = places.iter().copied().step_by(step).collect();
    if let Some(last) = places.last().filter(|last| shown.last() != Some(last)) {
        shown.push(*last);
    }
    if shown.len() > 1 {
        drawing.line(shown, Ink::Color(0), 2.0);
    }
}
