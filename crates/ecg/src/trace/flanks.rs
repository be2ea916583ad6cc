//! Gives a followed trace back its steepest strokes.
//!
//! Nothing is thin where the flanks of a narrow QRS meet each other or the baseline, and where chroma is stored at half
//! size upright strokes turn gray, so that the search for thin strokes of one color may step over the whole spike.

use super::strokes::Run;

/// Lit pixels in a row that one spike with both of its flanks may have.
const WIDEST_SPIKE: usize = 9;

/// Rows by which a run must grow to count as a climb.
const CLIMB_ROWS: usize = 3;
/// Columns of the widest QRS; what is wider is tissue that touches the trace.
const WIDEST_QRS: usize = 20;
/// Climbs cover at most one column in so many, else the trace lies on something that is no spike.
const CLIMBS_ONE_IN: usize = 4;

/// Lit pixels of a picture: a plane (`width` columns) and the least value that counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lit<'p> {
    pub plane: &'p [u8],
    pub width: usize,
    pub threshold: u8,
}

/// Extends the runs of a curve (one a column) over the narrow lit strokes that hang together with them, into columns
/// up to `longest_gap` before what was followed too. Climbs that no QRS makes are taken back.
pub(super) fn climb_flanks(runs: &mut [Option<Run>], lit: Lit<'_>, longest_gap: usize) {
    let narrow = narrow_pixels(lit);
    let columns = runs.len().min(lit.width);
    // What is lit right of the end of the trace may be a mark at its head.
    let near = |column: usize| runs[column..(column + longest_gap + 1).min(columns)].iter().any(Option::is_some);
    let within: Vec<bool> = (0..columns).map(near).collect();
    let before = runs.to_vec();
    let mut taken = vec![false; narrow.len()];
    let mut open: Vec<(usize, usize)> = Vec::new();
    for run in runs.iter().flatten() {
        open.extend((run.top..=run.bottom).map(|row| (run.column, row)));
    }
    while let Some((column, row)) = open.pop() {
        for x in column.saturating_sub(1)..=(column + 1).min(columns.saturating_sub(1)) {
            for y in row.saturating_sub(1)..=row + 1 {
                let at = y * lit.width + x;
                if !within[x] || !narrow.get(at).is_some_and(|narrow| *narrow) || taken[at] {
                    continue;
                }
                taken[at] = true;
                open.push((x, y));
                let run = runs[x].get_or_insert(Run { column: x, top: y, bottom: y });
                run.top = run.top.min(y);
                run.bottom = run.bottom.max(y);
            }
        }
    }
    take_back_false_climbs(runs, &before);
}

fn take_back_false_climbs(runs: &mut [Option<Run>], before: &[Option<Run>]) {
    let height = |run: &Option<Run>| run.as_ref().map_or(0, Run::height);
    let climbs: Vec<bool> = runs.iter().zip(before).map(|(now, old)| height(now) > height(old) + CLIMB_ROWS).collect();
    let climbed = climbs.iter().filter(|climbs| **climbs).count();
    if CLIMBS_ONE_IN * climbed > before.iter().flatten().count() {
        runs.copy_from_slice(before);
        return;
    }
    let mut start = 0;
    for stretch in climbs.chunk_by(|a, b| a == b) {
        let columns = start..start + stretch.len();
        start = columns.end;
        if stretch[0] && stretch.len() > WIDEST_QRS {
            runs[columns.clone()].copy_from_slice(&before[columns]);
        }
    }
}

/// Lit pixels that have few lit neighbors to their left and right.
fn narrow_pixels(lit: Lit<'_>) -> Vec<bool> {
    let mut narrow = vec![false; lit.plane.len()];
    if lit.width == 0 {
        return narrow;
    }
    for (row, out) in lit.plane.chunks_exact(lit.width).zip(narrow.chunks_exact_mut(lit.width)) {
        let mut start = 0;
        for stretch in row.chunk_by(|a, b| (*a >= lit.threshold) == (*b >= lit.threshold)) {
            let end = start + stretch.len();
            out[start..end].fill(stretch[0] >= lit.threshold && stretch.len() <= WIDEST_SPIKE);
            start = end;
        }
    }
    narrow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_that_was_stepped_over_is_found_but_not_an_area() {
        let (width, height) = (60, 40);
        let mut plane = vec![0u8; width * height];
        for column in 0..width {
            plane[30 * width + column] = 255;
        }
        for row in 5..30 {
            for column in 20..23 {
                plane[row * width + column] = 255;
            }
            for column in 40..55 {
                plane[row * width + column] = 255;
            }
        }
        let mut runs: Vec<Option<Run>> = (0..width).map(|column| Some(Run { column, top: 30, bottom: 30 })).collect();
        runs[21] = None;
        climb_flanks(&mut runs, Lit { plane: &plane, width, threshold: 100 }, 4);
        let top = |column: usize| runs[column].map(|run: Run| run.top);
        assert_eq!((top(19), top(20), top(21), top(23)), (Some(30), Some(5), Some(5), Some(30)));
        assert!((40..55).all(|column| top(column) == Some(30)));
    }

    #[test]
    fn empty_planes_and_curves_stay_empty() {
        climb_flanks(&mut [], Lit { plane: &[], width: 0, threshold: 100 }, 4);
        let mut runs = [None, None];
        climb_flanks(&mut runs, Lit { plane: &[255; 4], width: 2, threshold: 100 }, 4);
        assert_eq!(runs, [None, None]);
    }
}
