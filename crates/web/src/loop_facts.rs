//! Facts of a loop for the player: at once the times and the parts that may be shown, later the beat.

use axum::Json;
use axum::extract::{Path as Address, State};
use cine::Loop;
use domain::PixelRect;
use pipeline::Inspection;
use serde::Serialize;

use crate::PageError;
use crate::app::App;
use crate::frames::{open, shown_parts};
use crate::names::LoopAddress;

/// Header facts of a loop, read without decoding a frame where its header names the sector.
#[derive(Debug, Serialize)]
pub(crate) struct Header {
    frames: u32,
    columns: u32,
    rows: u32,
    /// Time of each frame after the first, in milliseconds.
    times_ms: Vec<f64>,
    /// Time that the whole loop takes, in milliseconds.
    duration_ms: f64,
    /// Parts of the image that may be shown; everything where there is none.
    shown: Option<Vec<PixelRect>>,
}

/// The beat and the sampling of a loop.
#[derive(Debug, Serialize)]
pub(crate) struct Facts {
    #[serde(flatten)]
    inspection: Inspection,
    /// Parts of the image that may be shown, the drawn ECG among them; everything where there is none.
    shown: Option<Vec<PixelRect>>,
}

/// Answers with the header facts.
pub(crate) async fn header(
    State(app): State<App>,
    Address(address): Address<LoopAddress>,
) -> Result<Json<Header>, PageError> {
    let shows_all = app.settings.show_burned_in_text;
    let mut source = opened(&app, address).await?;
    let header = crate::blocking::spawn(move || {
        let shown = (!shows_all).then(|| shown_parts(&mut source));
        let header = source.header();
        Header {
            frames: header.frames,
            columns: header.columns,
            rows: header.rows,
            times_ms: (0..header.frames).map(|frame| header.timing.time_of_frame_ms(frame)).collect(),
            duration_ms: header.timing.duration_ms(),
            shown,
        }
    })
    .await?;
    Ok(Json(header))
}

/// Answers with the beat and the sampled frames.
pub(crate) async fn facts(
    State(app): State<App>,
    Address(address): Address<LoopAddress>,
) -> Result<Json<Facts>, PageError> {
    let (shows_all, plan) = (app.settings.show_burned_in_text, app.settings.plan);
    let mut source = opened(&app, address).await?;
    let facts = crate::blocking::spawn(move || {
        let (inspection, found) =
            pipeline::inspect(&mut source, &plan).map_err(|error| PageError::File(error.kind().to_owned()))?;
        let shown = (!shows_all).then(|| inspection.recognized_parts(found.trace.as_ref()));
        Ok::<_, PageError>(Facts { inspection, shown })
    })
    .await??;
    Ok(Json(facts))
}

async fn opened(app: &App, address: LoopAddress) -> Result<Loop, PageError> {
    let named = app.stores.named_loop(address).await?;
    let file = app.stores.file(&named).await?;
    crate::blocking::spawn(move || open(&file)).await?
}
