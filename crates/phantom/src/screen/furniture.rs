//! Texts, bars and scales of the two vendors' screens.

use super::canvas::Canvas;
use super::colors::{Color, flow_color, gray_ramp};
use super::layout::Layout;
use super::vendor::Vendor;
use domain::PixelRect;

/// Content of the texts.
#[derive(Debug, Clone, PartialEq)]
pub struct ScreenTexts {
    /// Frames per second.
    pub frame_rate_hz: f64,
    /// Depth in cm.
    pub depth_cm: f32,
    /// Gain in percent.
    pub gain_percent: u32,
    /// Heart rate; `None` where there is no ECG.
    pub heart_rate_bpm: Option<u32>,
    /// Name of the mode in the corner, e.g. `2D`.
    pub mode_label: &'static str,
    /// The Nyquist speed in cm/s where there is color.
    pub nyquist_cm_s: Option<f32>,
}

/// Draws all that stays the same during a loop: texts, bars, scales, marks.
pub fn draw_furniture(canvas: &mut Canvas, vendor: Vendor, layout: &Layout, half_angle_rad: f32, texts: &ScreenTexts) {
    match vendor {
        Vendor::Halden => halden(canvas, layout, half_angle_rad, texts),
        Vendor::Norrvik => norrvik(canvas, layout, half_angle_rad, texts),
    }
}

fn halden(canvas: &mut Canvas, layout: &Layout, half_angle_rad: f32, texts: &ScreenTexts) {
    let (width, height, scale) = (canvas.width() as f32, canvas.height() as f32, layout.text_scale);
    let color = Vendor::Halden.text_color();
    bars(canvas, Vendor::Halden, width * 0.955, height * 0.10, texts, color, scale);
    let (apex, pixels_per_cm) = (layout.sector.apex, layout.sector.pixels_per_cm);
    let mark_y = (apex.1 + layout.sector.top_cm * pixels_per_cm) as i32 - 11 * scale as i32;
    canvas.text(apex.0 as i32 + 4 * scale as i32, mark_y, scale, [250, 240, 40], "H");
    let (sin, cos) = half_angle_rad.sin_cos();
    for cm in 1..=texts.depth_cm as u32 {
        let along = cm as f32 * pixels_per_cm;
        let (x, y) = (apex.0 - sin * along - 6.0, apex.1 + cos * along);
        let long = cm % 5 == 0;
        let length = if long { 5.0 } else { 2.5 } * scale as f32;
        canvas.line((x, y), (x - length * cos, y - length * sin), 1.0, color);
        if long {
            let label = cm.to_string();
            let left = x as i32 - Canvas::text_width(&label, scale) - 6 * scale as i32;
            canvas.text(left, y as i32 - 6 * scale as i32, scale, color, &label);
        }
    }
    let (right, bottom) = ((width * 0.94) as i32, (height * 0.93) as i32);
    if let Some(rate) = texts.heart_rate_bpm {
        canvas.text(right, bottom, scale, color, &rate.to_string());
        canvas.text(right, bottom + 9 * scale as i32, scale, color, "HR");
    }
    let corner = format!("{:.0}/S", texts.frame_rate_hz);
    canvas.text((width * 0.012) as i32, (height * 0.012) as i32, scale, color, &corner);
    canvas.text((width * 0.012) as i32, (height * 0.012) as i32 + 9 * scale as i32, scale, color, texts.mode_label);
}

fn norrvik(canvas: &mut Canvas, layout: &Layout, half_angle_rad: f32, texts: &ScreenTexts) {
    let (width, height, scale) = (canvas.width() as f32, canvas.height() as f32, layout.text_scale);
    let color = Vendor::Norrvik.text_color();
    bars(canvas, Vendor::Norrvik, width * 0.942, height * 0.16, texts, color, scale);
    let lines = [
        format!("{:.0}HZ", texts.frame_rate_hz),
        format!("{:.0}CM", texts.depth_cm),
        String::new(),
        texts.mode_label.to_string(),
        format!(" {}%", texts.gain_percent),
        "C 50".to_string(),
        "P LOW".to_string(),
        "HGEN".to_string(),
    ];
    for (row, line) in lines.iter().enumerate() {
        let y = (height * 0.10) as i32 + row as i32 * 9 * scale as i32;
        canvas.text((width * 0.014) as i32, y, scale, color, line);
    }
    let (apex, pixels_per_cm) = (layout.sector.apex, layout.sector.pixels_per_cm);
    let (sin, cos) = half_angle_rad.sin_cos();
    for cm in 0..=texts.depth_cm as u32 {
        let along = cm as f32 * pixels_per_cm;
        let radius = if cm == 5 { 2.6 } else { 0.9 } * (scale as f32 * 0.5).max(0.6);
        canvas.disc((apex.0 - sin * along - 5.0, apex.1 + cos * along), radius, [240, 240, 240]);
    }
    let logo = (apex.0 + 0.055 * width, apex.1 + 0.015 * height);
    canvas.disc(logo, 5.0 * scale as f32, [60, 82, 130]);
    canvas.text(logo.0 as i32 - 2 * scale as i32, logo.1 as i32 - 3 * scale as i32, scale, [190, 200, 225], "N");
    if let Some(rate) = texts.heart_rate_bpm {
        let text = format!("{rate} BPM");
        let left = width as i32 - Canvas::text_width(&text, scale) - 6;
        canvas.text(left, (height * 0.962) as i32, scale, color, &text);
    }
}

/// Draws the gray bar and, where there is color, the color bar with its speeds.
fn bars(canvas: &mut Canvas, vendor: Vendor, left: f32, top: f32, texts: &ScreenTexts, color: Color, scale: u32) {
    let height = (canvas.height() as f32 * 0.27) as u32;
    let (x0, y0, width) = (left as u32, top as u32, 7 * scale);
    canvas.text(x0 as i32, y0 as i32 - 18 * scale as i32, scale, color, "M3");
    for row in 0..height {
        let share = 1.0 - row as f32 / height as f32;
        let gray = gray_ramp((share * 255.0) as usize, vendor.tint());
        let line = |x0: u32, x1: u32| PixelRect { x0, x1, y0: y0 + row, y1: y0 + row };
        canvas.fill(line(x0, x0 + width), gray);
        if texts.nyquist_cm_s.is_some() {
            canvas.fill(line(x0 + width + 3, x0 + 2 * width + 3), flow_color(2.0 * share - 1.0));
        }
    }
    if let Some(nyquist) = texts.nyquist_cm_s {
        let label = format!("{nyquist:.0}");
        let x = canvas.width() as i32 - Canvas::text_width(&label, scale) - 8 * scale as i32;
        canvas.text(x, y0 as i32 - 9 * scale as i32, scale, color, &format!("+{label}"));
        canvas.text(x, (y0 + height) as i32 + 2 * scale as i32, scale, color, &format!("-{label}"));
    }
}
