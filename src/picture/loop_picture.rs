//! One frame with sector, regions and trace; a time line with R peaks and clips; the sampled frames below.

use cine::Loop;
use domain::RgbImage;
use ecg::FramePhase;
use ecg::trace::TraceReading;
use pipeline::{Explanation, InspectedFrame, Inspection};
use plot::{Anchor, Canvas, Color, PlotError, TextStyle, text_width};

use super::layout::{LINE_HEIGHT, Layout, MARGIN, TEXT_SIZE, TIMELINE_HEIGHT};

const BACKGROUND: Color = Color::opaque([24, 24, 24]);
const SECTOR: Color = Color::opaque([80, 220, 120]);
const REGION: Color = Color::opaque([230, 160, 60]);
const TRACE: Color = Color::opaque([255, 80, 200]);
const R_PEAK: Color = Color::opaque([255, 90, 80]);
const SAMPLED: Color = Color::opaque([110, 190, 255]);
const TEXT: Color = Color::opaque([225, 225, 225]);
const AXIS: Color = Color::opaque([150, 150, 150]);

/// Sampled frames that are shown, at most; more would be too small to see.
const MAX_THUMBNAILS: usize = 12;
/// Distance from the top of a line of text to its baseline.
const BASELINE: f32 = 16.0;
/// Side of the colored squares in the legend.
const SWATCH: f32 = 12.0;

/// Treatment of the screen around the ultrasound image, where names and dates of birth stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BurnedInText {
    /// Black, but for the sector, other regions and the trace.
    Masked,
    /// As it is.
    Shown,
}

/// Draws what was found in a loop.
///
/// # Errors
/// [`PlotError::Size`] for an image that is too large to draw.
pub fn loop_picture(
    source: &mut Loop,
    inspection: &Inspection,
    trace: Option<&TraceReading>,
    text: BurnedInText,
    why: Option<&Explanation>,
) -> Result<Canvas, PlotError> {
    let shown_parts = match text {
        BurnedInText::Shown => None,
        BurnedInText::Masked => Some(inspection.recognized_parts(trace)),
    };
    let frame_of = |source: &mut Loop, index: u32| {
        let mut frame = source.frame(index)?;
        if let Some(parts) = &shown_parts {
            frame.blacken_outside(parts);
        }
        if let Some(why) = why {
            tint(&mut frame, why);
        }
        Ok::<RgbImage, cine::CineError>(frame)
    };
    let thumbnails: Vec<InspectedFrame> =
        inspection.clips.iter().flat_map(|clip| &clip.frames).copied().take(MAX_THUMBNAILS).collect();
    let captions: Vec<Vec<String>> = thumbnails.iter().map(caption).collect();
    let layout = Layout::new((inspection.columns as f32, inspection.rows as f32), &captions);
    let mut canvas = Canvas::new(f64::from(layout.width), f64::from(layout.height), 1.0, BACKGROUND)?;
    let shown = thumbnails.first().map_or(0, |frame| frame.index);
    if let Ok(frame) = frame_of(source, shown) {
        canvas.image((MARGIN, MARGIN), layout.image, frame.view());
    }
    draw_boxes(&mut canvas, inspection, layout.image_scale);
    if let Some(trace) = trace {
        draw_trace(&mut canvas, trace, layout.image_scale);
    }
    draw_legend(&mut canvas, inspection, layout.legend_top);
    draw_timeline(&mut canvas, inspection, &layout);
    let lines = captions.iter().map(Vec::len).max().unwrap_or(0);
    for (number, (frame, caption)) in thumbnails.iter().zip(&captions).enumerate() {
        let (x, y) = layout.thumbnail_place(number, lines);
        match frame_of(source, frame.index) {
            Ok(image) => canvas.image((x, y), layout.thumbnail, image.view()),
            Err(_) => write(&mut canvas, (x, y), "not decoded", R_PEAK),
        }
        canvas.outline((x, y), layout.thumbnail, 1.0, SAMPLED);
        for (line, text) in caption.iter().enumerate() {
            write(&mut canvas, (x, y + layout.thumbnail.1 + 4.0 + line as f32 * LINE_HEIGHT), text, TEXT);
        }
    }
    Ok(canvas)
}

/// Tints the cells whose loss takes most from the answer red, the strongest most.
fn tint(image: &mut RgbImage, why: &Explanation) {
    const STRONGEST: f64 = 0.75;
    let largest = why.cells.iter().copied().fold(0.0, f64::max);
    let Some(input) = why.input.filter(|_| largest > 0.0) else { return };
    let width = image.width().max(1) as usize;
    let cell_of = |at: u32, from: u32, length: u32| (at - from) as usize * why.grid / length.max(1) as usize;
    for (number, pixel) in image.pixels_mut().chunks_exact_mut(3).enumerate() {
        let (x, y) = ((number % width) as u32, (number / width) as u32);
        if input.contains(x, y) {
            let cell = cell_of(y, input.y0, input.height()) * why.grid + cell_of(x, input.x0, input.width());
            let strength = STRONGEST * why.cells.get(cell).map_or(0.0, |fall| fall.max(0.0) / largest);
            for (channel, red) in pixel.iter_mut().zip([255.0, 40.0, 20.0]) {
                *channel = (f64::from(*channel) * (1.0 - strength) + red * strength) as u8;
            }
        }
    }
}

