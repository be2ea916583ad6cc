//! Loops and reviews as JSON.

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde::Deserialize;
use store::{LoopTask, Review, ReviewQueue, ReviewRole};

use crate::PageError;
use crate::app::App;
use crate::loop_record::LoopRecord;
use crate::names::LoopAddress;
use crate::reviewing::{Verdict, record};
use crate::session::Person;

/// Loops of a queue that are listed at most.
const MAX_TASKS: u32 = 100;

/// A review as a program sends it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReview {
    view: Option<String>,
    #[serde(default)]
    not_sure: bool,
    #[serde(default)]
    role: ReviewRole,
    comment: Option<String>,
    reviewer: Option<String>,
}

/// Queue of reviews that is asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct QueueName {
    #[serde(default)]
    queue: String,
    reviewer: Option<String>,
}

/// Answers with the record of a loop.
pub(crate) async fn one(
    State(app): State<App>,
    Path(address): Path<LoopAddress>,
) -> Result<Json<LoopRecord>, PageError> {
    Ok(Json(LoopRecord::read(&app, address).await?))
}

/// Keeps a review.
pub(crate) async fn add_review(
    State(app): State<App>,
    Path(address): Path<LoopAddress>,
    Extension(person): Extension<Person>,
    Json(new): Json<NewReview>,
) -> Result<Json<Review>, PageError> {
    let named = app.stores.named_loop(address).await?;
    let verdict = match (new.view, new.not_sure) {
        (None, true) => Verdict::NotSure,
        (None, false) => Verdict::NoView,
        (Some(view), false) => Verdict::View(view),
        (Some(_), true) => return Err(PageError::Invalid("a view and not_sure exclude each other".to_owned())),
    };
    let reviewer = new.reviewer.unwrap_or(person.name);
    Ok(Json(record(&app, &named, verdict, new.role, reviewer, new.comment).await?))
}

/// Answers with the loops of a queue.
pub(crate) async fn queue(
    State(app): State<App>,
    Extension(person): Extension<Person>,
    Query(name): Query<QueueName>,
) -> Result<Json<Vec<LoopTask>>, PageError> {
    let queue = ReviewQueue::from_name(&name.queue).unwrap_or(ReviewQueue::First);
    let reviewer = name.reviewer.unwrap_or(person.name);
    Ok(Json(app.stores.read(move |store| store.review_queue(queue, &reviewer, MAX_TASKS)).await?))
}
