//! The whole signal along time, put together from what several frames show.

use std::collections::BTreeMap;

use super::curve::Curve;
use super::motion::Motion;
use super::r_columns::median;

/// A signal of one value a column of trace; value 0 stands at position `first` (see [`Motion`]).
#[derive(Debug, Clone)]
pub(super) struct Signal {
    pub first: i64,
    /// Heights in rows, upwards positive; NaN where no frame shows it.
    pub values: Vec<f32>,
    pub agreement: Agreement,
}

/// Agreement of frames that show the same moment.
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
    /// Returns the share of values that agree, 1 where nothing could be compared.
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
/// Values next to heads are believed where so many of them were compared with other frames and this part agreed.
const FEWEST_AT_HEADS: u32 = 6;
const MIN_AGREEMENT_AT_HEADS: f64 = 0.8;
/// No loop shows more trace than this; a motion that claims more is wrong.
const LONGEST_SIGNAL: i64 = 200_000;

/// Puts the curves of several frames (by frame index) on one time axis; of several values for a moment the middle one
/// is taken.
pub(super) fn compose(curves: &BTreeMap<u32, Curve>, motion: &Motion) -> Option<Signal> {
    let mut placed: Vec<(i64, f32)> = Vec::new();
    let mut at_heads: Vec<(i64, f32)> = Vec::new();
    for (frame, curve) in curves {
        let drawn = curve.heights().into_iter().enumerate();
        for (column, height) in drawn.filter(|(_, height)| height.is_finite()) {
            let position = motion.position(column as f64, *frame);
            let list = if motion.is_at_head(position, *frame) { &mut at_heads } else { &mut placed };
            list.push((position.round() as i64, height));
        }
    }
    placed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (first, mut last) = (placed.first()?.0, placed.last()?.0);
    let newest = newest_values(&placed, &at_heads, motion);
    last = newest.last().map_or(last, |(position, _)| last.max(*position));
    if last - first > LONGEST_SIGNAL {
        return None;
    }
    let mut values = vec![f32::NAN; (last - first + 1) as usize];
    for moment in placed.chunk_by(|a, b| a.0 == b.0) {
        values[(moment[0].0 - first) as usize] = moment[moment.len() / 2].1;
    }
    for (position, height) in newest.into_iter().filter(|(position, _)| *position >= first) {
        let value = &mut values[(position - first) as usize];
        if value.is_nan() {
            *value = height;
        }
    }
    Some(Signal { first, agreement: compare(&placed, first, &values), values })
}

/// Returns the values that are drawn next to the head and in no other frame, by rising position; empty where a mark at
/// the head hides the trace, which shows in how seldom other frames agree.
fn newest_values(placed: &[(i64, f32)], at_heads: &[(i64, f32)], motion: &Motion) -> Vec<(i64, f32)> {
    if matches!(motion, Motion::Cursor(_)) {
        return Vec::new();
    }
    let around = |position: i64| {
        let from = placed.partition_point(|p| p.0 < position - 1);
        placed[from..].iter().take_while(move |p| p.0 <= position + 1)
    };
    let (mut compared, mut same) = (0, 0);
    let mut newest = Vec::new();
    for (position, height) in at_heads {
        let mut others = around(*position).peekable();
        if others.peek().is_some() {
            compared += 1;
            same += u32::from(others.any(|other| (other.1 - height).abs() <= SAME_WITHIN_ROWS));
        }
        newest.push((*position, *height));
    }
    if compared < FEWEST_AT_HEADS || f64::from(same) < MIN_AGREEMENT_AT_HEADS * f64::from(compared) {
        return Vec::new();
    }
    newest.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    newest
}

fn compare(placed: &[(i64, f32)], first: i64, values: &[f32]) -> Agreement {
    let baseline = median(placed.iter().map(|(_, height)| *height).collect());
    let mut agreement = Agreement::default();
    for moment in placed.chunk_by(|a, b| a.0 == b.0).filter(|m| m.len() > 1) {
        let index = (moment[0].0 - first) as usize;
        let near = &values[index.saturating_sub(1)..(index + 2).min(values.len())];
        for (_, height) in moment {
            let same = near.iter().any(|v| (v - height).abs() <= SAME_WITHIN_ROWS);
            agreement.compared += 1;
            agreement.same += usize::from(same);
            if (height - baseline).abs() >= TELLING_FROM_ROWS {
                agreement.telling_compared += 1;
                agreement.telling_same += usize::from(same);
            }
        }
    }
    agreement
}
