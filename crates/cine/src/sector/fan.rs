//! The fan that a part of the screen shows most of.

use std::collections::HashSet;

use super::cells::{CELL_PIXELS, Part};
use domain::PixelRect;

/// Cells that may lie outside the fan, as a share: text that touches it, a trace over it.
const OUTSIDE_SHARE: f64 = 0.01;
/// The share of the fan that must be seen.
const SEEN_SHARE: f64 = 0.5;
/// By how much a fan whose sides are seen along their whole length may be larger than one whose sides lie in the dark,
/// as a share: a side that is dark at depth mostly shows near the probe, and small fans that lean towards the bright
/// side cut it.
const EDGES_WEIGHT: f64 = 0.75;
/// Distance to both sides of a fan's side at which its cells are compared.
const EDGE_CELLS: f64 = 1.1;
/// A part that fills this share of its box is one of a flat probe.
const BOX_SHARE: f64 = 0.85;
/// Half the opening angle of probes' fans, as its tangent: 15 to 65 degrees.
const SLOPES: std::ops::RangeInclusive<f64> = 0.27..=2.1;

/// Probes' fans begin before this share of their radius; in hearts nearly at the apex.
const STARTS_BEFORE: f64 = 0.5;

/// A fan whose middle line is vertical; lengths in cells, its apex possibly above the screen.
#[derive(Debug, Clone, Copy)]
struct Fan {
    apex: (f64, f64),
    /// Tangent of the angle between the middle line and a side.
    slope: f64,
    /// Distances from the apex at which the image begins and ends.
    radii: (f64, f64),
}

/// Returns the box of the smallest fan around nearly all cells of `part` whose sides are seen; nothing where they do
/// not look like a fan.
pub(super) fn completed(part: &Part) -> Option<PixelRect> {
    let cells: Vec<(f64, f64)> = part.cells.iter().map(|&(x, y)| (x as f64 + 0.5, y as f64 + 0.5)).collect();
    let span = |of: &dyn Fn(&(f64, f64)) -> f64| {
        cells.iter().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)))
    };
    let is_set: HashSet<(usize, usize)> = part.cells.iter().copied().collect();
    let ((left, right), (top, bottom)) = (span(&|cell| cell.0), span(&|cell| cell.1));
    let (width, height) = (right - left + 1.0, bottom - top + 1.0);
    if cells.len() as f64 >= BOX_SHARE * width * height {
        return None;
    }
    // From coarse to fine around the best apex so far. A fan's apex lies above the part, seldom by more than its height.
    let mut best: Option<(f64, Fan)> = None;
    let mut middle = ((left + right) / 2.0, top - height / 4.0);
    let mut reach = (width / 3.0, height / 2.0);
    for _ in 0..4 {
        for step_x in -4..=4 {
            for step_y in -4..=4 {
                let apex = (middle.0 + reach.0 * f64::from(step_x) / 4.0, middle.1 + reach.1 * f64::from(step_y) / 4.0);
                if let Some(fan) = smallest_fan(apex, &cells) {
                    let cost = fan.area() * (1.0 - EDGES_WEIGHT * fan.seen_edges(&is_set));
                    if best.is_none_or(|(lowest, _)| cost < lowest) {
                        best = Some((cost, fan));
                    }
                }
            }
        }
        middle = best?.1.apex;
        reach = (reach.0 / 3.0, reach.1 / 3.0);
    }
    let (_, fan) = best?;
    let is_seen = cells.len() as f64 >= SEEN_SHARE * fan.area();
    is_seen.then(|| fan.corners(top))
}

/// Returns the smallest fan with this apex around all but a few cells.
fn smallest_fan(apex: (f64, f64), cells: &[(f64, f64)]) -> Option<Fan> {
    let mut slopes = Vec::with_capacity(cells.len());
    let mut radii = Vec::with_capacity(cells.len());
    for (x, y) in cells {
        let (across, down) = ((x - apex.0).abs(), y - apex.1);
        // Cells beside or above the apex lie outside every fan.
        slopes.push(if down > 0.0 { across / down } else { f64::INFINITY });
        radii.push(across.hypot(down));
    }
    let outside = ((cells.len() as f64 * OUTSIDE_SHARE) as usize).min(cells.len().checked_sub(1)?);
    let nth = |values: &mut Vec<f64>, index: usize| *values.select_nth_unstable_by(index, f64::total_cmp).1;
    let slope = nth(&mut slopes, cells.len() - 1 - outside);
    let end = nth(&mut radii, cells.len() - 1 - outside);
    let start = nth(&mut radii, outside);
    let is_of_a_probe = SLOPES.contains(&slope) && start <= STARTS_BEFORE * end;
    is_of_a_probe.then_some(Fan { apex, slope, radii: (start, end) })
}

impl Fan {
    /// Returns its area in cells.
    fn area(&self) -> f64 {
        self.slope.atan() * (self.radii.1.powi(2) - self.radii.0.powi(2))
    }

    /// Returns the share of its two sides along which cells that are set end, 0 to 1.
    fn seen_edges(&self, is_set: &HashSet<(usize, usize)>) -> f64 {
        let (sine, cosine) = self.slope.atan().sin_cos();
        let (mut seen, mut all) = (0_u32, 0_u32);
        let mut radius = self.radii.0 + 1.0;
        while radius < self.radii.1 - 1.0 {
            for side in [-1.0, 1.0] {
                let is_set_at = |outward: f64| {
                    let x = self.apex.0 + side * (radius * sine + outward * cosine);
                    let y = self.apex.1 + radius * cosine - outward * sine;
                    x >= 0.0 && y >= 0.0 && is_set.contains(&(x as usize, y as usize))
                };
                seen += u32::from(is_set_at(-EDGE_CELLS) && !is_set_at(EDGE_CELLS));
                all += 1;
            }
            radius += 1.0;
        }
        f64::from(seen) / f64::from(all.max(1))
    }

    /// Returns the box around it in pixels, from the row of cells `top` on; clipped at 0 only.
    fn corners(&self, top: f64) -> PixelRect {
        let half_width = self.radii.1 * self.slope.atan().sin();
        let pixel = |cells: f64| (cells * CELL_PIXELS as f64).round().max(0.0) as u32;
        PixelRect {
            x0: pixel(self.apex.0 - half_width),
            y0: pixel(top - 0.5),
            x1: pixel(self.apex.0 + half_width).saturating_sub(1),
            y1: pixel(self.apex.1 + self.radii.1).saturating_sub(1),
        }
    }
}
