//! A study: a grid of its views, and everything that shows none.

use axum::Extension;
use axum::extract::{Path, State};
use domain::{ViewerLink, WeightStatus};
use maud::{Markup, html};
use store::{Inventory, InventoryLoop, NotLabelled, ViewInventory};

use super::layout::page as layout;
use super::words::{acquired, percent};
use crate::PageError;
use crate::app::App;
use crate::session::Person;

/// Shows a study.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let study = app.stores.study(&name).await?;
    let inventory = app.stores.read(move |store| store.inventory(&study)).await?;
    let content = html! {
        h1 { "Study " (inventory.number) " · " (acquired(inventory.acquired.as_deref())) }
        (summary(&inventory))
        (links(&inventory, &app.settings.viewers))
        h2 { "Views" }
        (views(&inventory))
        h2 { "Without a view" }
        (rest(&inventory))
        h2 { "Models" }
        ul { @for used in &inventory.models {
            li { (used.model.pipeline) @if let Some(note) = &used.weights_note { ": " (note) } }
        } }
    };
    Ok(layout(&format!("Study {}", inventory.number), "/", &person, content))
}

fn summary(inventory: &Inventory) -> Markup {
    html! {
        p { (inventory.files) " files: "
            @for (place, (state, files)) in inventory.states.iter().filter(|(_, files)| *files > 0).enumerate() {
                @if place > 0 { ", " } (files) " " (state.words())
            }
            ". " @match (inventory.unfinished_jobs, inventory.closed_at) {
                (0, Some(_)) => { "The study is closed." }
                (0, None) => { "More files may come." }
                (waiting, _) => { (waiting) " files wait." }
            }
        }
        @if let Some(reason) = &inventory.missing_withheld { p.quiet { "Nothing is called missing: " (reason) "." } }
        @if has_suggestions(inventory) {
            p.notice { "The weights were never validated on patients: every view here is a suggestion." }
        }
    }
}

fn has_suggestions(inventory: &Inventory) -> bool {
    let mut loops = inventory.views.iter().flat_map(|view| &view.loops);
    loops.any(|entry| !entry.reviewed && entry.standing.is_some_and(|status| status != WeightStatus::Validated))
}

fn links(inventory: &Inventory, viewers: &[ViewerLink]) -> Markup {
    let uid = &inventory.study_instance_uid;
    html! {
        p.links {
            @for viewer in viewers {
                a href=(viewer.address.replace("{study}", uid.as_str())) rel="noopener" { (viewer.title) }
            }
            a href={ "/api/studies/" (uid) } download={ "study-" (inventory.number) ".json" } { "JSON" }
            a href={ "/api/studies/" (uid) "/csv" } download { "CSV" }
            a href={ "/api/studies/" (uid) "/report" } download { "Structured report, which names the patient" }
            span.quiet { (uid) }
        }
    }
}

fn views(inventory: &Inventory) -> Markup {
    html! {
        ul.grid {
            @for view in &inventory.views { (found(view)) }
            @for view in &inventory.missing {
                li.view.missing { div.picture {} strong { (view) } span { "missing" } }
            }
        }
        @if inventory.views.is_empty() && inventory.missing.is_empty() { p.empty { "No view was found." } }
    }
}

fn found(view: &ViewInventory) -> Markup {
    let Some((best, others)) = view.loops.split_first() else { return html! {} };
    html! {
        li.view {
            a.picture href={ "/loop/" (best.name) } aria-label={ (view.view) ", loop " (best.name) } {
                canvas data-loop=(best.name) data-preview="true" width="320" height="240" {}
            }
            strong { (view.view) }
            span { (percent(best.confidence)) (marks(best)) }
            @if !others.is_empty() {
                span.others { "also " @for other in others { a href={ "/loop/" (other.name) } { (other.name) } " " } }
            }
        }
    }
}

fn marks(entry: &InventoryLoop) -> Markup {
    html! { @if entry.reviewed { " · reviewed" } }
}

fn rest(inventory: &Inventory) -> Markup {
    if inventory.not_labelled.is_empty() {
        return html! { p.empty { "Every file of the study shows a view." } };
    }
    html! {
        table {
            thead { tr { th scope="col" { "Loop or file" } th scope="col" { "State" } th scope="col" { "Mode" }
                th scope="col" { "Reason" } } }
            tbody { @for file in &inventory.not_labelled { (row(file)) } }
        }
    }
}

fn row(file: &NotLabelled) -> Markup {
    html! { tr {
        th scope="row" { @match &file.name {
            Some(name) => { a href={ "/loop/" (name) } { (name) } }
            None => { "file " (file.path_tag) }
        } }
        td { (file.state.words()) @if file.reviewed { ", reviewed" } }
        td { @if let Some(mode) = file.mode { (mode) } }
        td { (file.reason.as_deref().unwrap_or_default()) }
    } }
}
