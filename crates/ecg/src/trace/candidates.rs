//! Strokes of a whole frame that may be an ECG trace, likeliest first.

use super::color::{TraceColor, thin_colors};
use super::curve::Curve;
use super::image::{Area, Picture};
use super::r_columns::find_r_peaks;
use super::strokes::{Run, Stroke, StrokeRule, find_strokes};

/// Brightness at which a search for gray and white traces starts; the true brightness is learned from the stroke.
const FIRST_GRAY: [f32; 3] = [150.0; 3];
const COLOR_RULE: StrokeRule = StrokeRule { threshold: 110, contrast: 0.45, longest_gap: 4 };
const GRAY_RULE: StrokeRule = StrokeRule { threshold: 110, contrast: 0.45, longest_gap: 2 };
/// A trace has at least this many columns; the shortest seen on a real screen has 33 of 800.
const FEWEST_COLUMNS: usize = 20;
const MAX_CANDIDATES: usize = 6;
const MAX_CLUTTER: f32 = 0.45;
const THICKEST: f32 = 7.0;
/// A stroke that is alone in this part of its columns lies on black.
pub(super) const MIN_ALONE: f32 = 0.7;

/// A stroke that may be the trace.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub color: TraceColor,
    pub area: Area,
    /// Likeness to a trace without regard to beats: length, evenness, place; only the order counts.
    pub worth: f32,
    /// The same with regard to beats.
    pub rank: f32,
    /// Share of its columns that are dark above and below: a trace is drawn on black, or over what changes.
    pub alone: f32,
}

impl Candidate {
    pub fn is_on_black(&self) -> bool {
        self.alone >= MIN_ALONE
    }
}

/// Places of the trace by the header, within the picture.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places {
    pub ecg: Option<Area>,
}

/// Finds candidates in a frame. `still` is the pixel-wise darkest of several frames, where white strokes stand out of
/// moving tissue; the frame itself where there is no more than one.
pub(super) fn find_candidates(frame: &Picture, still: &Picture, places: Places) -> Vec<Candidate> {
    let mut found = Vec::new();
    for color in thin_colors(frame) {
        collect(frame, &color, COLOR_RULE, places, &mut found);
    }
    let gray = TraceColor::from_rgb(FIRST_GRAY);
    collect(still, &gray, GRAY_RULE, places, &mut found);
    if !std::ptr::eq(frame, still) {
        collect(frame, &gray, GRAY_RULE, places, &mut found);
    }
    found.sort_by(|a, b| b.rank.total_cmp(&a.rank));
    join_neighbors(found)
}

fn collect(picture: &Picture, color: &TraceColor, rule: StrokeRule, places: Places, found: &mut Vec<Candidate>) {
    let plane = color.plane(picture);
    let fewest = FEWEST_COLUMNS.max(picture.width / 45);
    for stroke in find_strokes(&plane, picture.width, picture.height, rule, fewest) {
        let shapely = stroke.clutter() <= MAX_CLUTTER && stroke.thickness() <= THICKEST && stroke.coverage() >= 0.75;
        if !shapely {
            continue;
        }
        let area = area_of(&stroke);
        let color = learn_color(picture, &stroke, color);
        let worth = worth(&stroke, area, picture, color.is_gray(), places);
        let curve = Curve::from_stroke(&stroke, area);
        let has_peaks = !find_r_peaks(&curve.heights(), None).is_empty();
        let rank = if has_peaks { worth } else { 0.25 * worth };
        let alone = alone(picture, &stroke);
        found.push(Candidate { color, area, worth, rank, alone });
    }
}

fn area_of(stroke: &Stroke) -> Area {
    let top = stroke.runs.iter().map(|r| r.top).min().unwrap_or(0);
    let bottom = stroke.runs.iter().map(|r| r.bottom).max().unwrap_or(0);
    Area { x0: stroke.first_column(), y0: top, x1: stroke.last_column() + 1, y1: bottom + 1 }
}

