//! One frame with sector, regions and trace; a time line with R peaks and clips; the sampled frames below.

use cine::{Loop, RgbFrame};
use ecg::FramePhase;
use ecg::trace::TraceReading;
use pipeline::{InspectedFrame, Inspection};

use super::Canvas;
use super::canvas::Color;

const SECTOR: Color = [80, 220, 120];
const REGION: Color = [230, 160, 60];
const TRACE: Color = [255, 80, 200];
const R_PEAK: Color = [255, 90, 80];
const SAMPLED: Color = [110, 190, 255];
const PLAIN: Color = [225, 225, 225];
const DIM: Color = [120, 120, 120];

/// Space around the parts, in pixels.
const MARGIN: i64 = 12;
/// Height of the time line.
const TIMELINE_HEIGHT: i64 = 64;
/// Sampled frames shown below the time line, at most; more would be too small to see.
const MOST_THUMBNAILS: usize = 12;
/// The smallest width that has room for the legend.
const LEAST_WIDTH: usize = 640;

/// Draws what was found in a loop.
pub fn loop_picture(source: &mut Loop, inspection: &Inspection, trace: Option<&TraceReading>) -> Canvas {
    let (image_width, image_height) = (inspection.columns as usize, inspection.rows as usize);
    let width = image_width.max(LEAST_WIDTH) + 2 * MARGIN as usize;
    let thumbnails: Vec<InspectedFrame> =
        inspection.clips.iter().flat_map(|clip| &clip.frames).copied().take(MOST_THUMBNAILS).collect();
    let columns = thumbnails.len().clamp(1, 6);
    let thumbnail_width = (width - (columns + 1) * MARGIN as usize) / columns;
    let thumbnail_height = (thumbnail_width * image_height / image_width.max(1)).clamp(1, 400);
    let rows = thumbnails.len().div_ceil(columns);
    let top = image_height as i64 + 2 * MARGIN + 40;
    let thumbnails_top = top + TIMELINE_HEIGHT + MARGIN;
    let height = thumbnails_top as usize + rows * (thumbnail_height + 24) + MARGIN as usize;

    let mut canvas = Canvas::new(width, height);
    let shown = thumbnails.first().map_or(0, |frame| frame.index);
    if let Ok(frame) = source.frame(shown) {
        canvas.image((MARGIN, MARGIN), (image_width, image_height), &frame);
    }
    boxes(&mut canvas, inspection);
    if let Some(trace) = trace {
        for &(x, y) in &trace.points {
            canvas.dot(MARGIN + i64::from(x), MARGIN + y.round() as i64, TRACE);
        }
        for &x in &trace.r_peak_columns {
            let (top, bottom) = (i64::from(trace.bounding_box.y0), i64::from(trace.bounding_box.y1));
            canvas.fill((MARGIN + x.round() as i64, MARGIN + top - 6), (1, bottom - top + 12), R_PEAK);
        }
    }
    legend(&mut canvas, inspection, image_height as i64 + 2 * MARGIN);
    timeline(&mut canvas, inspection, top);
    for (number, frame) in thumbnails.iter().enumerate() {
        let x = MARGIN + (number % columns) as i64 * (thumbnail_width as i64 + MARGIN);
        let y = thumbnails_top + (number / columns) as i64 * (thumbnail_height as i64 + 24);
        thumbnail(&mut canvas, (x, y), (thumbnail_width, thumbnail_height), frame, source.frame(frame.index).ok());
    }
    canvas
}

fn boxes(canvas: &mut Canvas, inspection: &Inspection) {
    let corner = |x: u32, y: u32| (MARGIN + i64::from(x), MARGIN + i64::from(y));
    for region in &inspection.regions {
        let pixels = region.pixels;
        canvas.outline(corner(pixels.x0, pixels.y0), corner(pixels.x1, pixels.y1), REGION);
    }
    if let Some(sector) = inspection.sector {
        let (x0, y0) = corner(sector.x0, sector.y0);
        let (x1, y1) = corner(sector.x1, sector.y1);
        canvas.outline((x0, y0), (x1, y1), SECTOR);
        canvas.outline((x0 + 1, y0 + 1), (x1 - 1, y1 - 1), SECTOR);
    }
}

fn legend(canvas: &mut Canvas, inspection: &Inspection, y: i64) {
    let rate = inspection.ecg.heart_rate_bpm.map(|rate| format!(", {rate:.0}/min")).unwrap_or_default();
    let facts = format!(
        "{}  {} frames x {:.1} ms  ECG: {}{rate}",
        inspection.mode, inspection.frames, inspection.frame_time_ms, inspection.ecg.source
    );
    canvas.write((MARGIN, y), &facts, PLAIN);
    let mut x = MARGIN;
    for (name, color) in
        [("sector", SECTOR), ("region", REGION), ("trace", TRACE), ("R peak", R_PEAK), ("sampled frame", SAMPLED)]
    {
        canvas.fill((x, y + 18), (8, 8), color);
        canvas.write((x + 12, y + 18), name, PLAIN);
        x += 12 + 8 * name.len() as i64 + 16;
    }
}

/// Frames from left to right: R peaks as long lines, sampled frames as boxes, a row for each clip.
fn timeline(canvas: &mut Canvas, inspection: &Inspection, y: i64) {
    let width = canvas.width() as i64 - 2 * MARGIN;
    let last = f64::from(inspection.frames.max(2) - 1);
    let place = |frame: f64| MARGIN + (frame / last * (width - 1) as f64).round() as i64;
    canvas.fill((MARGIN, y + TIMELINE_HEIGHT / 2), (width, 1), DIM);
    for frame in 0..inspection.frames {
        canvas.fill((place(f64::from(frame)), y + TIMELINE_HEIGHT / 2 - 2), (1, 5), DIM);
    }
    for &peak in &inspection.ecg.r_peaks {
        canvas.fill((place(peak), y), (2, TIMELINE_HEIGHT - 10), R_PEAK);
        canvas.write((place(peak) + 4, y), "R", R_PEAK);
    }
    for (number, clip) in inspection.clips.iter().enumerate() {
        let row = y + 12 + 8 * (number as i64 % 3);
        for frame in &clip.frames {
            canvas.fill((place(f64::from(frame.index)) - 2, row), (5, 6), SAMPLED);
        }
    }
    canvas.write((MARGIN, y + TIMELINE_HEIGHT - 8), "0", DIM);
    let end = (inspection.frames.saturating_sub(1)).to_string();
    canvas.write((MARGIN + width - 8 * end.len() as i64, y + TIMELINE_HEIGHT - 8), &end, DIM);
}

fn thumbnail(
    canvas: &mut Canvas,
    (x, y): (i64, i64),
    size: (usize, usize),
    frame: &InspectedFrame,
    image: Option<RgbFrame>,
) {
    match image {
        Some(image) => canvas.image((x, y), size, &image),
        None => canvas.write((x, y), "not decoded", R_PEAK),
    }
    canvas.outline((x, y), (x + size.0 as i64 - 1, y + size.1 as i64 - 1), SAMPLED);
    let phase = match &frame.phase {
        Some(FramePhase::Landmark(phase)) => phase.as_str().replace('_', " "),
        Some(FramePhase::Fraction(fraction)) => format!("{:.0}%", fraction * 100.0),
        None => String::new(),
    };
    let words: String = format!("{} {phase}", frame.index).chars().take(size.0 / 8).collect();
    canvas.write((x, y + size.1 as i64 + 4), &words, PLAIN);
}
