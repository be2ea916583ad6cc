//! Studies as JSON.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use store::{Inventory, StudyFilter, StudyProgress, StudyRow};

use crate::PageError;
use crate::app::App;

/// Studies of an answer, at most.
const MAX_STUDIES: u32 = 500;
const USUAL_STUDIES: u32 = 50;

/// Conditions and place of a list of studies.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Listing {
    pub(crate) text: Option<String>,
    pub(crate) progress: Option<String>,
    limit: Option<u32>,
    #[serde(default)]
    pub(crate) offset: u32,
}

impl Listing {
    /// Returns the conditions; an unknown progress lets all through, as an empty form field does.
    pub(crate) fn filter(&self) -> StudyFilter {
        StudyFilter { text: self.text.clone(), progress: self.progress.as_deref().and_then(StudyProgress::from_name) }
    }
}

/// Answers with studies, newest first.
pub(crate) async fn list(
    State(app): State<App>,
    Query(listing): Query<Listing>,
) -> Result<Json<Vec<StudyRow>>, PageError> {
    let limit = listing.limit.unwrap_or(USUAL_STUDIES).min(MAX_STUDIES);
    let rows = app.stores.read(move |store| store.study_page(&listing.filter(), limit, listing.offset)).await?;
    Ok(Json(rows))
}

/// Answers with the inventory of a study, named by number or UID.
pub(crate) async fn one(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Inventory>, PageError> {
    let study = app.stores.study(&name).await?;
    Ok(Json(app.stores.read(move |store| store.inventory(&study)).await?))
}