/// Returns the share of the stroke's columns in which a few rows above and below it are dark.
fn alone(picture: &Picture, stroke: &Stroke) -> f32 {
    let brightness = |column: usize, row: usize| {
        let at = row * picture.width + column;
        picture.pixels.get(at).map_or(0, |[r, g, b]| *r.max(g).max(b))
    };
    let is_alone = |run: &&Run| {
        let limit = (run.top..=run.bottom).map(|y| brightness(run.column, y)).max().unwrap_or(0) / 2;
        let dark_below = (6..=10).all(|d| brightness(run.column, run.bottom + d) <= limit);
        dark_below && (6..=10).all(|d| run.top < d || brightness(run.column, run.top - d) <= limit)
    };
    stroke.runs.iter().filter(is_alone).count() as f32 / stroke.runs.len().max(1) as f32
}

/// Returns the usual color of the stroke's best pixels: smeared flanks are darker than what was drawn.
fn learn_color(picture: &Picture, stroke: &Stroke, class: &TraceColor) -> TraceColor {
    let strength = |pixel: [u8; 3]| {
        if class.is_gray() {
            pixel.iter().map(|v| u32::from(*v)).sum::<u32>()
        } else {
            u32::from(pixel.iter().max().unwrap_or(&0) - pixel.iter().min().unwrap_or(&0))
        }
    };
    let mut cores: Vec<[u8; 3]> = stroke
        .runs
        .iter()
        .filter_map(|run| {
            (run.top..=run.bottom)
                .map(|y| picture.pixels[y * picture.width + run.column])
                .max_by_key(|pixel| strength(*pixel))
        })
        .collect();
    cores.sort_by_key(|pixel| strength(*pixel));
    let upper = &cores[cores.len() / 2..];
    let count = upper.len().max(1) as f32;
    let mean = [0, 1, 2].map(|i| upper.iter().map(|p| f32::from(p[i])).sum::<f32>() / count);
    let learned = TraceColor::from_rgb(mean);
    if learned.is_gray() == class.is_gray() { learned } else { *class }
}

fn worth(stroke: &Stroke, area: Area, picture: &Picture, gray: bool, places: Places) -> f32 {
    let columns = stroke.runs.len() as f32;
    let mut worth = columns.min(400.0) * stroke.coverage() * (1.0 - stroke.clutter());
    if gray {
        worth *= 0.4;
    }
    let middle_row = (area.y0 + area.y1) as f32 / 2.0;
    worth *= 0.5 + middle_row / picture.height as f32;
    let middle_column = (area.x0 + area.x1) as f32 / 2.0;
    match places.ecg {
        Some(region) if region.holds(middle_column, middle_row) => worth * 8.0,
        _ => worth,
    }
}

/// Strokes of one color at one height are parts of one trace, left and right of a gap.
fn join_neighbors(found: Vec<Candidate>) -> Vec<Candidate> {
    let mut joined: Vec<Candidate> = Vec::new();
    for candidate in found {
        let near = |other: &Candidate| {
            let color_apart: f32 = (0..3).map(|i| (other.color.rgb[i] - candidate.color.rgb[i]).abs()).sum();
            let overlap = other.area.y1.min(candidate.area.y1) as f32 - other.area.y0.max(candidate.area.y0) as f32;
            let lower = other.area.height().min(candidate.area.height()) as f32;
            color_apart < 120.0 && overlap >= 0.5 * lower
        };
        if let Some(first) = joined.iter_mut().find(|other| near(other)) {
            first.area = Area {
                x0: first.area.x0.min(candidate.area.x0),
                y0: first.area.y0.min(candidate.area.y0),
                x1: first.area.x1.max(candidate.area.x1),
                y1: first.area.y1.max(candidate.area.y1),
            };
        } else if joined.len() < MAX_CANDIDATES {
            joined.push(candidate);
        }
    }
    joined
}
