//! Numbers for Prometheus, and health for whatever starts services again.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use jiff::{SignedDuration, Timestamp};
use store::Overview;

use crate::PageError;
use crate::app::App;

/// Time that counts of files look back: all of a large archive would take seconds at every scrape.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

/// Answers in the text format of Prometheus (version 0.0.4).
pub(crate) async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, PageError> {
    let (counts, overview) =
        app.stores.read(|store| Ok((store.counts()?, store.overview(Timestamp::now() - LOOK_BACK)?))).await?;
    let mut text = String::new();
    let mut metric = |name: &str, help: &str, rows: &[(String, f64)]| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in rows {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let jobs = [
        ("pending", counts.pending),
        ("running", counts.running),
        ("done", counts.done),
        ("failed", counts.failed),
        ("skipped", counts.skipped),
    ];
    let jobs: Vec<_> = jobs.into_iter().map(|(state, jobs)| (label("state", state), jobs as f64)).collect();
    metric("echolabel_jobs", "Jobs by state.", &jobs);
    let Overview { studies, states, waiting_since, .. } = overview;
    let files: Vec<_> = states.iter().map(|(state, files)| (label("state", state.as_str()), files as f64)).collect();
    metric("echolabel_files_day", "Files of the last 24 hours, and those that wait, by state.", &files);
    metric("echolabel_studies_day", "Studies with news in the last 24 hours.", &[(String::new(), studies as f64)]);
    let longest_wait = waiting_since.map_or(0.0, |since| (Timestamp::now() - since).get_seconds() as f64);
    metric(
        "echolabel_longest_wait_seconds",
        "Time since the file that waits longest was taken.",
        &[(String::new(), longest_wait.max(0.0))],
    );
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

fn label(name: &str, value: &str) -> String {
    format!("{{{name}=\"{value}\"}}")
}

/// Answers while the server answers at all.
pub(crate) async fn live() -> &'static str {
    "ok"
}

/// Answers whether the database can be used.
pub(crate) async fn ready(State(app): State<App>) -> impl IntoResponse {
    match app.stores.read(|store| store.counts()).await {
        Ok(_) => (StatusCode::OK, "ok".to_owned()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.words()),
    }
}
