//! The parts of a loop that the model's answer rests on, as JSON.

use axum::Json;
use axum::extract::{Path, State};
use pipeline::Explanation;

use crate::PageError;
use crate::app::App;
use crate::names::LoopAddress;

/// Answers with the parts of a loop that the model's answer rests on.
pub(crate) async fn why(
    State(app): State<App>,
    Path(address): Path<LoopAddress>,
) -> Result<Json<Explanation>, PageError> {
    let named = app.stores.named_loop(address).await?;
    let file = app.stores.file(&named).await?;
    let program = app.program.clone();
    let explained = crate::blocking::spawn(move || program.explain.explain(&file)).await?;
    Ok(Json(explained.map_err(PageError::Invalid)?))
}
