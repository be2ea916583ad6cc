//! Files that wait or failed, and the last night.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Redirect;
use axum::{Extension, Form};
use domain::path_tag;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use store::{JobFilter, JobRow, JobState, Overview};

use super::layout::page as layout;
use crate::PageError;
use crate::api::jobs::RetryRequest;
use crate::app::App;
use crate::session::Person;

/// Time that the summary looks back.
const NIGHT: SignedDuration = SignedDuration::from_hours(12);
/// Failed files of a kind that are listed.
const LISTED: usize = 20;

/// Shows the jobs.
pub(crate) async fn page(State(app): State<App>, Extension(person): Extension<Person>) -> Result<Markup, PageError> {
    let (counts, overview, failed, running) = app
        .stores
        .read(|store| {
            let in_state = |state| store.jobs(&JobFilter { state: Some(state), kind: None });
            Ok((
                store.counts()?,
                store.overview(Timestamp::now() - NIGHT)?,
                in_state(JobState::Failed)?,
                in_state(JobState::Running)?,
            ))
        })
        .await?;
    let mut kinds: BTreeMap<String, Vec<JobRow>> = BTreeMap::new();
    for row in failed {
        kinds.entry(row.error_kind.clone().unwrap_or_else(|| "unknown".to_owned())).or_default().push(row);
    }
    let content = html! {
        h1 { "Jobs" }
        (night(&overview))
        h2 { "Now" }
        p { (counts.pending) " wait, " (counts.running) " are in work, " (counts.failed) " failed." }
        @if !running.is_empty() {
            ul { @for row in &running { li { "file " (path_tag(&row.file.path)) ", try " (row.attempts) } } }
        }
        h2 { "Failed" }
        @if kinds.is_empty() { p.empty { "No file has failed." } }
        @for (kind, rows) in &kinds { (failures(kind, rows)) }
    };
    Ok(layout("Jobs", "/jobs", &person, content))
}

fn night(overview: &Overview) -> Markup {
    html! {
        h2 { "The last 12 hours" }
        p { (overview.studies) " studies; files: "
            @for (place, (state, files)) in overview.states.iter().filter(|(_, files)| *files > 0).enumerate() {
                @if place > 0 { ", " } (files) " " (state.words())
            }
            @if overview.states.total() == 0 { "none" } "."
            @if let Some(since) = overview.waiting_since {
                " The longest wait is " ((Timestamp::now() - since).get_seconds().max(0) / 60) " minutes."
            }
        }
    }
}

fn failures(kind: &str, rows: &[JobRow]) -> Markup {
    html! {
        section {
            h3 { (kind) " (" (rows.len()) ")" }
            form method="post" action="/jobs/retry" {
                input type="hidden" name="kind" value=(kind);
                button type="submit" { "Try all of this kind again" }
            }
            table {
                thead { tr { th scope="col" { "File" } th scope="col" { "Reason" } th scope="col" { "Tries" } th scope="col" { "" } } }
                tbody { @for row in rows.iter().take(LISTED) { tr {
                    th scope="row" { (path_tag(&row.file.path)) }
                    td { (row.error_message.as_deref().unwrap_or_default()) }
                    td.number { (row.attempts) }
                    td { form method="post" action="/jobs/retry" {
                        input type="hidden" name="job_id" value=(row.job_id.0);
                        button type="submit" { "Try again" }
                    } }
                } } }
            }
            @if rows.len() > LISTED { p.quiet { "and " (rows.len() - LISTED) " more: echolabel jobs list --state failed" } }
        }
    }
}

/// Puts failed jobs back into the queue.
pub(crate) async fn retry(State(app): State<App>, Form(request): Form<RetryRequest>) -> Result<Redirect, PageError> {
    let which = request.which()?;
    app.stores.write(move |store| store.retry_failed(&which)).await?;
    Ok(Redirect::to("/jobs"))
}
