//! Displacement of a scrolling trace between two frames.

/// Rows of difference beyond which a column simply does not fit.
const GREATEST_MISFIT_ROWS: f32 = 8.0;

/// A shift to the left that brings one curve onto a later one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shift {
    pub columns: f64,
    /// Usual difference in rows at this shift.
    pub misfit: f32,
}

/// Finds the shift of `early` to the left, within `from ..= to` columns, that fits `late` best (heights per column, NaN
/// where not drawn). Of shifts that fit about equally well the smallest is taken: a regular rhythm fits again after
/// each beat. `None` where too few columns overlap.
pub(super) fn find_shift(early: &[f32], late: &[f32], from: usize, to: usize) -> Option<Shift> {
    let drawn = |heights: &[f32]| heights.iter().filter(|h| h.is_finite()).count();
    let fewest = (drawn(early).min(drawn(late)) / 4).max(12);
    let misfits: Vec<Option<f32>> = (from..=to).map(|shift| misfit(early, late, shift, fewest)).collect();
    let best = misfits.iter().flatten().copied().min_by(f32::total_cmp)?;
    let good_enough = best * 1.3 + 0.12;
    let first = misfits.iter().position(|m| m.is_some_and(|m| m <= good_enough))?;
    // From the first good one on down to the bottom of its valley.
    let mut at = first;
    while let (Some(Some(here)), Some(Some(next))) = (misfits.get(at), misfits.get(at + 1)) {
        if next >= here {
            break;
        }
        at += 1;
    }
    let own = misfits[at]?;
    let side = |index: Option<usize>| index.and_then(|i| misfits.get(i).copied().flatten());
    let fraction = match (side(at.checked_sub(1)), side(Some(at + 1))) {
        (Some(left), Some(right)) if left + right > 2.0 * own => {
            f64::from(0.5 * (left - right) / (left + right - 2.0 * own))
        }
        _ => 0.0,
    };
    Some(Shift { columns: (from + at) as f64 + fraction.clamp(-0.5, 0.5), misfit: own })
}

/// Mean difference in rows with `early` shifted left; columns that do not fit at all count as a fixed misfit.
pub(super) fn misfit(early: &[f32], late: &[f32], shift: usize, fewest: usize) -> Option<f32> {
    let (mut sum, mut count) = (0.0f32, 0usize);
    for (a, b) in early.iter().skip(shift).zip(late) {
        if a.is_finite() && b.is_finite() {
            sum += (a - b).abs().min(GREATEST_MISFIT_ROWS);
            count += 1;
        }
    }
    (count >= fewest).then(|| sum / count as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_shift_that_fits_is_taken() {
        // A regular rhythm of 50 columns fits again after every beat.
        let height = |column: i64| if column.rem_euclid(50) < 4 { 20.0 } else { 0.1 * (column.rem_euclid(50) as f32) };
        let early: Vec<f32> = (0..300).map(height).collect();
        let late: Vec<f32> = (0..300).map(|column| height(column + 7)).collect();
        let shift = find_shift(&early, &late, 0, 60).expect("a shift");
        assert!((shift.columns - 7.0).abs() < 0.5 && shift.misfit < 0.01, "{shift:?}");
    }

    #[test]
    fn too_little_overlap_gives_none() {
        assert_eq!(find_shift(&[f32::NAN; 40], &[1.0; 40], 0, 5), None);
        assert_eq!(find_shift(&[1.0; 40], &[1.0; 40], 35, 39), None);
    }
}
