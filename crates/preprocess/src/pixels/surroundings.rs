//! The ultrasound image on a screen of texts and traces, found as EchoPrime's authors find it.

use domain::RgbView;

use super::color::{opencv_luma, opencv_yuv_to_bgr};
use super::hull::{convex_hull, distance_to_edge};

/// A line, a letter or a trace is thinner than twice this many pixels, and is taken away; what stays gets its width back.
const THIN: usize = 10;
/// The side of the square in the top left corner that never counts as changing.
const CORNER: usize = 20;
/// The outline of a region is drawn this far to both sides. OpenCV's line of three pixels reaches as far, give or take a pixel
/// in a thousand of the region.
const OUTLINE: f64 = 2.5;

/// Returns the region that stays, one flag a pixel: what is ever lit, without thin lines, and differs between the first
/// frame and the last, made convex. `None` where nothing differs, as in a still.
pub(super) fn ultrasound_region(frames: &[RgbView<'_>]) -> Option<Vec<bool>> {
    let (first, last) = (frames.first()?, frames.last()?);
    let width = first.width() as usize;
    if first.pixels().is_empty() {
        return None;
    }
    let dark: Vec<bool> = (0..first.pixels().len())
        .map(|at| frames.iter().all(|frame| frame.pixels().get(at).is_none_or(|pixel| luma(pixel) == 0)))
        .collect();
    let near_dark = spread(&dark, width);
    let changes = first.pixels().iter().zip(last.pixels()).map(|(one, other)| luma(one) != luma(other));
    let moving: Vec<bool> = changes
        .zip(&near_dark)
        .enumerate()
        .map(|(at, (changes, near_dark))| changes && !near_dark && (at % width >= CORNER || at / width >= CORNER))
        .collect();
    if !moving.contains(&true) {
        return None;
    }
    let region = without_holes(&spread(&moving, width), width);
    let mut outlined = region.clone();
    for points in extreme_points(&region, width) {
        draw_outline(&mut outlined, width, &convex_hull(points));
    }
    Some(without_holes(&outlined, width))
}

fn luma(pixel: &[u8; 3]) -> u8 {
    let [blue, green, red] = opencv_yuv_to_bgr(pixel);
    opencv_luma(&[red, green, blue])
}

/// Sets every pixel that has a set one at most [`THIN`] rows and columns away.
fn spread(region: &[bool], width: usize) -> Vec<bool> {
    let mut across = region.to_vec();
    for (row, source) in across.chunks_exact_mut(width).zip(region.chunks_exact(width)) {
        for shift in 1..=THIN.min(width - 1) {
            row[shift..].iter_mut().zip(source).for_each(|(target, set)| *target |= set);
            row.iter_mut().zip(&source[shift..]).for_each(|(target, set)| *target |= set);
        }
    }
    let rows: Vec<&[bool]> = across.chunks_exact(width).collect();
    let mut spread = Vec::with_capacity(region.len());
    for y in 0..rows.len() {
        let mut row = rows[y].to_vec();
        for near in &rows[y.saturating_sub(THIN)..(y + THIN + 1).min(rows.len())] {
            row.iter_mut().zip(*near).for_each(|(target, set)| *target |= set);
        }
        spread.append(&mut row);
    }
    spread
}

/// Sets everything that the top left pixel is not joined with by pixels that are not set, side by side.
fn without_holes(region: &[bool], width: usize) -> Vec<bool> {
    let mut inside = vec![true; region.len()];
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        if region[at] || !inside[at] {
            continue;
        }
        inside[at] = false;
        let x = at % width;
        open.extend((x > 0).then(|| at - 1));
        open.extend((x + 1 < width).then_some(at + 1));
        open.extend(at.checked_sub(width));
        open.extend(Some(at + width).filter(|below| *below < region.len()));
    }
    inside
}

