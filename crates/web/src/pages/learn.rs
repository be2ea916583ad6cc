//! Learning from reviews: how many there are, adapting a model, the model in use.

use axum::extract::State;
use axum::response::Redirect;
use axum::{Extension, Form};
use evaluate::comparison::Interval;
use maud::{Markup, html};
use store::ReviewedView;

use super::layout::page as layout;
use crate::PageError;
use crate::api::learning::{LearningRecord, perform};
use crate::app::App;
use crate::learning::{AdaptationReport, LearningAction, LearningEnd, LearningState, LearningTask};
use crate::session::Person;

/// Shows the reviewed loops, the models and the work in the background.
pub(crate) async fn page(State(app): State<App>, Extension(person): Extension<Person>) -> Result<Markup, PageError> {
    let LearningRecord { state, reviewed } = LearningRecord::read(&app).await?;
    let is_running = state.task.as_ref().is_some_and(|task| task.end.is_none());
    let content = html! {
        h1 { "Learn" }
        p { "Reviews teach a copy of the model: its last layer is learned anew, judged on patients that it did not see, and "
            "kept only where these are labelled better." }
        @if let Some(task) = &state.task { (work(task)) }
        form.filter method="post" action="/learn" {
            input type="hidden" name="action" value="adapt";
            label for="name" { "Name of the new model" }
            input #name type="text" name="name" required maxlength="60" pattern="[A-Za-z0-9_\\-]+" value="our-lab" autocomplete="off";
            button type="submit" disabled[is_running] { "Adapt a model" }
        }
        (models(&state, is_running))
        (reviews(&state, &reviewed))
    };
    Ok(layout("Learn", "/learn", &person, content))
}

fn work(task: &LearningTask) -> Markup {
    html! {
        section aria-label="Work in the background" {
            h2 { (task.title) }
            @match &task.end {
                None => {
                    p role="status" data-learning="running" {
                        span.stage { (task.stage) @if task.all > 0 { " " (task.done) " of " (task.all) } }
                    }
                    form method="post" action="/learn" {
                        input type="hidden" name="action" value="cancel";
                        button type="submit" { "Stop it" }
                    }
                }
                Some(end) => { (result(end)) }
            }
        }
    }
}

fn result(end: &LearningEnd) -> Markup {
    html! {
        p.problem[!end.succeeded] { (end.words) }
        @if let Some(report) = &end.report { (judgement(report)) }
        @if !end.notes.is_empty() { ul { @for note in &end.notes { li { (note) } } } }
    }
}

fn judgement(report: &AdaptationReport) -> Markup {
    let before = report.before.as_ref();
    html! {
        table.narrow {
            caption { (report.loops) " loops of " (report.patients)
                " patients; share whose likeliest view is right, on patients that were left out (95 % interval over patients)" }
            thead { tr { th scope="col" { "View" } th.number scope="col" { "Loops" } th scope="col" { "Before" } th scope="col" { "After" } } }
            tbody {
                @for view in &report.views { tr {
                    th scope="row" { (view.view) }
                    td.number { (view.loops) }
                    td { (share(view.before.filter(|_| before.is_some()))) }
                    td { (share(view.after)) }
                } }
                tr { th scope="row" { "all" } td.number { (report.loops) }
                    td { (share(before.and_then(|judged| judged.accuracy))) } td { (share(report.after.accuracy)) } }
                tr { th scope="row" { "calibration error" } td {}
                    td { (error(before.and_then(|judged| judged.calibration_error))) }
                    td { (error(report.after.calibration_error)) } }
            }
        }
    }
}

fn share(interval: Option<Interval>) -> String {
    let text = |share: Interval| {
        format!("{:.0} % ({:.0} to {:.0})", 100.0 * share.value, 100.0 * share.low, 100.0 * share.high)
    };
    interval.map_or_else(|| "–".to_owned(), text)
}

fn error(error: Option<f64>) -> String {
    error.map_or_else(|| "–".to_owned(), |error| format!("{:.1} %", 100.0 * error))
}

fn reviews(state: &LearningState, reviewed: &[ReviewedView]) -> Markup {
    let of_view = |view: &str| reviewed.iter().find(|row| row.view == view);
    let others = reviewed.iter().filter(|row| !state.views.contains(&row.view));
    html! {
        h2 { "Reviewed loops" }
        p { "An adaptation needs " (state.min_loops) " loops of " (state.min_patients) " patients for each view. The database does "
            "not know patients, so studies are counted here." }
        table.narrow {
            thead { tr { th scope="col" { "View" } th.number scope="col" { "Loops" } th.number scope="col" { "Studies" } th scope="col" { "Lacking" } } }
            tbody {
                @for view in &state.views { (view_row(state, view, of_view(view))) }
                @for row in others { tr {
                    th scope="row" { (row.view) } td.number { (row.loops) } td.number { (row.studies) }
                    td.quiet { "no view of this model" }
                } }
            }
        }
    }
}

fn view_row(state: &LearningState, view: &str, row: Option<&ReviewedView>) -> Markup {
    let (loops, studies) = row.map_or((0, 0), |row| (row.loops, row.studies));
    let lacking_loops = (state.min_loops as u64).saturating_sub(loops);
    let lacking_studies = (state.min_patients as u64).saturating_sub(studies);
    html! { tr {
        th scope="row" { (view) }
        td.number { (loops) }
        td.number { (studies) }
        td.mark[lacking_loops + lacking_studies > 0] { @match (lacking_loops, lacking_studies) {
            (0, 0) => { "nothing" }
            (0, _) => { "loops of another patient" }
            (loops, _) => { (loops) @if loops == 1 { " loop" } @else { " loops" } }
        } }
    } }
}

fn models(state: &LearningState, is_running: bool) -> Markup {
    html! {
        h2 { "Model in use" }
        p { strong { (state.in_use) } " labels the studies to come." }
        @if state.is_fixed {
            p.quiet { "The configuration or the command line names it, so it cannot be switched here." }
        } @else if let Some(before) = &state.used_before {
            form method="post" action="/learn" {
                input type="hidden" name="action" value="back";
                button.back type="submit" { "Back to " (before) }
            }
        }
        form method="post" action="/learn" {
            input type="hidden" name="action" value="relabel";
            button type="submit" disabled[is_running] { "Label the stored studies again with " (state.in_use) }
        }
        p.quiet { "Earlier answers stay in the database; the newest counts, and reviews count more than any answer." }
        @if !state.adapted.is_empty() {
            h2 { "Adapted models" }
            ul { @for model in &state.adapted { li {
                strong { (model.name) } " " (model.origin)
                @if !state.is_fixed && model.name != state.in_use {
                    form method="post" action="/learn" {
                        input type="hidden" name="action" value="use";
                        input type="hidden" name="name" value=(model.name);
                        button type="submit" { "Use " (model.name) " from now on" }
                    }
                }
            } } }
        }
    }
}

/// Does what a form asks for.
pub(crate) async fn act(State(app): State<App>, Form(action): Form<LearningAction>) -> Result<Redirect, PageError> {
    perform(&app, action).await?;
    Ok(Redirect::to("/learn"))
}
