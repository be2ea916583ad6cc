//! The screen in cells, and which of them belong to the ultrasound image.

use std::collections::HashSet;

use domain::PixelRect;

/// Side of a cell in pixels.
pub(super) const CELL_PIXELS: usize = 8;

/// A part that thin ones join to the largest belongs to it if it has more than this share of its cells: text and the
/// peaks of a trace have fewer.
const JOINED_SHARE: f64 = 0.05;

/// Cells of the screen that belong to the image.
pub(super) struct CellGrid {
    columns: usize,
    rows: usize,
    is_set: Vec<bool>,
}

/// Cells that hang together, as column and row of each.
pub(super) struct Part {
    pub(super) cells: Vec<(usize, usize)>,
}

impl CellGrid {
    /// Sets the cells for which `is_part`, given the indexes of their pixels, is true.
    pub(super) fn new(width: usize, height: usize, is_part: impl Fn(&mut dyn Iterator<Item = usize>) -> bool) -> Self {
        let (columns, rows) = (width.div_ceil(CELL_PIXELS), height.div_ceil(CELL_PIXELS));
        let mut is_set = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let lines = row * CELL_PIXELS..((row + 1) * CELL_PIXELS).min(height);
                let (from, to) = (column * CELL_PIXELS, ((column + 1) * CELL_PIXELS).min(width));
                is_set.push(is_part(&mut lines.flat_map(|y| y * width + from..y * width + to)));
            }
        }
        Self { columns, rows, is_set }
    }

    /// Only the cells that lie in a square of three by three that are set: lines of text and traces are thinner.
    fn without_thin_parts(&self) -> Self {
        let mut is_set = vec![false; self.is_set.len()];
        for row in 1..self.rows.saturating_sub(1) {
            for column in 1..self.columns.saturating_sub(1) {
                let square = || (row - 1..=row + 1).flat_map(|y| (column - 1..=column + 1).map(move |x| (x, y)));
                if square().all(|(x, y)| self.is_set_at(x, y)) {
                    for (x, y) in square() {
                        is_set[y * self.columns + x] = true;
                    }
                }
            }
        }
        Self { is_set, ..*self }
    }

    fn is_set_at(&self, column: usize, row: usize) -> bool {
        self.is_set.get(row * self.columns + column).copied().unwrap_or(false)
    }

    /// Returns the largest of the parts that are not thin, with the other large ones that thin ones join to it: a
    /// bright far field and a bright near field with no more than walls between them are one image.
    pub(super) fn largest_part(mut self) -> Option<Part> {
        let mut parts = self.without_thin_parts().parts();
        // The first of those that are as large.
        parts.sort_by_key(|part| std::cmp::Reverse(part.cells.len()));
        let mut parts = parts.into_iter();
        let mut largest = parts.next()?;
        let &(column, row) = largest.cells.first()?;
        let joined: HashSet<(usize, usize)> = self.take_part(row * self.columns + column).cells.into_iter().collect();
        let fewest = (largest.cells.len() as f64 * JOINED_SHARE) as usize;
        for part in parts.filter(|part| part.cells.len() > fewest) {
            if part.cells.iter().all(|cell| joined.contains(cell)) {
                largest.cells.extend(part.cells);
            }
        }
        Some(largest)
    }

    /// Returns all parts of cells that touch at a side or a corner.
    fn parts(mut self) -> Vec<Part> {
        let parts = (0..self.is_set.len()).map(|start| self.take_part(start));
        parts.filter(|part| !part.cells.is_empty()).collect()
    }

    /// Clears the part that holds `start` and gives its cells.
    fn take_part(&mut self, start: usize) -> Part {
        let mut waiting = Vec::new();
        let mut cells = Vec::new();
        self.take_cell(start, &mut waiting);
        while let Some(cell) = waiting.pop() {
            let (x, y) = (cell % self.columns, cell / self.columns);
            cells.push((x, y));
            for neighbor_y in y.saturating_sub(1)..=y + 1 {
                for neighbor_x in x.saturating_sub(1)..=(x + 1).min(self.columns - 1) {
                    self.take_cell(neighbor_y * self.columns + neighbor_x, &mut waiting);
                }
            }
        }
        Part { cells }
    }

    fn take_cell(&mut self, cell: usize, waiting: &mut Vec<usize>) {
        if let Some(is_set) = self.is_set.get_mut(cell).filter(|is_set| **is_set) {
            *is_set = false;
            waiting.push(cell);
        }
    }
}

impl Part {
    /// Returns the first and the last row of cells.
    pub(super) fn rows(&self) -> Option<(usize, usize)> {
        let rows = || self.cells.iter().map(|&(_, row)| row);
        rows().min().zip(rows().max())
    }

    /// Returns the first and the last column of the cells in a row.
    pub(super) fn span_of_row(&self, wanted: usize) -> Option<(usize, usize)> {
        let columns = || self.cells.iter().filter(|&&(_, row)| row == wanted).map(|&(column, _)| column);
        columns().min().zip(columns().max())
    }

    /// Returns the box around all cells, in pixels.
    pub(super) fn corners(&self) -> PixelRect {
        let pixel = |cell: usize| u32::try_from(cell * CELL_PIXELS).unwrap_or(u32::MAX);
        let span = |of: &dyn Fn(&(usize, usize)) -> usize| {
            let least = self.cells.iter().map(of).min().unwrap_or(0);
            let greatest = self.cells.iter().map(of).max().unwrap_or(0);
            (pixel(least), pixel(greatest + 1) - 1)
        };
        let ((x0, x1), (y0, y1)) = (span(&|cell| cell.0), span(&|cell| cell.1));
        PixelRect { x0, y0, x1, y1 }
    }
}

#[cfg(test)]
mod tests {
    use super::{CELL_PIXELS, CellGrid};

    /// Returns a grid whose set cells are those of `drawing` that are no dots.
    fn grid(drawing: &[&str]) -> CellGrid {
        let (columns, rows) = (drawing[0].len(), drawing.len());
        let is_set = |pixel: usize| {
            let (x, y) = (pixel % (columns * CELL_PIXELS), pixel / (columns * CELL_PIXELS));
            drawing[y / CELL_PIXELS].as_bytes()[x / CELL_PIXELS] != b'.'
        };
        CellGrid::new(columns * CELL_PIXELS, rows * CELL_PIXELS, |pixels| pixels.next().is_some_and(is_set))
    }

    #[test]
    fn a_near_field_that_a_wall_joins_to_the_far_field_belongs_to_the_image() {
        let cells = grid(&[
            "...nnn.....tt",
            "...nnn.....tt",
            "...nnn.......",
            "......w......",
            ".ffffffff.ooo",
            ".ffffffff.ooo",
            ".ffffffff.ooo",
            ".............",
        ]);
        let mut part = cells.largest_part().expect("a part").cells;
        part.sort_unstable_by_key(|&(x, y)| (y, x));
        let near = (0..3).flat_map(|y| (3..6).map(move |x| (x, y)));
        let far = (4..7).flat_map(|y| (1..9).map(move |x| (x, y)));
        assert_eq!(part, near.chain(far).collect::<Vec<_>>(), "neither the wall, the text nor what stands apart");
    }
}
