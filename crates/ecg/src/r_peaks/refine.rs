//! From a QRS complex to its R peak.

use std::ops::Range;

use super::feature::{Feature, GRID_STEP_MS};

/// Largest distance of the R peak from the middle of the QRS energy.
const REACH_MS: f64 = 80.0;
/// A beat that points the other way than the strip must be this much larger on that side to be measured there.
const OTHER_WAY_FACTOR: f64 = 1.2;
/// Largest distance of the top of the curve from the top of the filtered curve.
const TOP_REACH_MS: f64 = 30.0;
/// The R peak is the middle of what stands this close under the top, as a share of the height: a clipped top is flat.
const TOP_SHARE: f64 = 0.1;

/// Returns the R peak of each complex as a fractional grid position, rising.
///
/// R points the way that most of the strip's complexes point (down in an inverted lead); a complex that points clearly
/// the other way, as ectopic beats do, is measured at its own larger side.
pub(super) fn r_positions(feature: &Feature, complexes: &[usize]) -> Vec<f64> {
    let spans: Vec<Range<usize>> =
        complexes.iter().map(|&at| around(at, REACH_MS, &(0..feature.shape.len()))).collect();
    let sides: Vec<(Extremum, Extremum)> = spans
        .iter()
        .map(|span| (highest(&feature.shape, span.clone(), 1.0), highest(&feature.shape, span.clone(), -1.0)))
        .collect();
    let upward: f64 = sides.iter().map(|(up, _)| up.height).sum();
    let downward: f64 = sides.iter().map(|(_, down)| down.height).sum();
    sides
        .into_iter()
        .zip(&spans)
        .map(|((up, down), span)| {
            let (usual, other) = match upward >= downward {
                true => (up, down),
                false => (down, up),
            };
            let extremum = match other.height > OTHER_WAY_FACTOR * usual.height {
                true => other,
                false => usual,
            };
            top_of_curve(&feature.curve, span, &extremum)
        })
        .collect()
}

/// The largest value on one side of zero.
struct Extremum {
    at: usize,
    height: f64,
    /// 1 for a top, -1 for a bottom.
    sign: f64,
}

fn around(at: usize, reach_ms: f64, within: &Range<usize>) -> Range<usize> {
    let reach = (reach_ms / GRID_STEP_MS) as usize;
    at.saturating_sub(reach).max(within.start)..(at + reach + 1).min(within.end)
}

fn highest(values: &[f64], span: Range<usize>, sign: f64) -> Extremum {
    let start = span.start;
    let (at, height) =
        span.map(|at| (at, sign * values[at])).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((start, 0.0));
    Extremum { at, height, sign }
}

/// Returns the middle of the top of the curve near an extremum of the filtered curve.
///
/// Never leaves the complex, so that the R peaks of two complexes stay in their order.
fn top_of_curve(curve: &[f64], complex: &Range<usize>, extremum: &Extremum) -> f64 {
    let top = highest(curve, around(extremum.at, TOP_REACH_MS, complex), extremum.sign);
    let foot = highest(curve, around(extremum.at, REACH_MS, complex), -extremum.sign);
    let least = top.height - TOP_SHARE * (top.height + foot.height);
    let is_top = |at: &usize| extremum.sign * curve[*at] >= least;
    let last = (top.at..complex.end).take_while(is_top).last();
    let first = (complex.start..=top.at).rev().take_while(is_top).last();
    (first.unwrap_or(top.at) + last.unwrap_or(top.at)) as f64 / 2.0
}
