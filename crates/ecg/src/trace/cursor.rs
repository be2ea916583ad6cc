//! Position of a cursor (line, dot or small marker, of any color) on a trace that itself does not change.

use super::curve::Curve;
use super::head::Sighting;
use super::image::Picture;
use super::r_columns::median;

/// Change of a channel that is still compression noise.
const NOISE: u8 = 24;
const MAX_PLACES: usize = 3;
const WIDEST_CURSOR_COLUMNS: usize = 18;
/// Rows above and below the trace in which a small marker is looked for.
const NEAR_TRACE_ROWS: usize = 7;
/// Least sum of change over the rows of a column, about two clearly changed pixels.
const FAINTEST_CURSOR: f32 = 90.0;

/// Sightings of a cursor: once over the whole height of the band, once beside the trace only (for small markers, and
/// where tissue moves in the rest of the band).
pub(super) fn sight_cursor(bands: &[(u32, &Picture)], trace: &Curve, columns: (usize, usize)) -> [Vec<Sighting>; 2] {
    let pictures: Vec<&Picture> = bands.iter().map(|(_, picture)| *picture).collect();
    let Some(still) = Picture::median(&pictures) else {
        return [Vec::new(), Vec::new()];
    };
    let rows = rows_near(trace, still.height);
    let whole = vec![(0, still.height); still.width];
    [whole, rows].map(|rows| {
        let changes: Vec<Vec<f32>> = pictures.iter().map(|p| change(p, &still, &rows)).collect();
        let usual = usual_change(&changes);
        bands
            .iter()
            .zip(&changes)
            .map(|((frame, _), change)| {
                let excess: Vec<f32> = change.iter().zip(&usual).map(|(c, u)| c - 1.6 * u).collect();
                Sighting { frame: *frame, columns: places(&excess, columns) }
            })
            .collect()
    })
}

/// Returns the usual change of a column over the frames: moving tissue, not a cursor, which comes by once.
fn usual_change(changes: &[Vec<f32>]) -> Vec<f32> {
    let width = changes.first().map_or(0, Vec::len);
    (0..width).map(|column| median(changes.iter().map(|change| change[column]).collect())).collect()
}

/// For each column the rows (end excluded) about the trace; the nearest drawn column stands in where it is not drawn.
fn rows_near(trace: &Curve, height: usize) -> Vec<(usize, usize)> {
    let mut last = (0, height);
    let mut rows: Vec<(usize, usize)> = trace
        .runs
        .iter()
        .map(|run| {
            if let Some(run) = run {
                let bottom = (run.bottom + 1 + NEAR_TRACE_ROWS).min(height);
                last = (run.top.saturating_sub(NEAR_TRACE_ROWS), bottom);
            }
            last
        })
        .collect();
    if let Some(first) = trace.runs.iter().position(Option::is_some) {
        let first_rows = rows[first];
        rows[..first].fill(first_rows);
    }
    rows
}

/// Returns the difference of each column from the still background.
fn change(picture: &Picture, still: &Picture, rows: &[(usize, usize)]) -> Vec<f32> {
    let width = still.width;
    let column_change = |column: usize| {
        let (from, to) = rows[column];
        let total: u32 = (from..to)
            .map(|y| {
                let (a, b) = (picture.pixels[y * width + column], still.pixels[y * width + column]);
                let differs = (0..3).map(|i| a[i].abs_diff(b[i])).max().unwrap_or(0);
                u32::from(differs.saturating_sub(NOISE).min(100))
            })
            .sum();
        total as f32
    };
    (0..width).map(column_change).collect()
}

/// Centers of the narrow places that changed most.
fn places(change: &[f32], (first, last): (usize, usize)) -> Vec<f64> {
    let stretch = &change[first..=last.min(change.len() - 1)];
    let greatest = stretch.iter().copied().fold(0.0, f32::max);
    let usual = median(stretch.to_vec()).max(0.0);
    if greatest < FAINTEST_CURSOR.max(2.5 * usual) {
        return Vec::new();
    }
    let limit = (0.5 * greatest).max(usual + 0.3 * (greatest - usual));
    let mut clusters: Vec<(usize, usize)> = Vec::new();
    for (index, value) in stretch.iter().enumerate() {
        if *value < limit {
            continue;
        }
        match clusters.last_mut() {
            Some((_, end)) if index - *end <= 2 => *end = index,
            _ => clusters.push((index, index)),
        }
    }
    clusters.retain(|(from, to)| to + 1 - from <= WIDEST_CURSOR_COLUMNS);
    let mut weighed: Vec<(f32, f64)> = clusters
        .iter()
        .map(|(from, to)| {
            let (mut mass, mut moment) = (0.0f32, 0.0f64);
            for (column, value) in stretch.iter().enumerate().take(to + 1).skip(*from) {
                mass += value;
                moment += f64::from(*value) * (first + column) as f64;
            }
            (mass, moment / f64::from(mass))
        })
        .collect();
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    weighed.truncate(MAX_PLACES);
    weighed.into_iter().map(|(_, center)| center).collect()
}
