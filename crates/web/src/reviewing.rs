//! A person's review, from a form or from a program.

use evaluate::reading_order::{UnreadLoop, reading_order, uncertainty};
use jiff::Timestamp;
use serde::Deserialize;
use store::{LoopTask, PageStore, Review, ReviewQueue, ReviewRole, StoreError, UnreadTask};

use crate::PageError;
use crate::app::App;
use crate::names::NamedLoop;

/// Longest comment, in bytes.
pub(crate) const MAX_COMMENT_BYTES: usize = 1000;

/// Queue that the loop was opened from.
#[derive(Debug, Deserialize)]
pub(crate) struct Origin {
    pub(crate) queue: Option<String>,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    View(String),
    NoView,
    NotSure,
}

/// Returns unread loops that a person should look at, those that teach the model most first.
///
/// # Errors
/// The database cannot be read.
pub fn loops_to_read(store: &(impl PageStore + ?Sized), limit: usize) -> Result<Vec<UnreadTask>, StoreError> {
    let unread = store.unread_loops()?;
    let read = store.reviewed_views()?.into_iter().map(|row| (row.view, row.loops)).collect();
    let loops: Vec<UnreadLoop> = unread.iter().map(as_the_model_sees_it).collect();
    let order = reading_order(&loops, &read, limit);
    Ok(order.into_iter().filter_map(|position| unread.get(position).cloned()).collect())
}

fn as_the_model_sees_it(unread: &UnreadTask) -> UnreadLoop {
    let probabilities: Vec<f64> = unread.probabilities.values().copied().collect();
    let likeliest = unread.probabilities.iter().max_by(|a, b| a.1.total_cmp(b.1));
    UnreadLoop {
        study: unread.study,
        view: likeliest.map(|(view, _)| view.clone()).unwrap_or_default(),
        uncertainty: uncertainty(&probabilities),
        read_in_study: unread.read_in_study,
    }
}

/// Returns the loops of a queue that wait for a reader.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn queued(
    store: &(impl PageStore + ?Sized),
    queue: ReviewQueue,
    reviewer: &str,
    limit: u32,
) -> Result<Vec<LoopTask>, StoreError> {
    match queue {
        ReviewQueue::First => Ok(loops_to_read(store, limit as usize)?.into_iter().map(|unread| unread.task).collect()),
        ReviewQueue::Second | ReviewQueue::Adjudication => store.review_queue(queue, reviewer, limit),
    }
}

/// Keeps a review of a loop.
///
/// # Errors
/// The study's label set has no such view, the comment is too long, or the database cannot be written.
pub(crate) async fn record(
    app: &App,
    named: &NamedLoop,
    verdict: Verdict,
    role: ReviewRole,
    reviewer: String,
    comment: Option<String>,
) -> Result<Review, PageError> {
    let comment = comment.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if comment.as_ref().is_some_and(|text| text.len() > MAX_COMMENT_BYTES) {
        return Err(PageError::Invalid(format!("a comment has at most {MAX_COMMENT_BYTES} bytes")));
    }
    if reviewer.trim().is_empty() {
        return Err(PageError::Invalid("a review needs somebody who answers for it".to_owned()));
    }
    let study = named.study.clone();
    if let Verdict::View(view) = &verdict {
        let views = app.stores.read(move |store| store.label_set(&study)).await?;
        if !views.contains(view) {
            return Err(PageError::Invalid(format!("the views of the study are {}", views.join(", "))));
        }
    }
    let not_sure = verdict == Verdict::NotSure;
    let view = if let Verdict::View(view) = verdict { Some(view) } else { None };
    let review = Review { not_sure, role, comment, ..Review::new(named.sop.clone(), view, reviewer, Timestamp::now()) };
    let kept = review.clone();
    app.stores.write(move |store| store.add_review(&kept)).await?;
    Ok(review)
}
