//! The trace in one frame: one row per column where it is drawn.

use super::color::TraceColor;
use super::flanks::{Lit, climb_flanks};
use super::image::{Area, Picture};
use super::strokes::{Run, Stroke, StrokeRule, find_strokes};

/// A stroke in the band of the trace with fewer columns is a crumb.
const FEWEST_COLUMNS: usize = 5;
const FOLLOW_RULE: StrokeRule = StrokeRule { threshold: 100, contrast: 0.4, longest_gap: 4 };
/// A gray trace differs from tissue by its brightness alone.
const FOLLOW_GRAY_RULE: StrokeRule = StrokeRule { threshold: 130, ..FOLLOW_RULE };
/// Part of a colored trace's brightness that its upright strokes have at least, whatever their color.
const MIN_BRIGHTNESS: f32 = 0.35;
/// Text has many runs beside any path through it.
const MAX_CLUTTER: f32 = 0.45;

/// The trace of one frame within the band: the run of each column, if it is drawn there.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub runs: Vec<Option<Run>>,
}

impl Curve {
    /// Follows a trace of a known color through the band of a frame. With `climbs`, upright strokes that have lost
    /// their color are followed too.
    pub fn follow(band: &Picture, color: &TraceColor, climbs: bool) -> Self {
        let plane = color.plane(band);
        let rule = if color.is_gray() { FOLLOW_GRAY_RULE } else { FOLLOW_RULE };
        let strokes = find_strokes(&plane, band.width, band.height, rule, FEWEST_COLUMNS);
        let mut runs = vec![None; band.width];
        // Longest first; a shorter one only fills columns that are still free.
        for stroke in strokes.iter().filter(|s| Self::may_be_trace(s)) {
            let (first, last) = (stroke.first_column(), stroke.last_column());
            let taken = runs[first..=last].iter().filter(|r| r.is_some()).count();
            if 2 * taken > stroke.span() {
                continue;
            }
            for run in &stroke.runs {
                runs[run.column].get_or_insert(*run);
            }
        }
        // Gray flanks cannot be distinguished from tissue that they may touch.
        if climbs && !color.is_gray() {
            let brightest: Vec<u8> = band.pixels.iter().map(|[r, g, b]| *r.max(g).max(b)).collect();
            let threshold = (MIN_BRIGHTNESS * color.brightness()) as u8;
            climb_flanks(&mut runs, Lit { plane: &brightest, width: band.width, threshold }, rule.longest_gap);
        }
        Self { runs }
    }

    /// Returns a stroke of a whole picture as a curve of its own area.
    pub fn from_stroke(stroke: &Stroke, area: Area) -> Self {
        let mut runs = vec![None; area.width()];
        for run in &stroke.runs {
            let column = run.column.saturating_sub(area.x0);
            if let Some(slot) = runs.get_mut(column) {
                *slot = Some(Run {
                    column,
                    top: run.top.saturating_sub(area.y0),
                    bottom: run.bottom.saturating_sub(area.y0),
                });
            }
        }
        Self { runs }
    }

    fn may_be_trace(stroke: &Stroke) -> bool {
        stroke.clutter() <= MAX_CLUTTER && stroke.thickness() <= 8.0
    }

    pub fn is_drawn(&self, column: usize) -> bool {
        self.runs.get(column).is_some_and(Option::is_some)
    }

    pub fn drawn_columns(&self) -> usize {
        self.runs.iter().flatten().count()
    }

    /// Returns half of the thickness of the line beyond its middle row; at its end the line reaches as far beyond its
    /// last point.
    pub fn half_line(&self) -> f64 {
        let mut heights: Vec<usize> = self.runs.iter().flatten().map(Run::height).collect();
        heights.sort_unstable();
        heights.get(heights.len() / 2).map_or(0.0, |h| (*h as f64 - 1.0) / 2.0)
    }

    /// Removes what lies outside these columns (ends included).
    pub fn keep_columns(&mut self, first: usize, last: usize) {
        for (column, run) in self.runs.iter_mut().enumerate() {
            if column < first || column > last {
                *run = None;
            }
        }
    }

    /// Heights in rows, upwards positive, NaN where nothing is drawn.
    ///
    /// In a steep column the run reaches from the baseline to the peak; its end away from the baseline is the value.
    pub fn heights(&self) -> Vec<f32> {
        let mut middles: Vec<f32> = self.runs.iter().flatten().map(middle).collect();
        if middles.is_empty() {
            return vec![f32::NAN; self.runs.len()];
        }
        middles.sort_unstable_by(f32::total_cmp);
        let baseline = middles[middles.len() / 2];
        let half_line = self.half_line() as f32;
        let value = |run: &Run| {
            let top = (run.top as f32 + half_line).min(middle(run));
            let bottom = (run.bottom as f32 - half_line).max(middle(run));
            let row = if baseline - top >= bottom - baseline { top } else { bottom };
            -row
        };
        self.runs.iter().map(|run| run.as_ref().map_or(f32::NAN, value)).collect()
    }
}

fn middle(run: &Run) -> f32 {
    (run.top + run.bottom) as f32 / 2.0
}
