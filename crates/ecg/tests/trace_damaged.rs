//! The trace reader on loops that cannot be decoded in part or at all.

use domain::{FindingCode, PixelRect, RgbView};
use ecg::trace::{FrameSource, TraceHints, TraceStyle, read_trace};

const WIDTH: u32 = 240;
const HEIGHT: u32 = 160;

/// A trace that grows by two columns a frame with a beat every 60 columns; some frames do not decode.
struct Growing {
    frames: u32,
    decodes: fn(u32) -> bool,
    pixels: Vec<u8>,
}

impl Growing {
    fn new(frames: u32, decodes: fn(u32) -> bool) -> Self {
        Self { frames, decodes, pixels: vec![0; (3 * WIDTH * HEIGHT) as usize] }
    }
}

impl FrameSource for Growing {
    fn frame_count(&self) -> u32 {
        self.frames
    }

    fn frame(&mut self, index: u32) -> Option<RgbView<'_>> {
        if !(self.decodes)(index) {
            return None;
        }
        self.pixels.fill(0);
        for column in 0..=(2 * index).min(WIDTH - 40) {
            let rows = match column % 60 {
                30 => 100..=130,
                _ => 130..=130,
            };
            for row in rows {
                let at = 3 * (row * WIDTH + 20 + column) as usize;
                self.pixels[at..at + 3].copy_from_slice(&[40, 220, 90]);
            }
        }
        RgbView::new(WIDTH, HEIGHT, &self.pixels).ok()
    }
}

#[test]
fn frames_that_fail_are_passed_over() {
    let mut whole = Growing::new(90, |_| true);
    let reading = read_trace(&mut whole, &TraceHints::default()).expect("a trace");
    assert_eq!(reading.style, TraceStyle::Grows);
    let expected = [15.0, 45.0, 75.0];
    let near =
        |found: &[f64]| found.len() == 3 && found.iter().zip(expected).all(|(a, b): (&f64, f64)| (a - b).abs() <= 1.0);
    assert!(near(&reading.r_peaks), "{:?}", reading.r_peaks);
    let mut holes = Growing::new(90, |index| index != 89 && index != 44);
    let reading = read_trace(&mut holes, &TraceHints::default()).expect("a trace");
    assert!(reading.findings.iter().any(|finding| finding.code() == FindingCode::FramesNotDecoded));
    assert!(reading.r_peaks.len() >= 2, "{:?}", reading.r_peaks);
}

#[test]
fn nothing_that_decodes_is_no_trace() {
    assert_eq!(read_trace(&mut Growing::new(0, |_| true), &TraceHints::default()), None);
    assert_eq!(read_trace(&mut Growing::new(50, |_| false), &TraceHints::default()), None);
}

#[test]
fn senseless_hints_do_no_harm() {
    let hints = TraceHints {
        ecg_region: Some(PixelRect { x0: 9000, y0: 9000, x1: 10, y1: 10 }),
        seconds_per_pixel: Some(f64::NAN),
        frame_time_ms: Some(0.0),
        heart_rate_bpm: Some(-5.0),
    };
    let reading = read_trace(&mut Growing::new(90, |_| true), &hints).expect("a trace");
    assert_eq!(reading.r_peaks.len(), 3, "{reading:?}");
    let region = TraceHints {
        ecg_region: Some(PixelRect { x0: u32::MAX, y0: u32::MAX, x1: u32::MAX, y1: u32::MAX }),
        ..TraceHints::default()
    };
    assert!(read_trace(&mut Growing::new(90, |_| true), &region).is_some());
}
