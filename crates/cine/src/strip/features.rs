//! Numbers that tell a strip over time from a picture of tissue.
//!
//! Along a strip nothing but time passes: its left, middle and right have the same levels at the same heights, beats repeat,
//! edges are straight, and a spectrum fades from its baseline. A fan has none of these, a rectangle of tissue only some.

use super::screen::{Part, Screen};

/// Size in which a part is judged.
const COLUMNS: usize = 128;
const ROWS: usize = 32;
/// Quarters of the width that are compared.
const QUARTERS: usize = 4;
/// Columns at either end that are left out of that comparison, for scales stand there.
const MARGIN: usize = 2;
/// Bands of height whose ends are compared.
const BANDS: usize = 8;
/// Distances in columns at which the beat may repeat.
const MIN_BEAT: usize = 10;
const MAX_BEAT: usize = 80;
/// Root of a level from which a place has content.
const CONTENT_ROOT: f32 = 3.5;
/// Difference of levels that makes a line stand out from the rows beside it, and a faint one.
const LINE_LEVELS: f32 = 12.0;
const FAINT_LINE_LEVELS: f32 = 6.0;

/// Names of the features, in their order.
pub const NAMES: [&str; 22] = [
    "profile_min",
    "profile_mean",
    "evenness",
    "row_share",
    "across_2",
    "across_6",
    "down_1",
    "down_2",
    "down_4",
    "beat",
    "across_min",
    "fill",
    "left_edge",
    "right_edge",
    "narrowest",
    "fading",
    "rising",
    "line",
    "even_line",
    "aspect",
    "width",
    "height",
];

/// Returns the features of a part of the screen.
pub(super) fn features(screen: &Screen, part: Part) -> [f32; NAMES.len()] {
    let grid = Grid::new(screen, part);
    let (profile_min, profile_mean, evenness) = grid.quarters();
    let rest = grid.without_row_means();
    let row_share = 1.0 - mean_square(&rest.values) / grid.variance().max(1e-6);
    let (beat, across_min) = rest.beat();
    let (left_edge, right_edge, narrowest, fill) = grid.edges();
    let (fading, rising) = grid.fading();
    let (line, even_line) = lines(screen, part);
    let (width, height) = ((part.right - part.left) as f32, (part.bottom - part.top) as f32);
    [
        profile_min,
        profile_mean,
        evenness,
        row_share,
        rest.correlation(2, 0),
        rest.correlation(6, 0),
        rest.correlation(0, 1),
        rest.correlation(0, 2),
        rest.correlation(0, 4),
        beat,
        across_min,
        fill,
        left_edge,
        right_edge,
        narrowest,
        fading,
        rising,
        line,
        even_line,
        width / height,
        width / screen.levels.columns as f32,
        height / screen.levels.rows as f32,
    ]
}

/// The roots of a part's levels in a fixed size: roots, for speckle grows with the level.
struct Grid {
    values: Vec<f32>,
}

fn mean(values: impl IntoIterator<Item = f32>) -> f32 {
    let (sum, count) = values.into_iter().fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f32
}

fn mean_square(values: &[f32]) -> f32 {
    mean(values.iter().map(|value| value * value))
}

/// Returns the correlation of pairs; 0 where one side is constant.
fn correlation(pairs: &[(f32, f32)]) -> f32 {
    let (mean_a, mean_b) = (mean(pairs.iter().map(|(a, _)| *a)), mean(pairs.iter().map(|(_, b)| *b)));
    let (mut product, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (a - mean_a, b - mean_b);
        product += a * b;
        square_a += a * a;
        square_b += b * b;
    }
    let size = (square_a * square_b).sqrt();
    if size > 1e-6 { product / size } else { 0.0 }
}

