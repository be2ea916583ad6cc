//! The frames of a loop as one stream of JPEG files.

use std::io;
use std::path::Path;

use axum::body::Body;
use axum::extract::{Path as Address, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use cine::Loop;
use futures_util::stream;
use jpeg_encoder::{ColorType, Encoder};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::PageError;
use crate::app::App;
use crate::names::LoopAddress;

/// Frames that are read ahead of the browser: memory does not grow with the loop.
const READ_AHEAD: usize = 4;
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

/// Sends frames `from` to `to`, both included. Stored JPEG frames go out as they are, others are decoded one by one.
pub(crate) async fn frames(
    State(app): State<App>,
    Address(address): Address<LoopAddress>,
    Query(range): Query<FrameRange>,
) -> Result<impl IntoResponse, PageError> {
    let named = app.stores.named_loop(address).await?;
    let file = app.stores.file(&named).await?;
    let source = crate::blocking::spawn(move || open(&file)).await??;
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    tokio::task::spawn_blocking(move || send(source, &range, &sender));
    let body = stream::unfold(receiver, |mut receiver| async move {
        let frame: Vec<u8> = receiver.recv().await?;
        Some((Ok::<_, io::Error>(frame), receiver))
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

fn send(mut source: Loop, range: &FrameRange, sender: &mpsc::Sender<Vec<u8>>) {
    let last = source.header().frames.saturating_sub(1);
    for index in range.from..=range.to.unwrap_or(last).min(last) {
        let jpeg = jpeg_of(&mut source, index).unwrap_or_default();
        let length = u32::try_from(jpeg.len()).unwrap_or_default().to_be_bytes();
        // The browser has gone to another page.
        if sender.blocking_send([&length, jpeg.as_slice()].concat()).is_err() {
            return;
        }
    }
}

/// Returns a frame as a JPEG file; `None` where it cannot be decoded.
pub(crate) fn jpeg_of(source: &mut Loop, index: u32) -> Option<Vec<u8>> {
    if let Ok(Some(stored)) = source.displayable_jpeg(index) {
        return Some(stored);
    }
    let frame = source.frame(index).ok()?;
    let (width, height) = (u16::try_from(frame.width()).ok()?, u16::try_from(frame.height()).ok()?);
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, JPEG_QUALITY).encode(frame.pixels(), width, height, ColorType::Rgb).ok()?;
    Some(bytes)
}
