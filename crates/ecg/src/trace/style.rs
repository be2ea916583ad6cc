//! Tells how a trace is drawn from how it changes between frames.

use super::TraceStyle;
use super::band::Band;
use super::cursor::sight_cursor;
use super::curve::Curve;
use super::head::{EvenMotion, Sighting, fit_motion};
use super::image::Picture;
use super::motion::{Drawing, Motion};
use super::scroll::find_shift;
use super::signal::compose;

/// Columns that must be missing behind a drawing head.
const SHORTEST_GAP: usize = 3;
const MAX_HEADS: usize = 4;
/// Columns of the widest mark at a drawing head.
const WIDEST_MARK: usize = 9;
/// A trace that sweeps is at least this part of the image wide.
const NARROWEST_SWEEP: f64 = 0.1;
/// A curve with fewer columns does not yet show where the trace is.
const FEWEST_COLUMNS: usize = 12;
/// Columns a frame: a third of what a slow trace does at 120 frames a second.
const SLOWEST_HEAD: f64 = 0.12;
/// A cursor crosses at least this part of the trace.
const MIN_CURSOR_TRAVEL: f64 = 0.12;
/// Share of values shown by several frames that must agree under a motion.
const MIN_AGREEMENT: f64 = 0.75;
/// Rows a shifted curve may differ on average.
const GREATEST_MISFIT_ROWS: f32 = 1.8;

/// Tells the way of drawing; `None` where the strokes change in a way that no trace does.
pub(super) fn tell_drawing(band: &mut Band<'_, '_>) -> Option<Drawing> {
    let still = Drawing { style: TraceStyle::Still, motion: None };
    if band.curves.len() < 2 {
        return Some(still);
    }
    let changed = usual_change(band);
    let width = band.columns.1 + 1 - band.columns.0;
    let stands_still = changed <= 8 + width / 20 || band.stands_still();
    if stands_still && let Some(motion) = fit_cursor(band) {
        return Some(cursor(motion));
    }
    let head = fit_head(band);
    let scroll = fit_scroll(band);
    if let Some(drawing) = better(band, head, scroll) {
        return Some(drawing);
    }
    stands_still.then_some(still)
}

fn cursor(motion: EvenMotion) -> Drawing {
    Drawing { style: TraceStyle::Cursor, motion: Some(Motion::Cursor(motion)) }
}

/// Returns the way whose frames agree better on what they show together.
fn better(band: &Band<'_, '_>, head: Option<Drawing>, scroll: Option<Drawing>) -> Option<Drawing> {
    let head = head.and_then(|d| Some((agreement(band, &d)?, d)));
    let scroll = scroll.and_then(|d| Some((agreement(band, &d)?, d)));
    match (head, scroll) {
        (Some((a, head)), Some((b, scroll))) => Some(if a + 0.03 >= b { head } else { scroll }),
        (one, other) => one.or(other).map(|(_, drawing)| drawing),
    }
}

fn agreement(band: &Band<'_, '_>, drawing: &Drawing) -> Option<f64> {
    let signal = compose(&band.curves, drawing.motion.as_ref()?)?;
    let (all, telling) = (signal.agreement.share(), signal.agreement.telling_share());
    (all >= MIN_AGREEMENT && telling >= MIN_AGREEMENT - 0.15).then_some(all.min(telling))
}

/// Returns columns in which the middle one of the other frames differs from the last one.
fn usual_change(band: &Band<'_, '_>) -> usize {
    let Some((_, last)) = band.curves.last_key_value() else {
        return 0;
    };
    let changed = |curve: &Curve| {
        let pairs = curve.runs.iter().zip(&last.runs);
        let differs = pairs.filter(|pair| match pair {
            (Some(a), Some(b)) => a.rows_apart(b) > 1,
            (None, None) => false,
            _ => true,
        });
        differs.count()
    };
    let mut counts: Vec<usize> = band.curves.values().rev().skip(1).map(changed).collect();
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}