impl Grid {
    fn new(screen: &Screen, part: Part) -> Self {
        let small = screen.levels.resized(part, COLUMNS, ROWS);
        let places = (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (column, row)));
        Self { values: places.map(|(column, row)| small.at(column, row).max(0.0).sqrt()).collect() }
    }

    fn row(&self, row: usize) -> &[f32] {
        self.values.get(row * COLUMNS..(row + 1) * COLUMNS).unwrap_or_default()
    }

    fn variance(&self) -> f32 {
        let mean = mean(self.values.iter().copied());
        mean_square(&self.values.iter().map(|value| value - mean).collect::<Vec<_>>())
    }

    fn without_row_means(&self) -> Self {
        let rows = (0..ROWS).flat_map(|row| {
            let mean = mean(self.row(row).iter().copied());
            self.row(row).iter().map(move |value| value - mean)
        });
        Self { values: rows.collect() }
    }

    /// Returns the least and the mean correlation of the row profiles of quarters, and the ratio of their levels.
    fn quarters(&self) -> (f32, f32, f32) {
        let width = (COLUMNS - 2 * MARGIN) / QUARTERS;
        let profile = |quarter: usize| -> Vec<f32> {
            let from = MARGIN + quarter * width;
            (0..ROWS).map(|row| mean(self.row(row).iter().skip(from).take(width).copied())).collect()
        };
        let profiles: Vec<Vec<f32>> = (0..QUARTERS).map(profile).collect();
        let mut correlations = Vec::new();
        for (index, first) in profiles.iter().enumerate() {
            for second in profiles.iter().skip(index + 1) {
                let pairs: Vec<(f32, f32)> = first.iter().copied().zip(second.iter().copied()).collect();
                correlations.push(correlation(&pairs));
            }
        }
        let levels: Vec<f32> = profiles.iter().map(|profile| mean(profile.iter().copied())).collect();
        let least = levels.iter().copied().fold(f32::INFINITY, f32::min);
        let most = levels.iter().copied().fold(1e-3, f32::max);
        (correlations.iter().copied().fold(1.0, f32::min), mean(correlations), least / most)
    }

    /// Returns the correlation with itself moved by so many columns and rows.
    fn correlation(&self, columns: usize, rows: usize) -> f32 {
        let mut pairs = Vec::with_capacity(self.values.len());
        for row in 0..ROWS - rows {
            let (first, second) = (self.row(row), self.row(row + rows));
            pairs.extend(first.iter().copied().zip(second.iter().skip(columns).copied()));
        }
        correlation(&pairs)
    }

    /// Returns the largest rise of the correlation along time after a fall, and its least value.
    fn beat(&self) -> (f32, f32) {
        let along: Vec<f32> = (0..=MAX_BEAT).map(|columns| self.correlation(columns, 0)).collect();
        let (mut least, mut beat) = (1.0_f32, 0.0_f32);
        for (columns, window) in along.windows(3).enumerate() {
            let &[before, here, after] = window else { continue };
            least = least.min(here);
            if columns + 1 >= MIN_BEAT && here >= before && here >= after {
                beat = beat.max(here - least);
            }
        }
        (beat, along.iter().skip(4).copied().fold(1.0, f32::min))
    }

    /// Returns how far the left and the right end of bands of height scatter, the width of the second narrowest band, and the
    /// share of places with content.
    fn edges(&self) -> (f32, f32, f32, f32) {
        let rows = ROWS / BANDS;
        let mut ends: Vec<(f32, f32)> = Vec::with_capacity(BANDS);
        for band in 0..BANDS {
            let has_content = |column: &usize| {
                (band * rows..(band + 1) * rows)
                    .any(|row| self.row(row).get(*column).is_some_and(|&v| v > CONTENT_ROOT))
            };
            let first = (0..COLUMNS).find(has_content);
            let last = (0..COLUMNS).rev().find(has_content);
            let middle = COLUMNS / 2;
            let share = |column: usize| column as f32 / COLUMNS as f32;
            ends.push((share(first.unwrap_or(middle)), share(last.unwrap_or(middle))));
        }
        let scatter = |values: Vec<f32>| {
            let mean = mean(values.iter().copied());
            mean_square(&values.iter().map(|value| value - mean).collect::<Vec<_>>()).sqrt()
        };
        let mut widths: Vec<f32> = ends.iter().map(|(left, right)| right - left).collect();
        widths.sort_by(f32::total_cmp);
        let left = scatter(ends.iter().map(|(left, _)| *left).collect());
        let right = scatter(ends.iter().map(|(_, right)| *right).collect());
        let fill = mean(self.values.iter().map(|&value| f32::from(u8::from(value > CONTENT_ROOT))));
        (left, right, widths.get(1).copied().unwrap_or(0.0), fill)
    }

    /// Returns the share of rows in which the mean level falls with the distance from the brightest row, on the side where it
    /// falls less, and the share of all changes away from that row that are rises.
    fn fading(&self) -> (f32, f32) {
        let profile: Vec<f32> = (0..ROWS).map(|row| mean(self.row(row).iter().copied())).collect();
        let smooth = |row: usize| profile.iter().skip(row - 1).take(3).sum::<f32>();
        let brightest = (2..ROWS - 2).max_by(|a, b| smooth(*a).total_cmp(&smooth(*b))).unwrap_or(ROWS / 2);
        let above: Vec<usize> = (0..brightest).rev().collect();
        let below: Vec<usize> = (brightest + 1..ROWS).collect();
        let falls = |rows: &[usize]| {
            let steps = rows.windows(2).map(|pair| f32::from(u8::from(profile[pair[1]] - profile[pair[0]] <= 0.15)));
            if rows.len() > 2 { mean(steps) } else { 1.0 }
        };
        let rises = |rows: &[usize]| {
            let of_column = (0..COLUMNS).map(|column| {
                let (mut up, mut all) = (0.0, 1e-3);
                for pair in rows.windows(2) {
                    let change = self.row(pair[1])[column] - self.row(pair[0])[column];
                    up += change.max(0.0);
                    all += change.abs();
                }
                up / all
            });
            mean(of_column)
        };
        let sides: Vec<f32> =
            [&above, &below].into_iter().filter(|rows| rows.len() > 3).map(|rows| rises(rows)).collect();
        (falls(&above).min(falls(&below)), mean(sides))
    }
}

/// Returns the largest share of a row that stands out from the rows beside it, and the same for one sign of faint differences.
fn lines(screen: &Screen, part: Part) -> (f32, f32) {
    let (mut line, mut even_line) = (0.0_f32, 0.0_f32);
    let width = (part.right - part.left) as f32;
    for row in part.top + 1..part.bottom.saturating_sub(1) {
        let (mut strong, mut sign) = (0.0_f32, 0.0_f32);
        for column in part.left..part.right {
            let level = |row: usize| screen.levels.at(column, row);
            let difference = level(row) - 0.5 * (level(row - 1) + level(row + 1));
            if difference.abs() > LINE_LEVELS {
                strong += 1.0;
            }
            if difference.abs() > FAINT_LINE_LEVELS {
                sign += difference.signum();
            }
        }
        line = line.max(strong / width);
        even_line = even_line.max(sign.abs() / width);
    }
    (line, even_line)
}
