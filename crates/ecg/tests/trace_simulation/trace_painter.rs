//! Paints the trace of one frame in one of the four ways machines do.

use super::Rng;
use super::canvas::{Canvas, Rgb};
use super::rhythm::Ecg;
use ecg::trace::TraceStyle;

/// Look of the head or the cursor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    None,
    Line,
    Dot,
    Tick,
}

/// Place and style of a trace.
#[derive(Debug, Clone)]
pub struct TraceLook {
    pub style: TraceStyle,
    pub color: Rgb,
    pub mark: Mark,
    pub mark_color: Rgb,
    pub r_marks: bool,
    pub left: f64,
    pub width: f64,
    pub baseline_row: f64,
    pub amplitude_rows: f64,
    pub columns_per_s: f64,
    pub thick: f64,
    pub soft: bool,
    pub erase_columns: f64,
    /// Time shown at the left end (cursor), or at which the head left the left end (grows, sweeps), in seconds.
    pub origin_s: f64,
    /// True if there was a trace before the loop began.
    pub had_past: bool,
}

pub const COLORS: [Rgb; 14] = [
    [37, 163, 149],
    [110, 171, 171],
    [7, 147, 44],
    [116, 243, 186],
    [90, 250, 90],
    [235, 235, 235],
    [170, 170, 170],
    [250, 230, 60],
    [255, 150, 30],
    [240, 50, 50],
    [70, 110, 255],
    [230, 70, 220],
    [200, 180, 100],
    [0, 255, 255],
];

impl TraceLook {
    pub fn vary(rng: &mut Rng, style: TraceStyle, size: (usize, usize), loop_s: f64) -> Self {
        let (w, h) = (size.0 as f64, size.1 as f64);
        let columns_per_s = rng.between(45.0, 200.0) * (w / 800.0).clamp(0.6, 1.3);
        let margin = 0.04 * w;
        let widest = w - 2.0 * margin;
        let needed = loop_s * columns_per_s;
        let origin_s = match style {
            TraceStyle::Cursor => -rng.between(0.02, 0.5),
            TraceStyle::Sweeps => -rng.between(0.3, 3.0),
            _ => 0.0,
        };
        let partial = rng.between(0.3, 1.0) * widest;
        let (columns_per_s, width) = match style {
            TraceStyle::Grows => {
                let width = partial.max(needed.min(widest));
                (columns_per_s.min(width / loop_s), width)
            }
            TraceStyle::Cursor => {
                let shown = loop_s - origin_s + rng.between(0.0, 0.3);
                let speed = columns_per_s.min(widest / shown);
                (speed, shown * speed)
            }
            _ => (columns_per_s, partial.max(120.0)),
        };
        let amplitude_rows = rng.between(14.0, 60.0) * (h / 600.0).clamp(0.6, 1.3);
        let color = rng.pick(&COLORS);
        let mark = match style {
            TraceStyle::Cursor => rng.pick(&[Mark::Line, Mark::Line, Mark::Dot, Mark::Tick]),
            TraceStyle::Scrolls => Mark::None,
            _ => rng.pick(&[Mark::None, Mark::None, Mark::None, Mark::Dot, Mark::Line]),
        };
        Self {
            style,
            color,
            mark,
            mark_color: rng.pick(&[[255, 255, 255], [230, 60, 60], [250, 230, 60], color]),
            r_marks: style == TraceStyle::Cursor && rng.chance(0.3),
            left: margin + rng.between(0.0, widest - width),
            width,
            baseline_row: rng.between(0.72 * h, h - 0.45 * amplitude_rows - 12.0).max(amplitude_rows * 1.5),
            amplitude_rows,
            columns_per_s,
            thick: rng.pick(&[1.0, 1.0, 1.5, 2.0, 3.0]),
            soft: rng.chance(0.6),
            erase_columns: rng.between(8.0, 30.0),
            origin_s,
            had_past: rng.chance(0.7),
        }
    }

    fn row(&self, ecg: &Ecg, time_s: f64) -> f64 {
        self.baseline_row - self.amplitude_rows * ecg.at(time_s)
    }

    /// Draws the signal from one time to another with the first of them at a column.
    fn stretch(&self, canvas: &mut Canvas, ecg: &Ecg, from_s: f64, to_s: f64, column: f64) {
        let step = 0.5 / self.columns_per_s;
        let steps = ((to_s - from_s) / step).max(0.0) as usize;
        let point = |i: usize| {
            let time = from_s + i as f64 * step;
            (column + i as f64 * 0.5, self.row(ecg, time))
        };
        for i in 0..steps {
            canvas.line(point(i), point(i + 1), self.thick, self.color, self.soft);
        }
    }

    pub fn paint(&self, canvas: &mut Canvas, ecg: &Ecg, now_s: f64) {
        let speed = self.columns_per_s;
        let pass_s = self.width / speed;
        match self.style {
            TraceStyle::Grows => {
                self.stretch(canvas, ecg, 0.0, now_s.min(pass_s), self.left);
                self.mark_at(canvas, ecg, now_s, self.left + now_s * speed);
            }
            TraceStyle::Sweeps => {
                let into = (now_s - self.origin_s).rem_euclid(pass_s);
                let start = now_s - into;
                self.stretch(canvas, ecg, start, now_s, self.left);
                let skip = into + self.erase_columns / speed;
                if skip < pass_s && (self.had_past || start - pass_s >= self.origin_s - 1e-6) {
                    let column = self.left + skip * speed;
                    self.stretch(canvas, ecg, start - pass_s + skip, start, column);
                }
                self.mark_at(canvas, ecg, now_s, self.left + into * speed);
            }
            TraceStyle::Cursor => {
                let end = self.origin_s + pass_s;
                self.stretch(canvas, ecg, self.origin_s, end, self.left);
                if self.r_marks {
                    for (r, _) in ecg.beats.iter().filter(|(r, _)| *r > self.origin_s && *r < end) {
                        let x = (self.left + (r - self.origin_s) * speed) as i64;
                        let y = (self.baseline_row + 0.3 * self.amplitude_rows) as i64;
                        canvas.rectangle(x - 1, y, 3, 5, [220, 210, 60]);
                    }
                }
                let column = self.left + (now_s - self.origin_s) * speed;
                self.mark_at(canvas, ecg, now_s, column);
            }
            _ => {
                let from = if self.had_past { now_s - pass_s } else { (now_s - pass_s).max(-0.5) };
                let column = self.left + self.width - (now_s - from) * speed;
                self.stretch(canvas, ecg, from, now_s, column);
            }
        }
    }

    fn mark_at(&self, canvas: &mut Canvas, ecg: &Ecg, now_s: f64, column: f64) {
        let row = self.row(ecg, now_s);
        let color = self.mark_color;
        let (top, bottom) = (self.baseline_row - self.amplitude_rows, self.baseline_row + 10.0);
        match self.mark {
            Mark::None => {}
            Mark::Line => canvas.line((column, top), (column, bottom), 1.4, color, true),
            Mark::Dot => canvas.line((column, row), (column + 0.1, row), 5.0, color, true),
            Mark::Tick => canvas.line((column, row - 5.0), (column, row + 5.0), 2.0, color, true),
        }
    }
}
