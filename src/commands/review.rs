//! `echolabel review`: a person's label of a loop.

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use store::{LabelStore as _, Review};

use super::{Outcome, names};
use crate::cli::{Common, ReviewOptions};
use crate::output;

/// Stands for "shows none of the views".
const NONE: &str = "none";

/// Keeps the review and says so.
pub fn run(common: &Common, options: &ReviewOptions) -> Outcome {
    let review = keep(common, options)?;
    let view = review.view.as_deref().unwrap_or(NONE);
    output::line(format_args!("{} {view} ({})", review.sop_instance_uid, review.reviewer))
}

fn keep(common: &Common, options: &ReviewOptions) -> anyhow::Result<Review> {
    let store = super::open_store(common, options.db.clone())?;
    let uid = names::loop_uid(&store, &options.name)?;
    let known = store.known_loop(&uid)?.with_context(|| format!("no loop {uid} in the database"))?;
    let views = store.label_set(&known.study_instance_uid)?;
    let view = names::view(&views, &options.view);
    ensure!(
        view.is_some() || options.view.eq_ignore_ascii_case(NONE),
        "the study's pipeline has no view {:?}{}; its views are {}, or {NONE}",
        options.view,
        names::did_you_mean(&options.view, views.iter().map(String::as_str)),
        views.join(", ")
    );
    ensure!(!options.reviewer.trim().is_empty(), "--reviewer is empty: a review needs somebody who answers for it");
    let review =
        Review { comment: options.comment.clone(), ..Review::new(uid, view, &options.reviewer, Timestamp::now()) };
    store.add_review(&review).context("the review is not kept")?;
    Ok(review)
}
