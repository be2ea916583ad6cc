//! The frames of a loop as one stream of JPEG files.

use std::io;
use std::path::Path;

use axum::body::Body;
use axum::extract::{Path as Address, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use cine::Loop;
use domain::PixelRect;
use futures_util::stream;
use jpeg_encoder::{ColorType, Encoder};
use serde::Deserialize;

use crate::PageError;
use crate::app::App;
use crate::names::LoopAddress;

/// Quality of frames that are not stored as JPEG.
const JPEG_QUALITY: u8 = 88;
/// Media type of the stream: each frame is its length in four bytes, the highest first, and a JPEG file; a frame that
/// cannot be decoded has length 0.
const FRAME_STREAM: &str = "application/x-jpeg-frames";

/// Part of a loop.
#[derive(Debug, Deserialize)]
pub(crate) struct FrameRange {
    #[serde(default)]
    from: u32,
    to: Option<u32>,
}

/// Sends frames `from` to `to`, both included. Stored JPEG frames go out as they are, unless the lab wants them masked here; others
/// are decoded one by one.
pub(crate) async fn frames(
    State(app): State<App>,
    Address(address): Address<LoopAddress>,
    Query(range): Query<FrameRange>,
) -> Result<impl IntoResponse, PageError> {
    let named = app.stores.named_loop(address).await?;
    let file = app.stores.file(&named).await?;
    let shows_all = app.settings.show_burned_in_text;
    let sends_stored = shows_all || !app.settings.mask_on_server;
    let source = crate::blocking::spawn(move || {
        let mut source = open(&file)?;
        let shown = (!shows_all).then(|| shown_parts(&mut source));
        Ok::<_, PageError>(Frames { source, shown, sends_stored })
    })
    .await??;
    let last = source.source.header().frames.saturating_sub(1);
    let last = range.to.unwrap_or(last).min(last);
    // A frame at a time, when the browser asks for more: one that is slow or stops holds neither a thread nor frames.
    let body = stream::unfold((source, range.from), move |(mut source, index)| async move {
        if index > last {
            return None;
        }
        let read = move || (framed(source.jpeg(index).unwrap_or_default()), source);
        let (frame, source) = crate::blocking::spawn(read).await.ok()?;
        Some((Ok::<_, io::Error>(frame), (source, index + 1)))
    });
    Ok(([(CONTENT_TYPE, FRAME_STREAM)], Body::from_stream(body)))
}

/// Opens the file of a loop.
///
/// # Errors
/// [`PageError::File`], without the path, which may hold a name.
pub(crate) fn open(path: &Path) -> Result<Loop, PageError> {
    Loop::open(path).map_err(|error| PageError::File(error.kind().to_owned()))
}

/// Returns a frame behind its length.
fn framed(jpeg: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(jpeg.len()).unwrap_or_default().to_be_bytes();
    [&length, jpeg.as_slice()].concat()
}

/// The frames of a loop, and the parts of them that may be shown.
struct Frames {
    source: Loop,
    /// Everything where there is none.
    shown: Option<Vec<PixelRect>>,
    /// Stored JPEG frames go out as they are.
    sends_stored: bool,
}

impl Frames {
    /// Returns a frame as a JPEG file; `None` where it cannot be decoded.
    fn jpeg(&mut self, index: u32) -> Option<Vec<u8>> {
        if self.sends_stored
            && let Ok(Some(stored)) = self.source.displayable_jpeg(index)
        {
            return Some(stored);
        }
        let mut frame = self.source.frame(index).ok()?;
        if let Some(shown) = &self.shown {
            frame.blacken_outside(shown);
        }
        let (width, height) = (u16::try_from(frame.width()).ok()?, u16::try_from(frame.height()).ok()?);
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes, JPEG_QUALITY).encode(frame.pixels(), width, height, ColorType::Rgb).ok()?;
        Some(bytes)
    }
}

/// Returns the parts of a loop's image that hold no burned-in text: the sector, and the other regions of the header.
pub(crate) fn shown_parts(source: &mut Loop) -> Vec<PixelRect> {
    let regions = source.header().regions.clone();
    let (columns, rows) = (source.header().columns, source.header().rows);
    let others = regions.iter().filter(|region| !region.is_image());
    let sector = source.sector();
    sector.into_iter().chain(others.filter_map(|region| region.pixel_rect(columns, rows))).collect()
}
