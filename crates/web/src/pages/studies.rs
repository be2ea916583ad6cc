//! The list of studies.

use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use store::{StudyProgress, StudyRow};

use super::layout::page as layout;
use super::words::acquired;
use crate::PageError;
use crate::api::studies::Listing;
use crate::app::App;
use crate::session::Person;

/// Studies of a page.
const STUDIES: u32 = 50;

/// Shows the studies, newest first.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(person): Extension<Person>,
    Query(listing): Query<Listing>,
) -> Result<Markup, PageError> {
    let (filter, offset) = (listing.filter(), listing.offset);
    // One more tells whether there is a next page.
    let mut rows = app.stores.read(move |store| store.study_page(&filter, STUDIES + 1, offset)).await?;
    let has_more = rows.len() > STUDIES as usize;
    rows.truncate(STUDIES as usize);
    let content = html! {
        h1 { "Studies" }
        (filter_form(&listing))
        @if rows.is_empty() {
            p.empty { "No study" @if offset > 0 { " here" } @else if listing.filter() == Default::default() {
                " yet: files that arrive in the watched folder appear here" } @else { " like that" } "." }
        } @else { (table(&rows)) }
        nav.pages aria-label="Pages" {
            @if offset > 0 { a rel="prev" href=(address(&listing, offset.saturating_sub(STUDIES))) { "Newer" } }
            @if has_more { a rel="next" href=(address(&listing, offset.saturating_add(STUDIES))) { "Older" } }
        }
    };
    Ok(layout("Studies", "/", &person, content))
}

fn filter_form(listing: &Listing) -> Markup {
    html! {
        form.filter method="get" action="/" role="search" {
            label for="text" { "Number, day or UID" }
            input #text type="search" name="text" value=[listing.text.as_deref()] placeholder="2026-11-30";
            label for="progress" { "Show" }
            select #progress name="progress" {
                option value="" { "all" }
                @for progress in StudyProgress::ALL {
                    option value=(progress.as_str()) selected[listing.progress.as_deref() == Some(progress.as_str())] {
                        (progress.as_str().replace('_', " "))
                    }
                }
            }
            button type="submit" { "Search" }
        }
    }
}

fn table(rows: &[StudyRow]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Study" } th scope="col" { "Acquired" } th.number scope="col" { "Files" }
                th.number scope="col" { "Views" } th scope="col" { "Missing" } th.number scope="col" { "Not sure" }
                th.number scope="col" { "Failed" } th scope="col" { "State" }
            } }
            tbody { @for row in rows { tr {
                th scope="row" { a href={ "/study/" (row.number) } { (row.number) } }
                td { (acquired(row.acquired.as_deref())) }
                td.number { (row.files) }
                td.number { (row.views) }
                td { (missing(row)) }
                td.number.mark[row.unsure > 0] { (row.unsure) }
                td.number.mark[row.failed > 0] { (row.failed) }
                td { (state(row)) }
            } } }
        }
    }
}

fn missing(row: &StudyRow) -> Markup {
    html! {
        @match &row.missing_withheld {
            Some(reason) => { span.quiet { (reason) } }
            None => { (row.missing.join(", ")) }
        }
    }
}

fn state(row: &StudyRow) -> String {
    match (row.waiting, row.closed_at) {
        (0, Some(_)) => "closed".to_owned(),
        (0, None) => "open".to_owned(),
        (waiting, _) => format!("{waiting} waiting"),
    }
}

fn address(listing: &Listing, offset: u32) -> String {
    let text = listing.text.as_deref().unwrap_or_default();
    let safe: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.' || *c == '-').collect();
    format!("/?text={safe}&progress={}&offset={offset}", listing.filter().progress.map_or("", StudyProgress::as_str))
}
