//! Learning from reviews as JSON.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use store::ReviewedView;

use crate::PageError;
use crate::app::App;
use crate::learning::{LearningAction, LearningState};

/// Everything that the page of learning shows.
#[derive(Debug, Serialize)]
pub(crate) struct LearningRecord {
    #[serde(flatten)]
    pub(crate) state: LearningState,
    /// Reviewed loops of each view that has any.
    pub(crate) reviewed: Vec<ReviewedView>,
}

impl LearningRecord {
    /// Reads models, work in the background and numbers of reviewed loops.
    ///
    /// # Errors
    /// The folder of models or the database cannot be read.
    pub(crate) async fn read(app: &App) -> Result<Self, PageError> {
        let learning = app.program.learning.clone();
        let state = crate::blocking::spawn(move || learning.state()).await?.map_err(PageError::Models)?;
        let reviewed = app.stores.read(|store| store.reviewed_views()).await?;
        Ok(Self { state, reviewed })
    }
}

/// Answers with models, work in the background and numbers of reviewed loops.
pub(crate) async fn state(State(app): State<App>) -> Result<Json<LearningRecord>, PageError> {
    Ok(Json(LearningRecord::read(&app).await?))
}

/// Does what is asked for, and answers with the state after it.
pub(crate) async fn act(
    State(app): State<App>,
    Json(action): Json<LearningAction>,
) -> Result<Json<LearningRecord>, PageError> {
    perform(&app, action).await?;
    Ok(Json(LearningRecord::read(&app).await?))
}

/// Does what a person asks for.
///
/// # Errors
/// It cannot be done.
pub(crate) async fn perform(app: &App, action: LearningAction) -> Result<(), PageError> {
    let learning = app.program.learning.clone();
    crate::blocking::spawn(move || learning.act(action)).await?.map_err(PageError::Invalid)
}
