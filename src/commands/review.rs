//! `echolabel review`: a person's label of a loop, and the loops to look at next.

use anyhow::{Context as _, ensure};
use evaluate::agreement_over_time::{Dozen, dozens};
use jiff::Timestamp;
use serde::Serialize;
use store::{LabelStore as _, PageStore as _, Review, UnreadTask};

use super::{Outcome, names};
use crate::cli::{Common, ReviewOptions};
use crate::output;

/// Stands for "shows none of the views".
const NONE: &str = "none";
/// Dozens of reviews that are printed.
const SHOWN_DOZENS: usize = 8;

/// Keeps the review and says so, or lists what to look at next.
pub fn run(common: &Common, options: &ReviewOptions) -> Outcome {
    if let Some(limit) = options.next {
        return next(common, options, limit.into());
    }
    let review = keep(common, options)?;
    let view = review.view.as_deref().unwrap_or(NONE);
    output::line(format_args!("{} {view} ({})", review.sop_instance_uid, review.reviewer))
}

fn keep(common: &Common, options: &ReviewOptions) -> anyhow::Result<Review> {
    let (Some(name), Some(said), Some(reviewer)) = (&options.name, &options.view, &options.reviewer) else {
        anyhow::bail!("name the loop, its view and --reviewer");
    };
    let store = super::open_store(common, options.db.clone())?;
    let uid = names::loop_uid(&store, name)?;
    let known = store.known_loop(&uid)?.with_context(|| format!("no loop {uid} in the database"))?;
    let views = store.label_set(&known.study_instance_uid)?;
    let view = names::view(&views, said);
    ensure!(
        view.is_some() || said.eq_ignore_ascii_case(NONE),
        "the study's pipeline has no view {said:?}{}; its views are {}, or {NONE}",
        names::did_you_mean(said, views.iter().map(String::as_str)),
        views.join(", ")
    );
    ensure!(!reviewer.trim().is_empty(), "--reviewer is empty: a review needs somebody who answers for it");
    let review = Review { comment: options.comment.clone(), ..Review::new(uid, view, reviewer, Timestamp::now()) };
    store.add_review(&review).context("the review is not kept")?;
    Ok(review)
}

/// Loops to look at, and how often the model agreed before.
#[derive(Serialize)]
struct Next {
    loops: Vec<NextLoop>,
    dozens: Vec<Dozen>,
}

#[derive(Serialize)]
struct NextLoop {
    name: String,
    sop_instance_uid: domain::SopUid,
    reason: String,
    /// Views with their probabilities, likeliest first.
    likeliest: Vec<(String, f64)>,
}

impl From<UnreadTask> for NextLoop {
    fn from(unread: UnreadTask) -> Self {
        const SHOWN_VIEWS: usize = 3;
        let mut likeliest: Vec<(String, f64)> = unread.probabilities.into_iter().collect();
        likeliest.sort_by(|a, b| b.1.total_cmp(&a.1));
        likeliest.truncate(SHOWN_VIEWS);
        let task = unread.task;
        Self { name: task.name, sop_instance_uid: task.sop_instance_uid, reason: task.reason, likeliest }
    }
}

fn next(common: &Common, options: &ReviewOptions, limit: u32) -> Outcome {
    let store = super::open_store_read_only(common, options.db.clone())?;
    let loops = store.unread_loops(limit)?.into_iter().map(NextLoop::from).collect();
    let next = Next { loops, dozens: dozens(&store.agreement_over_time()?) };
    if options.json {
        return output::json_line(&next);
    }
    for unread in &next.loops {
        let views: Vec<String> =
            unread.likeliest.iter().map(|(view, share)| format!("{view} {:.0} %", 100.0 * share)).collect();
        output::line(format_args!("{:<10} {:<44} {}", unread.name, views.join(", "), unread.reason))?;
    }
    if next.loops.is_empty() {
        output::line("nothing waits: the model is sure of every loop that nobody has read")?;
    }
    for dozen in &next.dozens[next.dozens.len().saturating_sub(SHOWN_DOZENS)..] {
        output::line(format_args!(
            "reviews {} to {}: the model had said so of {} of {}",
            dozen.first,
            dozen.first + dozen.loops - 1,
            dozen.agreed,
            dozen.loops
        ))?;
    }
    Ok(())
}
