//! Plots of metrics, each as a [`Drawing`] that can be written as SVG or PNG.

mod axes;
mod confusion;
mod curves;
mod embedding;

pub use crate::drawing::Drawing;
pub use confusion::{Cells, confusion};
pub use curves::{coverage, reliability, roc};
pub use embedding::embedding;

/// The size of words.
const WORDS: f64 = 12.0;
/// The size of titles.
const TITLE: f64 = 18.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::ReliabilityBin;
    use crate::metrics::Confusion;
    use crate::predictions::tests::names;

    /// The boxes, circles and outlines that carry a hint, which are those that show data.
    fn hints(drawing: &Drawing) -> usize {
        drawing.to_svg().matches("<title>").count()
    }

    #[test]
    fn a_confusion_matrix_shows_its_cells() {
        let rows = [(Some(0), Some(0), 3.0), (Some(0), Some(1), 1.0), (Some(2), Some(2), 5.0)];
        let matrix = Confusion::from_counts(3, rows.into_iter()).unwrap();
        let counts = confusion(&matrix, &names(3), Cells::Counts);
        assert_eq!(hints(&counts), 3);
        assert!(!counts.to_svg().contains("(abstained)"));
        let svg = confusion(&matrix, &names(3), Cells::Shares).to_svg();
        assert!(svg.contains(">75</text>") && svg.contains(">25</text>") && svg.contains(">100</text>"));
        let rows = [(Some(0), None, 1.0), (None, Some(1), 1.0)];
        let svg = confusion(&Confusion::from_counts(2, rows.into_iter()).unwrap(), &names(2), Cells::Counts).to_svg();
        assert!(svg.contains("(abstained)") && svg.contains("(outside)"));
    }

    #[test]
    fn curves_without_points_are_still_plots() {
        for drawing in [reliability(&[]), coverage(&[]), roc(&[], "", ""), embedding(&[], &[], &names(2))] {
            assert!(!drawing.to_svg().contains("NaN"));
            assert!(drawing.to_png().is_ok());
        }
        let bin = ReliabilityBin { low: 0.8, high: 0.9, weight: 4.0, confidence: 0.85, accuracy: 0.5 };
        assert_eq!(hints(&reliability(&[bin])), 2);
    }

    #[test]
    fn every_point_of_an_embedding_is_there() {
        let points: Vec<[f64; 2]> = (0..60).map(|index| [f64::from(index), f64::from(index % 7)]).collect();
        let classes: Vec<Option<usize>> = (0..60).map(|index| (index < 47).then_some(index)).collect();
        assert_eq!(hints(&embedding(&points, &classes, &names(47))), 60);
    }
}