/// Returns the first column and width of a pass; at both ends the line reaches half of its thickness beyond.
fn pass(band: &Band<'_, '_>) -> (f64, f64) {
    let (first, last) = band.columns;
    let half_line = band.curves.last_key_value().map_or(0.0, |(_, curve)| curve.half_line());
    (first as f64 + half_line, (last - first) as f64 - 2.0 * half_line)
}

fn fit_cursor(band: &mut Band<'_, '_>) -> Option<EvenMotion> {
    let motion = best_cursor(band)?;
    let travel = motion.columns_per_frame * f64::from(band.frame_count() - 1);
    if travel < MIN_CURSOR_TRAVEL * motion.pass.1 {
        return None;
    }
    if motion.hits == band.curves.len() && motion.hits >= 5 {
        return Some(motion);
    }
    // Something else may have looked like a cursor by chance: it must also be where it is expected in two more frames.
    let last = band.frame_count() - 1;
    let before = band.curves.len();
    for frame in [last / 8, last - last / 3] {
        band.curve(frame);
    }
    let again = best_cursor(band)?;
    let asked = band.curves.len() - before;
    let drift = (again.columns_per_frame - motion.columns_per_frame).abs() * f64::from(last);
    (drift <= 6.0 && again.hits >= (motion.hits + asked).min(3) && 4 * again.hits >= 3 * band.curves.len())
        .then_some(again)
}

fn best_cursor(band: &Band<'_, '_>) -> Option<EvenMotion> {
    let pictures = band.pictures();
    let views: Vec<_> = pictures.iter().map(|(index, p)| (*index, p)).collect();
    let trace = band.whole_curve()?;
    // A cursor may stand a little before or behind what is drawn.
    let (first, last) = band.columns;
    let columns = (first.saturating_sub(12), last + 12);
    let fits = sight_cursor(&views, trace, columns).map(|seen| fit_motion(&seen, pass(band)));
    fits.into_iter().flatten().max_by_key(|m| (m.hits, u32::from(!m.wraps)))
}

fn fit_head(band: &mut Band<'_, '_>) -> Option<Drawing> {
    let motion = fit_motion(&sight_heads(band), pass(band))?;
    let motion = confirm_head(band, motion)?;
    // A trace that starts from nothing is not seen at first; where it is drawn, its head must be where it is expected.
    let drawn = band.curves.values().filter(|c| c.drawn_columns() >= FEWEST_COLUMNS).count();
    if 4 * motion.hits < 3 * drawn || motion.columns_per_frame < SLOWEST_HEAD {
        return None;
    }
    let sweeps = motion.wraps
        || band.curves.iter().any(|(frame, curve)| {
            let head = motion.column(f64::from(*frame)).max(0.0) as usize;
            let ahead = curve.runs.iter().skip(head + 1 + SHORTEST_GAP);
            ahead.flatten().count() >= 8
        });
    if sweeps && motion.pass.1 < NARROWEST_SWEEP * band.image_width() as f64 {
        return None;
    }
    let style = if sweeps { TraceStyle::Sweeps } else { TraceStyle::Grows };
    Some(Drawing { style, motion: Some(Motion::Head(motion)) })
}

fn sight_heads(band: &Band<'_, '_>) -> Vec<Sighting> {
    let pictures = band.pictures();
    let sight = |(frame, picture): &(u32, Picture)| {
        let curve = band.curves.get(frame)?;
        let ends = ends_before_gaps(curve, band.columns);
        let mark = |end: &usize| half_of_mark(picture, curve, *end, band.brightness());
        let columns = ends.iter().map(|end| *end as f64 - curve.half_line() + mark(end));
        Some(Sighting { frame: *frame, columns: columns.collect() })
    };
    pictures.iter().filter_map(sight).collect()
}

