//! A person's review, from a form or from a program.

use jiff::Timestamp;
use serde::Deserialize;
use store::{Review, ReviewRole};

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
