//! `echolabel review`: a person's label of a loop.

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use store::{LabelStore as _, Review};

use super::Outcome;
use crate::cli::{Common, ReviewOptions};
use crate::output;

/// Stands for "shows none of the views".
const NONE: &str = "none";

/// Keeps the review and says so.
pub fn run(common: &Common, options: &ReviewOptions) -> Outcome {
    keep(common, options)?;
    output::line(format_args!("{} {} ({})", options.sop_instance_uid, options.view, options.reviewer))
}

fn keep(common: &Common, options: &ReviewOptions) -> anyhow::Result<()> {
    let store = super::open_store(common, options.db.clone())?;
    let uid = &options.sop_instance_uid;
    let known = store.known_loop(uid)?.with_context(|| format!("no loop {uid} in the database"))?;
    let views = store.label_set(&known.study_instance_uid)?;
    let is_view = views.contains(&options.view);
    ensure!(
        is_view || options.view == NONE,
        "the study's pipeline has no view {:?}; its views are {}, or {NONE}",
        options.view,
        views.join(", ")
    );
    ensure!(!options.reviewer.trim().is_empty(), "--reviewer is empty: a review needs somebody who answers for it");
    let review = Review {
        sop_instance_uid: options.sop_instance_uid.clone(),
        view: is_view.then(|| options.view.clone()),
        reviewer: options.reviewer.clone(),
        comment: options.comment.clone(),
        created_at: Timestamp::now(),
    };
    store.add_review(&review).context("the review is not kept")
}
