//! Loops and reviews as JSON.

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use store::{LoopTask, Review, ReviewQueue, ReviewRole, StoredLoop, StoredPrediction};

use crate::PageError;
use crate::names::LoopAddress;
use crate::pages::review::{Verdict, record};
use crate::router::App;
use crate::session::Person;

/// Loops of a queue that are listed at most.
const MAX_TASKS: u32 = 100;

/// Everything that is kept about a loop.
#[derive(Debug, Serialize)]
pub(crate) struct LoopRecord {
    /// Short name.
    pub(crate) name: String,
    /// Views that the study's label set has, in their order.
    pub(crate) label_set: Vec<String>,
    /// Header facts.
    #[serde(flatten)]
    pub(crate) stored: StoredLoop,
    /// Every model's prediction, oldest first.
    pub(crate) predictions: Vec<StoredPrediction>,
    /// Every review, oldest first.
    pub(crate) reviews: Vec<Review>,
}

impl LoopRecord {
    /// Reads the record of a loop.
    ///
    /// # Errors
    /// There is no such loop, or the database cannot be read.
    pub(crate) async fn read(app: &App, address: LoopAddress) -> Result<Self, PageError> {
        let named = app.stores.named_loop(address).await?;
        let (study, sop) = (named.study.clone(), named.sop.clone());
        let record = app
            .stores
            .read(move |store| {
                let of_loop = |uid: &domain::SopUid| *uid == sop;
                let stored = store.loops(&study)?.into_iter().find(|stored| of_loop(&stored.facts.sop_instance_uid));
                let mut predictions = store.predictions(&study)?;
                predictions.retain(|said| of_loop(&said.sop_instance_uid));
                let mut reviews = store.reviews(&study)?;
                reviews.retain(|review| of_loop(&review.sop_instance_uid));
                let label_set = store.label_set(&study)?;
                let name = named.address.name();
                Ok(stored.map(|stored| Self { name, label_set, stored, predictions, reviews }))
            })
            .await?;
        record.ok_or_else(|| PageError::NotFound(format!("loop {}", address.name())))
    }
}

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