/// Returns half the width of a mark of another color that hides the newest columns of the trace; its center is the
/// head.
fn half_of_mark(picture: &Picture, curve: &Curve, end: usize, brightness: u8) -> f64 {
    let Some(Some(run)) = curve.runs.get(end) else { return 0.0 };
    let rows = run.top.saturating_sub(4)..(run.bottom + 5).min(picture.height);
    let floor = (brightness / 4 * 3).max(110);
    let is_marked = |column: usize| {
        let mut pixels = rows.clone().map(|y| picture.pixels[y * picture.width + column]);
        pixels.any(|[r, g, b]| r.max(g).max(b) >= floor)
    };
    let marked = (end + 1..picture.width).take(WIDEST_MARK + 1).take_while(|c| is_marked(*c)).count();
    // What is wider is tissue.
    if (2..=WIDEST_MARK).contains(&marked) { marked as f64 / 2.0 + curve.half_line() } else { 0.0 }
}

/// Confirms a motion by two more frames where some frames do not fit or the head would have jumped back: with several
/// gaps in each frame something always fits.
fn confirm_head(band: &mut Band<'_, '_>, motion: EvenMotion) -> Option<EvenMotion> {
    if motion.hits == band.curves.len() && !motion.wraps {
        return Some(motion);
    }
    let last = band.frame_count() - 1;
    for frame in [last - last / 3, last - last / 8] {
        band.curve(frame);
    }
    let again = fit_motion(&sight_heads(band), pass(band))?;
    let drift = (again.columns_per_frame - motion.columns_per_frame).abs() * f64::from(last);
    (drift <= 0.05 * again.pass.1 + 6.0 || again.hits == band.curves.len()).then_some(again)
}

/// Returns columns where the trace ends before a gap, those before the widest gaps first.
fn ends_before_gaps(curve: &Curve, (first, last): (usize, usize)) -> Vec<usize> {
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut end = None;
    for column in first..=last + 1 + SHORTEST_GAP {
        if column <= last && curve.is_drawn(column) {
            if let Some(end) = end.filter(|e| column - e > SHORTEST_GAP) {
                ends.push((column - end, end));
            }
            end = Some(column);
        }
    }
    if let Some(end) = end {
        ends.push((last + 1 + SHORTEST_GAP - end, end));
    }
    ends.sort_by_key(|(gap, _)| std::cmp::Reverse(*gap));
    ends.truncate(MAX_HEADS);
    ends.into_iter().map(|(_, end)| end).collect()
}

fn fit_scroll(band: &mut Band<'_, '_>) -> Option<Drawing> {
    let last = band.frame_count().checked_sub(1).filter(|l| *l > 0)?;
    let width = band.columns.1 + 1 - band.columns.0;
    // From neighboring frames to frames far apart, each step bounded by the one before: a beat is never skipped.
    let mut lag = 1;
    let mut speed: Option<f64> = None;
    while lag <= last {
        let (from, to) = match speed {
            None => (0, width / 5),
            Some(speed) => {
                let (expected, doubt) = (speed * f64::from(lag), 1.5 + 0.25 * speed);
                let from = (expected - doubt).max(0.0) as usize;
                (from, (expected + doubt) as usize + 1)
            }
        };
        // The end of the loop shows the most trace where it starts blank.
        let (early, late) = (band.heights(last - lag)?, band.heights(last)?);
        let shift = find_shift(&early, &late, from, to)?;
        if shift.misfit > GREATEST_MISFIT_ROWS {
            return None;
        }
        let found = shift.columns / f64::from(lag);
        speed = Some(found);
        // As far on as doubt of one column allows, and never beyond half of the width.
        let reach = if found > 0.2 { 0.5 * width as f64 / found } else { f64::from(4 * lag) };
        let next = (4 * lag).min(reach as u32).min(last);
        if next <= lag {
            break;
        }
        lag = next;
    }
    let speed = speed?;
    let moved = speed * f64::from(last);
    let half_line = band.curves.last_key_value().map_or(0.0, |(_, c)| c.half_line());
    let drawing = Drawing {
        style: TraceStyle::Scrolls,
        motion: Some(Motion::Scroll { right: band.columns.1 as f64 - half_line, columns_per_frame: speed }),
    };
    (moved >= 6.0).then_some(drawing)
}
