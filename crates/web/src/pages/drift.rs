//! Change from week to week: what comes in, and what the model says of it.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

use super::layout::page as layout;
use super::words::percent;
use crate::PageError;
use crate::api::drift::{DriftWeek, read};
use crate::app::App;
use crate::session::Person;

/// Shows the weeks of each scanner.
pub(crate) async fn page(State(app): State<App>, Extension(person): Extension<Person>) -> Result<Markup, PageError> {
    let weeks = read(&app).await?;
    let content = html! {
        h1 { "Drift" }
        p { "Loops by the week of their arrival and by scanner, over half a year. The population stability index compares a week with "
            "all earlier ones of its scanner, fifty loops on either side at least: over 0.2, something has moved." }
        @if let Some(week) = weeks.first().filter(|week| week.one_in > 1) {
            p.notice { "There are many loops: one in " (week.one_in) " was looked at, drawn at random." }
        }
        @if weeks.is_empty() { p.empty { "No loop has been labelled." } } @else { (table(&weeks)) }
    };
    Ok(layout("Drift", "/drift", &person, content))
}

fn table(weeks: &[DriftWeek]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Weeks" {
            table {
                thead { tr {
                    th scope="col" { "Week of" } th scope="col" { "Scanner" } th.number scope="col" { "Loops" }
                    th.number scope="col" { "Mean confidence" } th.number scope="col" { "Not sure" } th.number scope="col" { "Readers agree" }
                    th scope="col" { "Views" } th.number scope="col" { "Index of views" }
                    th scope="col" { "Beat from" } th.number scope="col" { "Index of beats" } th scope="col" { "" }
                } }
                tbody { @for week in weeks { tr {
                    th scope="row" { (week.week) }
                    td { @if week.scanner.is_empty() { "unknown" } @else { (week.scanner) } }
                    td.number { @if week.one_in > 1 { "about " } (week.loops * week.one_in) }
                    td.number { (percent(week.confidence)) }
                    td.number { (percent(week.abstained)) }
                    td.number { @if week.reviewed > 0 { (week.agreed) " of " (week.reviewed) } }
                    td { (mix(&week.views, week.loops)) }
                    td.number { (index(week.view_stability)) }
                    td { (mix(&week.ecg_sources, week.loops)) }
                    td.number { (index(week.ecg_stability)) }
                    td.mark { @if week.has_moved { "moved" } }
                } } }
            }
        }
    }
}

/// Returns the largest shares.
fn mix(counts: &BTreeMap<String, u64>, loops: u64) -> String {
    const SHOWN: usize = 4;
    let mut counts: Vec<(&String, u64)> = counts.iter().map(|(name, loops)| (name, *loops)).collect();
    counts.sort_by_key(|(_, loops)| std::cmp::Reverse(*loops));
    let text =
        |(name, of): &(&String, u64)| format!("{} {}", name.replace('_', " "), percent(*of as f64 / loops as f64));
    let rest = if counts.len() > SHOWN { ", …" } else { "" };
    counts.iter().take(SHOWN).map(text).collect::<Vec<_>>().join(", ") + rest
}

fn index(index: Option<f64>) -> String {
    index.map_or_else(|| "–".to_owned(), |index| format!("{index:.2}"))
}
