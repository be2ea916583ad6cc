//! Texts, axes, an ECG trace and calipers around picture and strip.

use domain::PixelRect;
use random::Stream;

use super::duplex::Places;
use crate::screen::{Canvas, gray_ramp};

const TEXTS: [&str; 14] = [
    "75MM/S",
    "50MM/S",
    "100MM/S",
    "53HZ",
    "18CM",
    "2D",
    "C 50",
    "P LOW",
    "HGEN",
    "MI 1.1",
    "TIS 0.8",
    "FR 45HZ",
    "62 BPM",
    "+ V 1.2 M/S",
];

/// Draws the labels that fit the places.
pub fn draw_labels(canvas: &mut Canvas, places: &Places, page: [u8; 3], random: &mut Stream) {
    let (width, height) = (canvas.width(), canvas.height());
    let scale = (height / 400).max(1);
    let is_light = page[0] > 128;
    let color = if is_light { [20, 20, 20] } else { random.pick(&[[235, 235, 235], [235, 225, 120], [150, 200, 235]]) };
    for line in 0..random.whole(2, 9) {
        let (x, y) = (width / 90, height / 30 + line * 10 * scale);
        canvas.text(x as i32, y as i32, scale, color, random.pick(&TEXTS));
    }
    if random.chance(0.25) {
        let band = PixelRect { x0: 0, y0: 0, x1: width - 1, y1: height / 28 };
        canvas.fill(band, random.pick(&[[45, 50, 60], [70, 90, 130], [110, 110, 110]]));
        canvas.text(8, 3, scale, [230, 230, 230], random.pick(&TEXTS));
    }
    if random.coin() {
        draw_gray_bar(canvas, random);
    }
    if let Some(strip) = places.strip {
        draw_strip_axes(canvas, strip, color, scale, random);
    }
    if random.chance(0.7) {
        let around = places.strip.or(places.picture);
        draw_ecg(canvas, around, places.strip.is_some(), random);
    }
    if let Some(area) = places.strip.or(places.picture).filter(|_| random.chance(0.35)) {
        draw_calipers(canvas, area, random);
    }
    // Teaching pages have arrows and names on the picture.
    if let Some(area) = places.picture.filter(|_| places.strip.is_none() && random.chance(0.3)) {
        draw_arrows(canvas, area, random);
    }
}

fn draw_arrows(canvas: &mut Canvas, area: PixelRect, random: &mut Stream) {
    let color = random.pick(&[[250, 240, 30], [40, 230, 40], [240, 60, 40], [250, 60, 150]]);
    let length = canvas.height() as f32 * random.uniform_f32(0.03, 0.12);
    for _ in 0..random.whole(1, 8) {
        let x = area.x0 as f32 + random.uniform_f32(0.1, 0.9) * area.width() as f32;
        let y = area.y0 as f32 + random.uniform_f32(0.1, 0.9) * area.height() as f32;
        let (sin, cos) = random.uniform_f32(0.0, std::f32::consts::TAU).sin_cos();
        canvas.line((x, y), (x - length * cos, y - length * sin), 3.0, color);
        let wing = length * 0.4;
        canvas.line((x, y), (x - wing * (cos - sin), y - wing * (sin + cos)), 3.0, color);
        canvas.line((x, y), (x - wing * (cos + sin), y - wing * (sin - cos)), 3.0, color);
        if random.coin() {
            canvas.text(
                x as i32,
                y as i32,
                (canvas.height() / 180).max(1),
                color,
                random.pick(&["LV", "RV", "LA", "AO"]),
            );
        }
    }
}

fn draw_gray_bar(canvas: &mut Canvas, random: &mut Stream) {
    let (left, top) = (canvas.width() * 96 / 100, canvas.height() * random.whole(5, 20) / 100);
    let rows = canvas.height() / 4;
    for row in 0..rows {
        let level = 255 - (row * 255 / rows) as usize;
        canvas.fill(PixelRect { x0: left, x1: left + 8, y0: top + row, y1: top + row }, gray_ramp(level, 0.0));
    }
}

/// Draws ticks of time along the strip's bottom and a scale at one side.
fn draw_strip_axes(canvas: &mut Canvas, strip: PixelRect, color: [u8; 3], scale: u32, random: &mut Stream) {
    let step = strip.width() as f32 / random.uniform_f32(4.0, 30.0);
    if random.chance(0.8) {
        for tick in 0..(strip.width() as f32 / step) as u32 {
            let (x, y) = (strip.x0 as f32 + tick as f32 * step, strip.y1 as f32);
            canvas.line((x, y), (x, y - 4.0 * scale as f32), 1.0, color);
        }
    }
    let x = if random.coin() { strip.x1 as f32 } else { strip.x0 as f32 };
    for step in 0..=random.whole(2, 6) {
        let y = strip.y0 as f32 + step as f32 / 6.0 * strip.height() as f32;
        canvas.line((x - 4.0, y), (x + 4.0, y), 1.0, color);
        canvas.text(x as i32 - 24 * scale as i32, y as i32, scale, color, &(step * 20).to_string());
    }
}

/// Draws a trace along the top or bottom of a strip, or in the corner below a picture.
fn draw_ecg(canvas: &mut Canvas, area: Option<PixelRect>, is_strip: bool, random: &mut Stream) {
    let Some(area) = area else { return };
    let color = random.pick(&[[70, 225, 70], [230, 220, 60], [80, 200, 200], [230, 230, 230]]);
    let rows = canvas.height() as f32 / 16.0;
    let (x0, x1) =
        if is_strip { (area.x0, area.x1) } else { (area.x0, area.x0 + area.width() * random.whole(30, 95) / 100) };
    let middle = if is_strip && random.coin() { area.y0 as f32 + rows * 0.5 } else { area.y1 as f32 - rows * 0.6 };
    let (beats, first) = (random.uniform_f32(1.5, 8.0), random.uniform_f32(0.0, 1.0));
    let height_at = |x: f32| {
        let warped = x * beats + first;
        let phase = warped - warped.floor();
        let bump = |at: f32, half: f32, peak: f32| peak * (1.0 - ((phase - at) / half).abs()).max(0.0);
        bump(0.1, 0.05, 0.15) + bump(0.22, 0.02, 1.0) - bump(0.26, 0.02, 0.3) + bump(0.5, 0.09, 0.25)
    };
    let span = (x1 - x0) as f32;
    for x in x0..x1 {
        let at = |x: u32| (x as f32, middle - rows * 0.8 * height_at((x - x0) as f32 / span));
        canvas.line(at(x), at(x + 1), 1.2, color);
    }
}

fn draw_calipers(canvas: &mut Canvas, area: PixelRect, random: &mut Stream) {
    let color = random.pick(&[[240, 220, 60], [235, 235, 235], [90, 230, 240]]);
    let mut point = || {
        let x = area.x0 as f32 + random.uniform_f32(0.1, 0.9) * area.width() as f32;
        (x, area.y0 as f32 + random.uniform_f32(0.1, 0.9) * area.height() as f32)
    };
    let (from, to) = (point(), point());
    for (x, y) in [from, to] {
        canvas.line((x - 5.0, y), (x + 5.0, y), 1.0, color);
        canvas.line((x, y - 5.0), (x, y + 5.0), 1.0, color);
    }
    canvas.line(from, to, 1.0, color);
}