/// The lines below a sampled frame: its index and its phase.
fn caption(frame: &InspectedFrame) -> Vec<String> {
    let phase = match &frame.phase {
        Some(FramePhase::Landmark(phase)) => Some(phase.as_str().replace('_', " ")),
        Some(FramePhase::Fraction(fraction)) => Some(format!("{:.0} % of R-R", fraction * 100.0)),
        None => None,
    };
    std::iter::once(format!("frame {}", frame.index)).chain(phase).collect()
}

/// Writes text whose line begins at `at`, its upper left corner.
fn write(canvas: &mut Canvas, (x, y): (f32, f32), text: &str, color: Color) {
    canvas.text((x, y + BASELINE), text, TextStyle::new(TEXT_SIZE, color));
}

fn draw_boxes(canvas: &mut Canvas, inspection: &Inspection, scale: f32) {
    // Both corners belong to a box.
    let mut draw = |(x0, y0, x1, y1): (u32, u32, u32, u32), line_width: f32, color: Color| {
        let size = ((x1 + 1).saturating_sub(x0) as f32 * scale, (y1 + 1).saturating_sub(y0) as f32 * scale);
        canvas.outline((MARGIN + x0 as f32 * scale, MARGIN + y0 as f32 * scale), size, line_width, color);
    };
    for region in &inspection.regions {
        let pixels = region.pixels;
        draw((pixels.x0, pixels.y0, pixels.x1, pixels.y1), 1.0, REGION);
    }
    if let Some(sector) = inspection.sector {
        draw((sector.x0, sector.y0, sector.x1, sector.y1), 2.0, SECTOR);
    }
}

fn draw_trace(canvas: &mut Canvas, trace: &TraceReading, scale: f32) {
    for &(x, y) in &trace.points {
        let at = (MARGIN + x as f32 * scale, MARGIN + (y * scale).round());
        canvas.fill_rect(at, (scale, scale), TRACE);
    }
    let (top, bottom) = (trace.bounding_box.y0 as f32 * scale, trace.bounding_box.y1 as f32 * scale);
    for &x in &trace.r_peak_columns {
        let left = MARGIN + (x as f32 * scale).round();
        canvas.fill_rect((left, MARGIN + top - 6.0), (1.0, bottom - top + 12.0), R_PEAK);
    }
}

fn draw_legend(canvas: &mut Canvas, inspection: &Inspection, top: f32) {
    let rate = inspection.ecg.heart_rate_bpm.map(|rate| format!(", {rate:.0} beats/min")).unwrap_or_default();
    let source = inspection.ecg.source.to_string().replace('_', " ");
    let facts = format!(
        "{}, {} frames of {:.1} ms, ECG: {source}{rate}",
        inspection.mode, inspection.frames, inspection.frame_time_ms
    );
    write(canvas, (MARGIN, top), &facts, TEXT);
    let mut x = MARGIN;
    for (name, color) in
        [("sector", SECTOR), ("region", REGION), ("ECG trace", TRACE), ("R peak", R_PEAK), ("sampled frame", SAMPLED)]
    {
        canvas.fill_rect((x, top + LINE_HEIGHT + BASELINE - SWATCH), (SWATCH, SWATCH), color);
        write(canvas, (x + SWATCH + 6.0, top + LINE_HEIGHT), name, TEXT);
        x += (SWATCH + 6.0 + text_width(name, TEXT_SIZE) + 24.0).round();
    }
}

/// Frames from left to right: R peaks as long lines, sampled frames as boxes, a row for each clip.
fn draw_timeline(canvas: &mut Canvas, inspection: &Inspection, layout: &Layout) {
    let top = layout.timeline_top;
    let width = layout.width - 2.0 * MARGIN;
    let last = f64::from(inspection.frames.max(2) - 1);
    let place = |frame: f64| MARGIN + (frame / last * f64::from(width - 1.0)).round() as f32;
    let axis = top + TIMELINE_HEIGHT / 2.0;
    canvas.fill_rect((MARGIN, axis), (width, 1.0), AXIS);
    for frame in 0..inspection.frames {
        canvas.fill_rect((place(f64::from(frame)), axis - 2.0), (1.0, 5.0), AXIS);
    }
    for &peak in &inspection.ecg.r_peaks {
        canvas.fill_rect((place(peak), top), (2.0, TIMELINE_HEIGHT - LINE_HEIGHT), R_PEAK);
        write(canvas, (place(peak) + 6.0, top - 4.0), "R", R_PEAK);
    }
    for (number, clip) in inspection.clips.iter().enumerate() {
        let row = top + 16.0 + 8.0 * (number % 3) as f32;
        for frame in &clip.frames {
            canvas.fill_rect((place(f64::from(frame.index)) - 2.0, row), (5.0, 6.0), SAMPLED);
        }
    }
    let below = top + TIMELINE_HEIGHT - LINE_HEIGHT + 4.0;
    write(canvas, (MARGIN, below), "frame 0", AXIS);
    let style = TextStyle { anchor: Anchor::End, ..TextStyle::new(TEXT_SIZE, AXIS) };
    let end = inspection.frames.saturating_sub(1).to_string();
    canvas.text((MARGIN + width, below + BASELINE), &end, style);
}
