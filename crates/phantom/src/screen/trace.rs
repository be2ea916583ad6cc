//! The burned-in ECG trace in the four ways scanners draw it.

use serde::Serialize;

use super::canvas::Canvas;
use super::colors::Color;
use crate::ecg::Electrocardiogram;
use domain::PixelRect;

/// Motion of the trace from frame to frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceStyle {
    /// It grows from the left, from the first frame to the current one.
    Grows,
    /// It runs through a window again and again, a gap ahead of the newest sample.
    Sweeps,
    /// The whole loop's trace is always there; a cursor moves along it.
    Whole,
    /// The newest sample is at the right edge, the rest moves left.
    Scrolls,
}

impl TraceStyle {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Grows, Self::Sweeps, Self::Whole, Self::Scrolls];
}

/// Look of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TraceSpec {
    /// Its motion.
    pub style: TraceStyle,
    /// Its color.
    pub color: Color,
    /// Its thickness in pixels.
    pub thickness_px: f32,
    /// The color of the cursor of the style `whole`.
    pub cursor_color: Color,
    /// True if R peaks carry yellow marks (style `whole` only).
    pub r_marks: bool,
    /// Seconds that fit the box's width in the styles `sweeps` and `scrolls`; the other two fit the loop when longer.
    pub window_s: f64,
    /// True if a thin baseline grid is drawn behind the trace.
    pub grid: bool,
}

impl TraceSpec {
    /// Pixels per second in a box `width_px` wide for a loop of `duration_s`.
    pub fn pixels_per_second(&self, width_px: f64, duration_s: f64) -> f64 {
        match self.style {
            TraceStyle::Sweeps | TraceStyle::Scrolls => width_px / self.window_s,
            TraceStyle::Grows => width_px / self.window_s.max(duration_s),
            TraceStyle::Whole => width_px / duration_s.max(0.2),
        }
    }
}

/// Draws the trace as it is at `now_s` of a loop that lasts `duration_s`.
pub fn draw_trace(
    canvas: &mut Canvas,
    rect: PixelRect,
    spec: &TraceSpec,
    ecg: &Electrocardiogram,
    now_s: f64,
    duration_s: f64,
) {
    let width_px = f64::from(rect.x1 - rect.x0);
    let speed = spec.pixels_per_second(width_px, duration_s);
    let pen = Pen { rect, spec, ecg };
    if spec.grid {
        pen.grid(canvas, speed);
    }
    match spec.style {
        TraceStyle::Grows => pen.stretch(canvas, (0.0, now_s * speed), |x| x / speed),
        TraceStyle::Whole => {
            pen.stretch(canvas, (0.0, duration_s * speed), |x| x / speed);
            pen.cursor(canvas, now_s * speed);
            if spec.r_marks {
                pen.r_marks(canvas, speed, duration_s);
            }
        }
        TraceStyle::Scrolls => pen.stretch(canvas, (0.0, width_px), |x| now_s + (x - width_px) / speed),
        TraceStyle::Sweeps => {
            let position = now_s.rem_euclid(spec.window_s) * speed;
            let sweep_start_s = now_s - position / speed;
            pen.stretch(canvas, (0.0, position), |x| sweep_start_s + x / speed);
            let gap = 0.06 * width_px;
            pen.stretch(canvas, ((position + gap).min(width_px), width_px), |x| {
                sweep_start_s - spec.window_s + x / speed
            });
        }
    }
}

struct Pen<'a> {
    rect: PixelRect,
    spec: &'a TraceSpec,
    ecg: &'a Electrocardiogram,
}

impl Pen<'_> {
    /// Returns the curve between two columns (from the box's left edge); `time_of` gives a column's time.
    fn stretch(&self, canvas: &mut Canvas, columns: (f64, f64), time_of: impl Fn(f64) -> f64) {
        let steps = ((columns.1 - columns.0) * 3.0).ceil().max(0.0) as usize;
        let mut before: Option<(f32, f32)> = None;
        for step in 0..=steps {
            let x = (columns.0 + step as f64 / 3.0).min(columns.1);
            let point = (self.rect.x0 as f32 + x as f32, self.row(self.ecg.millivolts(time_of(x))));
            if let Some(before) = before {
                canvas.line(before, point, self.spec.thickness_px, self.spec.color);
            }
            before = Some(point);
        }
    }

    /// Returns the row of a voltage: -0.5 mV at the bottom of the box, 1.3 mV at the top.
    fn row(&self, millivolts: f64) -> f32 {
        let share = ((millivolts + 0.5) / 1.8).clamp(0.0, 1.0) as f32;
        self.rect.y1 as f32 - share * (self.rect.y1 - self.rect.y0) as f32
    }

    fn cursor(&self, canvas: &mut Canvas, x: f64) {
        let x = self.rect.x0 as f32 + x as f32;
        let span = (self.rect.y0 as f32, self.rect.y1 as f32);
        canvas.line((x, span.0), (x, span.1), 1.0, self.spec.cursor_color);
    }

    fn r_marks(&self, canvas: &mut Canvas, speed: f64, duration_s: f64) {
        for beat in self.ecg.beats() {
            if !(0.0..=duration_s).contains(&beat.r_time_s) {
                continue;
            }
            let x = self.rect.x0 as f32 + (beat.r_time_s * speed) as f32;
            let y = self.row(self.ecg.millivolts(beat.r_time_s));
            canvas.line((x, y - 2.0), (x, y + 2.0), 3.0, [250, 240, 20]);
        }
    }

    fn grid(&self, canvas: &mut Canvas, speed: f64) {
        let seconds = (f64::from(self.rect.x1 - self.rect.x0) / speed) as u32;
        for second in 0..=seconds {
            let x = self.rect.x0 as f32 + (f64::from(second) * speed) as f32;
            canvas.line((x, self.rect.y1 as f32), (x, self.rect.y1 as f32 + 3.0), 1.0, [90, 90, 90]);
        }
    }
}
