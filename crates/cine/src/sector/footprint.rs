//! The width of the image where the probe stands, which tells a phased array from a linear one.

use crate::sector::cells::Part;

/// Depths at which the width near the probe is taken, as shares of the image's height: below what a skin line or a mark
/// at the very top adds, above where a fan has opened.
const NEAR_DEPTHS: [f64; 3] = [0.06, 0.1, 0.15];

/// End of the image at which the width is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The probe stands there in nearly all pictures.
    Top,
    /// The other end.
    Bottom,
}

/// Returns the width near one end, that of the probe as a rule, as a share of the greatest width, 0 to 1.
///
/// On public pictures: 28 of hearts have 0.04 to 0.47, a heart in a stress display 0.78, curved arrays 0.45 to 0.8, linear
/// ones 0.9 and more.
pub(super) fn share_of_width(part: &Part, end: End) -> f64 {
    let Some((first, last)) = part.rows() else { return 0.0 };
    let width_of_row = |row: usize| part.span_of_row(row).map_or(0, |(left, right)| right - left + 1);
    let widest = (first..=last).map(width_of_row).max().unwrap_or(1);
    let mut near = NEAR_DEPTHS.map(|depth| {
        let rows = (depth * (last - first) as f64) as usize;
        width_of_row(if end == End::Top { first + rows } else { last - rows })
    });
    // The median: a row may be dark from a vessel or a shadow, or wide from a mark beside the image.
    near.sort_unstable();
    let [_, median, _] = near;
    median as f64 / widest.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::{End, Part, share_of_width};

    /// The cells of an image whose half width grows from `near` to `far` over 40 rows.
    fn image(near: f64, far: f64) -> Part {
        let half = |row: usize| near + (far - near) * row as f64 / 39.0;
        let cells = (0..40).flat_map(|row| {
            let half = half(row);
            (0..100).filter(move |column| (*column as f64 - 50.0).abs() <= half).map(move |column| (column, row))
        });
        Part { cells: cells.collect() }
    }

    #[test]
    fn a_fan_starts_narrow_and_a_rectangle_does_not() {
        assert!(share_of_width(&image(1.0, 45.0), End::Top) < 0.2);
        assert!(share_of_width(&image(30.0, 45.0), End::Top) > 0.6);
        assert_eq!(share_of_width(&image(45.0, 45.0), End::Top), 1.0);
        assert_eq!(share_of_width(&Part { cells: Vec::new() }, End::Top), 0.0);
    }

    #[test]
    fn one_dark_row_near_the_probe_changes_nothing() {
        let mut linear = image(45.0, 45.0);
        linear.cells.retain(|&(column, row)| row != 2 || column == 50);
        assert_eq!(share_of_width(&linear, End::Top), 1.0);
    }
}
