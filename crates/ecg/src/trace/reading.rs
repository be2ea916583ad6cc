//! Input and output of the trace reader.

use serde::{Deserialize, Serialize};

use domain::{FindingCode, PixelRect, RgbView};

/// Hands out decoded frames one at a time; decoding is what costs, so few are asked for.
pub trait FrameSource {
    /// Returns the number of frames in the loop.
    fn frame_count(&self) -> u32;
    /// Decodes one frame; `None` where that frame cannot be decoded.
    fn frame(&mut self, index: u32) -> Option<RgbView<'_>>;
}

/// Facts of the header; every entry may be absent or wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceHints {
    /// The region that holds the ECG.
    pub ecg_region: Option<PixelRect>,
    /// Time per column of the trace in seconds.
    pub seconds_per_pixel: Option<f64>,
    /// Time between two frames in milliseconds.
    pub frame_time_ms: Option<f64>,
    /// Heart rate in beats a minute.
    pub heart_rate_bpm: Option<f64>,
}

/// Way in which the trace is drawn while the loop plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceStyle {
    /// It grows from the left; what is to come is not shown.
    Grows,
    /// It is drawn from the left over the trace of the pass before, with a gap ahead of the drawing head.
    Sweeps,
    /// It is shown whole and a cursor moves along it.
    Cursor,
    /// It moves to the left, the newest part is at the right.
    Scrolls,
    /// It does not change and nothing moves along it, or there is one frame only.
    Still,
}

/// Position of the newest part of the trace at each frame: the drawing head, the cursor, or the right edge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeadMotion {
    /// Column at frame 0 (fractional, may be outside the trace).
    pub column_at_frame_0: f64,
    /// Columns of trace drawn per frame, above 0. In a scrolling trace the head stands still and the trace moves this
    /// much.
    pub columns_per_frame: f64,
    /// First column and width, in columns, of a pass, where the head starts again at the left.
    pub pass: Option<(f64, f64)>,
}

/// Something odd about a trace that was read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TraceFinding {
    /// The header's frame time does not fit the speed of the trace.
    #[error("the header says {header_ms:.1} ms per frame, the burned-in trace fits {trace_ms:.1} ms")]
    FrameTimeDisagreesWithTrace {
        /// Frame time from the header.
        header_ms: f64,
        /// Frame time that fits the trace and the header's time scale or heart rate.
        trace_ms: f64,
    },
    /// The trace shows no beat.
    #[error("the burned-in trace shows no beat")]
    NoBeatOnTrace,
    /// The trace was found, but not where its drawing head or cursor is, so its beats cannot be tied to frames.
    #[error("the burned-in trace has no moving head or cursor, so its beats have no frames")]
    NoHeadOnTrace,
    /// Some frames that were asked for could not be decoded.
    #[error("{count} frames that were wanted for the burned-in trace could not be decoded")]
    FramesNotDecoded {
        /// Number of frames.
        count: u32,
    },
}

impl TraceFinding {
    /// Returns the code of the finding, without its numbers.
    #[must_use]
    pub fn code(&self) -> FindingCode {
        match self {
            Self::FrameTimeDisagreesWithTrace { .. } => FindingCode::FrameTimeDisagreesWithTrace,
            Self::NoBeatOnTrace => FindingCode::NoBeatOnTrace,
            Self::NoHeadOnTrace => FindingCode::NoHeadOnTrace,
            Self::FramesNotDecoded { .. } => FindingCode::FramesNotDecoded,
        }
    }
}

/// A burned-in trace and the beats on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceReading {
    /// Way in which it is drawn.
    pub style: TraceStyle,
    /// Its color, RGB.
    pub color: [u8; 3],
    /// The box around it, over the frames looked at.
    pub bounding_box: PixelRect,
    /// The trace in the last frame looked at: column and row, one per column where it is drawn, columns rising.
    pub points: Vec<(u32, f32)>,
    /// Columns of the R peaks in `points`, rising.
    pub r_peak_columns: Vec<f64>,
    /// Frame indexes (fractional, within 0 ..= frames - 1) at which the head passes an R peak, rising.
    pub r_peaks: Vec<f64>,
    /// R peaks that the trace shows before frame 0 (negative) or after the last frame, rising: they help to place the
    /// beats that the loop shows in part.
    pub r_peaks_outside: Vec<f64>,
    /// Relation between columns and frames; `None` where no head was found.
    pub head: Option<HeadMotion>,
    /// Heart rate from the R peaks and the header's time scale or frame time, in beats a minute.
    pub heart_rate_bpm: Option<f64>,
    /// Frames asked for, decodable or not.
    pub frames_decoded: u32,
    /// Findings.
    pub findings: Vec<TraceFinding>,
}
