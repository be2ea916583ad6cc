//! The screen in a small size, and the parts of it that may be a strip.

use domain::RgbImage;

/// Columns of the small screen.
const COLUMNS: usize = 256;
/// A level above this is part of a picture, a strip or a text.
const CONTENT_LEVEL: f32 = 12.0;
/// Heights at which a part may begin or end, as shares of the screen.
const HEIGHTS: usize = 16;
/// The least height of a part, in those steps.
const MIN_HEIGHT_STEPS: usize = 3;
/// The least width of a part as a share of the screen: strips show several beats.
const MIN_WIDTH_SHARE: f64 = 0.4;
/// Share of the rows of a column that must have content.
const MIN_CONTENT_SHARE: f64 = 0.02;
/// Columns without content that part what lies left and right of them.
const GAP_COLUMNS: usize = 4;
/// A page is light from this level on.
const LIGHT_PAGE_LEVEL: f32 = 128.0;
/// Levels around that of a light and of a dark page that still belong to it.
const LIGHT_PAGE_SPREAD: f32 = 10.0;
const DARK_PAGE_SPREAD: f32 = 3.0;

/// The brightest channel of a screen in 256 columns, black where only the page behind everything is.
pub(super) struct Screen {
    pub(super) levels: Levels,
}

/// Levels in rows.
pub(super) struct Levels {
    pub(super) columns: usize,
    pub(super) rows: usize,
    values: Vec<f32>,
}

/// A part of the screen, in its columns and rows, the ends excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) left: usize,
    pub(super) right: usize,
}

impl Levels {
    pub(super) fn at(&self, column: usize, row: usize) -> f32 {
        self.values.get(row * self.columns + column).copied().unwrap_or(0.0)
    }

    /// Returns a part of these levels in another size; each value is the mean of the area that it covers.
    pub(super) fn resized(&self, part: Part, columns: usize, rows: usize) -> Self {
        let across = weights(part.left, part.right, columns);
        let down = weights(part.top, part.bottom, rows);
        let mut narrow = Vec::with_capacity((part.bottom - part.top) * columns);
        for row in part.top..part.bottom {
            narrow.extend(across.iter().map(|cell| cell.mean(|column| self.at(column, row))));
        }
        let values = down.iter().flat_map(|cell| {
            let narrow = &narrow;
            (0..columns).map(move |column| {
                cell.mean(|row| narrow.get((row - part.top) * columns + column).copied().unwrap_or(0.0))
            })
        });
        Self { columns, rows, values: values.collect() }
    }
}

/// The places that one cell of a smaller size covers: whole ones from `first`, the first and the last in part.
struct Cell {
    first: usize,
    weights: Vec<f32>,
}

impl Cell {
    fn mean(&self, level: impl Fn(usize) -> f32) -> f32 {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (offset, share) in self.weights.iter().enumerate() {
            sum += share * level(self.first + offset);
            weight += share;
        }
        sum / weight
    }
}

/// Returns the places `from` to `to` as `count` cells of equal size.
fn weights(from: usize, to: usize, count: usize) -> Vec<Cell> {
    let size = (to - from) as f64 / count as f64;
    let cells = (0..count).map(|cell| {
        let start = from as f64 + cell as f64 * size;
        let end = (start + size).min(to as f64);
        let first = (start as usize).min(to - 1);
        let last = ((end.ceil() as usize).max(first + 1)).min(to);
        let share = |place: usize| (end.min((place + 1) as f64) - start.max(place as f64)).max(1e-6) as f32;
        Cell { first, weights: (first..last).map(share).collect() }
    });
    cells.collect()
}

impl Screen {
    /// Returns the small screen; `None` where the frame is too small for one.
    pub(super) fn new(frame: &RgbImage) -> Option<Self> {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let rows = (height * COLUMNS + width / 2).checked_div(width)?;
        if width < 2 * GAP_COLUMNS || !(2 * HEIGHTS..=8 * COLUMNS).contains(&rows) {
            return None;
        }
        let (pixels, _) = frame.pixels().as_chunks::<3>();
        let values = pixels.iter().map(|pixel| f32::from(pixel.iter().copied().max().unwrap_or(0))).collect();
        let full = Levels { columns: width, rows: height, values };
        let mut levels = full.resized(Part { top: 0, bottom: height, left: 0, right: width }, COLUMNS, rows);
        remove_page(&mut levels);
        Some(Self { levels })
    }

    /// Returns the parts that may be a strip: between any two of some heights, wide enough, nothing wider than a gap inside.
    pub(super) fn parts(&self) -> Vec<Part> {
        let rows = self.levels.rows;
        let height = |step: usize| (step * rows + HEIGHTS / 2) / HEIGHTS;
        let mut parts = Vec::new();
        for from in 0..HEIGHTS {
            for to in from + MIN_HEIGHT_STEPS..=HEIGHTS {
                let (top, bottom) = (height(from), height(to));
                let spans = self.spans(top, bottom).into_iter();
                parts.extend(spans.map(|(left, right)| Part { top, bottom, left, right }));
            }
        }
        parts
    }

    /// Returns the spans of columns with content between two rows, the wide ones.
    fn spans(&self, top: usize, bottom: usize) -> Vec<(usize, usize)> {
        let columns = self.levels.columns;
        let least = (bottom - top) as f64 * MIN_CONTENT_SHARE;
        let has_content = |column: usize| {
            let content = (top..bottom).filter(|&row| self.levels.at(column, row) > CONTENT_LEVEL);
            content.count() as f64 > least
        };
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for column in (0..columns).filter(|&column| has_content(column)) {
            match spans.last_mut().filter(|(_, end)| column - *end < GAP_COLUMNS) {
                Some((_, end)) => *end = column + 1,
                None => spans.push((column, column + 1)),
            }
        }
        spans.retain(|(left, right)| (right - left) as f64 >= MIN_WIDTH_SHARE * columns as f64);
        spans
    }
}

/// Makes the page black: the level that most of the screen has.
fn remove_page(levels: &mut Levels) {
    let mut counts = [0_u32; 256];
    levels.values.iter().for_each(|level| counts[*level as usize & 0xFF] += 1);
    let most = counts.iter().enumerate().max_by_key(|(_, count)| **count).map_or(0, |(level, _)| level);
    let page = most as f32;
    let spread = if page >= LIGHT_PAGE_LEVEL { LIGHT_PAGE_SPREAD } else { DARK_PAGE_SPREAD };
    for level in levels.values.iter_mut().filter(|level| (**level - page).abs() <= spread) {
        *level = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cover_every_place_once() {
        for (count, places) in [(3, 10), (7, 5), (4, 4)] {
            let mut covered = vec![0.0; places];
            for cell in weights(0, places, count) {
                for (offset, share) in cell.weights.iter().enumerate() {
                    covered[cell.first + offset] += share;
                }
            }
            assert!(covered.iter().all(|share| (share - 1.0).abs() < 1e-4), "{count} of {places}: {covered:?}");
        }
    }

    #[test]
    fn what_stands_apart_is_no_part_of_a_wide_span() {
        let mut frame = RgbImage::black(512, 384);
        for y in 100..300 {
            for x in (20..60).chain(120..500) {
                let at = (y * 512 + x) * 3;
                frame.pixels_mut()[at..at + 3].fill(90);
            }
        }
        let screen = Screen::new(&frame).expect("large enough");
        assert_eq!(screen.spans(60, 140), [(60, 250)]);
        assert!(screen.parts().iter().all(|part| (part.left, part.right) == (60, 250)));
    }
}