/// The leftmost and rightmost pixels of each row, for each part of the region that hangs together, corners included.
fn extreme_points(region: &[bool], width: usize) -> Vec<Vec<(i64, i64)>> {
    let height = region.len() / width;
    let mut left = region.to_vec();
    let mut parts = Vec::new();
    for start in 0..region.len() {
        if !left[start] {
            continue;
        }
        let mut ends = vec![None::<(i64, i64)>; height];
        let mut open = vec![start];
        left[start] = false;
        while let Some(at) = open.pop() {
            let (x, y) = (at % width, at / width);
            let (first, last) = ends[y].unwrap_or((x as i64, x as i64));
            ends[y] = Some((first.min(x as i64), last.max(x as i64)));
            for row in y.saturating_sub(1)..(y + 2).min(height) {
                for column in x.saturating_sub(1)..(x + 2).min(width) {
                    let near = row * width + column;
                    if std::mem::take(&mut left[near]) {
                        open.push(near);
                    }
                }
            }
        }
        let rows = ends.into_iter().enumerate().filter_map(|(y, ends)| Some((y as i64, ends?)));
        parts.push(rows.flat_map(|(y, (first, last))| [(first, y), (last, y)]).collect());
    }
    parts
}

/// Sets the pixels near the edges of a polygon.
fn draw_outline(region: &mut [bool], width: usize, corners: &[(i64, i64)]) {
    let reach = OUTLINE.ceil() as i64;
    let height = (region.len() / width) as i64;
    for (at, &from) in corners.iter().enumerate() {
        let to = corners[(at + 1) % corners.len()];
        let rows = (from.1.min(to.1) - reach).max(0)..=(from.1.max(to.1) + reach).min(height - 1);
        for y in rows {
            let columns = (from.0.min(to.0) - reach).max(0)..=(from.0.max(to.0) + reach).min(width as i64 - 1);
            for x in columns {
                if distance_to_edge((x, y), (from, to)) <= OUTLINE {
                    region[y as usize * width + x as usize] = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 120;

    /// A black screen with a bright square whose level changes, a line that moves, and a text that stands.
    fn frame(level: u8) -> Vec<u8> {
        let mut pixels = vec![0; SIDE * SIDE * 3];
        let mut set = |x: usize, y: usize, level: u8| pixels[3 * (y * SIDE + x)..][..3].fill(level);
        for y in 40..80 {
            (40..80).for_each(|x| set(x, y, level));
        }
        (0..SIDE).for_each(|x| set(x, 110, level));
        for y in 0..15 {
            (60..119).for_each(|x| set(x, y, 255));
        }
        pixels
    }

    fn region(frames: &[Vec<u8>]) -> Option<Vec<bool>> {
        let views: Vec<RgbView> =
            frames.iter().map(|pixels| RgbView::new(SIDE as u32, SIDE as u32, pixels).unwrap()).collect();
        ultrasound_region(&views)
    }

    #[test]
    fn what_moves_stays_and_lines_and_texts_go() {
        let region = region(&[frame(50), frame(90)]).unwrap();
        let at = |x: usize, y: usize| region[y * SIDE + x];
        assert!(at(60, 60) && at(41, 41) && at(79, 79));
        assert!(!at(60, 110) && !at(90, 5) && !at(0, 0) && !at(30, 60));
    }

    #[test]
    fn a_still_has_no_region() {
        assert_eq!(region(&[frame(50), frame(50)]), None);
        assert_eq!(region(&[frame(50)]), None);
        assert_eq!(ultrasound_region(&[]), None);
    }

    #[test]
    fn holes_are_filled_and_corners_join() {
        let ring: Vec<bool> = (0..25).map(|at| [7, 11, 13, 17].contains(&at)).collect();
        let filled = without_holes(&ring, 5);
        assert_eq!(filled.iter().filter(|set| **set).count(), 5, "pixels that touch at corners close a ring");
        assert!(filled[12]);
        assert_eq!(extreme_points(&ring, 5).len(), 1);
    }
}
