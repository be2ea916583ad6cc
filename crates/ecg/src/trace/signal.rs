//! The whole signal along time, put together from what several frames show.

use super::curve::Curve;
use super::motion::Motion;
use std::collections::BTreeMap;

/// A signal of one value a column of trace; value 0 stands at position `first` (see [`Motion`]).
#[derive(Debug, Clone)]
pub(super) struct Signal {
    pub first: i64,
    /// Heights in rows, upwards positive; NaN where no frame shows it.
    pub values: Vec<f32>,
    pub agreement: Agreement,
}

/// How well frames that show the same moment agree on it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Agreement {
    /// Values that were shown more than once.
    pub compared: usize,
    pub same: usize,
    /// The same for values away from the baseline only, which cannot agree by chance.
    pub telling_compared: usize,
    pub telling_same: usize,
}

impl Agreement {
    /// Share of values that agree, 1 where nothing could be compared.
    pub fn share(&self) -> f64 {
        share(self.same, self.compared)
    }

    pub fn telling_share(&self) -> f64 {
        share(self.telling_same, self.telling_compared)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Rows by which two frames may differ on the same moment.
const SAME_WITHIN_ROWS: f32 = 2.5;
const TELLING_FROM_ROWS: f32 = 3.5;
/// No loop shows more trace than this; a motion that claims more is wrong.
const LONGEST_SIGNAL: i64 = 200_000;

/// Puts the curves of several frames (by frame index) on one time axis.
pub(super) fn compose(curves: &BTreeMap<u32, Curve>, motion: &Motion) -> Option<Signal> {
    let heights: Vec<(u32, Vec<f32>)> = curves.iter().map(|(frame, curve)| (*frame, curve.heights())).collect();
    let placed = || {
        heights.iter().flat_map(|(frame, heights)| {
            let drawn = heights.iter().enumerate().filter(|(_, h)| h.is_finite());
            drawn.map(|(column, height)| {
                let position = motion.position(column as f64, *frame).round();
                (position as i64, *height)
            })
        })
    };
    let first = placed().map(|(position, _)| position).min()?;
    let last = placed().map(|(position, _)| position).max()?;
    if last - first > LONGEST_SIGNAL {
        return None;
    }
    let mut values = vec![f32::NAN; (last - first + 1) as usize];
    let all: Vec<f32> = placed().map(|(_, height)| height).collect();
    let baseline = super::r_columns::median(all);
    let mut agreement = Agreement::default();
    for (frame, heights) in &heights {
        let mut fresh = Vec::new();
        for (column, height) in heights.iter().enumerate().filter(|(_, h)| h.is_finite()) {
            let index = (motion.position(column as f64, *frame).round() as i64 - first) as usize;
            let near = &values[index.saturating_sub(1)..(index + 2).min(values.len())];
            if values[index].is_nan() {
                fresh.push((index, *height));
                continue;
            }
            let same = near.iter().any(|v| (v - height).abs() <= SAME_WITHIN_ROWS);
            agreement.compared += 1;
            agreement.same += usize::from(same);
            if (height - baseline).abs() >= TELLING_FROM_ROWS {
                agreement.telling_compared += 1;
                agreement.telling_same += usize::from(same);
            }
        }
        for (index, height) in fresh {
            values[index] = height;
        }
    }
    Some(Signal { first, values, agreement })
}
