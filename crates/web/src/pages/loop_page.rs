//! A loop: it plays, with what the model said and the form of a review.

use axum::Extension;
use axum::extract::{Path, Query, State};
use domain::Prediction;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use store::{Review, ReviewQueue, ReviewRole, latest_reviews};

use super::layout::page as layout;
use super::review::{form, words};
use super::words::{acquired, percent};
use crate::PageError;
use crate::app::App;
use crate::loop_record::LoopRecord;
use crate::names::LoopAddress;
use crate::reviewing::Origin;
use crate::session::Person;

/// Time within which reviews are counted as one sitting.
const MAX_SITTING: SignedDuration = SignedDuration::from_hours(12);

/// Shows a loop.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(person): Extension<Person>,
    Path(address): Path<LoopAddress>,
    Query(origin): Query<Origin>,
) -> Result<Markup, PageError> {
    let record = LoopRecord::read(&app, address).await?;
    let queue = origin.queue.as_deref().and_then(ReviewQueue::from_name);
    // A second reader who saw the first answer would only agree with it.
    let is_blind = queue == Some(ReviewQueue::Second);
    let facts = &record.stored.facts;
    let said = record.predictions.last().map(|stored| &stored.prediction);
    let reader = person.name.clone();
    let since = Timestamp::now() - MAX_SITTING;
    let progress = app.stores.read(move |store| store.reading_progress(&reader, since)).await?;
    let content = html! {
        div.title {
            h1 { "Loop " (address.number) " of study " (address.study) }
            p.quiet { a href={ "/study/" (address.study) } { "Study " (address.study) } " · "
                (acquired(facts.acquired.as_deref())) " · " (facts.mode) " · " (facts.frames.unwrap_or_default()) " frames" }
            @if queue.is_none() { (neighbors(address, record.loops)) }
        }
        div.reader {
            section.stage aria-label="Player" { (player(&record.name)) }
            section.panel aria-label="Reading" {
                @if let Some(words) = queue.and_then(|queue| why_asked(queue, &record)) { p.quiet { (words) } }
                @if !is_blind && let Some(said) = said { (heading(said)) }
                (form(&record, queue, said.filter(|_| !is_blind), &progress))
                @if !is_blind {
                    @if let Some(said) = said { (answer(said)) }
                    @else if let Some(reason) = &record.stored.skip_reason { p { "No model was asked: " (reason) "." } }
                    (history(&record.reviews))
                }
            }
        }
    };
    Ok(layout(&format!("Loop {}", record.name), if queue.is_some() { "/review" } else { "/" }, &person, content))
}

/// Leads to the loops before and after this one.
fn neighbors(address: LoopAddress, loops: usize) -> Markup {
    let to = |number| format!("/loop/{}/{number}", address.study);
    html! {
        nav.pages aria-label="Loops of the study" {
            @if address.number > 1 { a rel="prev" data-key="[" href=(to(address.number - 1)) { "Loop before " kbd { "[" } } }
            @if address.number < loops { a rel="next" data-key="]" href=(to(address.number + 1)) { "Next loop " kbd { "]" } } }
        }
    }
}

/// Says why the queue asks for a loop, where the model's answer does not.
fn why_asked(queue: ReviewQueue, record: &LoopRecord) -> Option<&'static str> {
    let mut views = record.predictions.iter().map(|stored| &stored.prediction.view);
    let last = &record.predictions.last()?.prediction;
    match queue {
        ReviewQueue::First if views.any(|view| *view != last.view) => Some("Asked because two models differ."),
        ReviewQueue::First if last.view.is_some() && last.prediction_set.len() < 2 => {
            Some("Drawn at random from those that the model was sure of.")
        }
        ReviewQueue::First => None,
        ReviewQueue::Second => Some("Read once. What the model and the first reader said is hidden."),
        ReviewQueue::Adjudication => Some("Two readers differ: what you say counts."),
    }
}

fn player(name: &str) -> Markup {
    html! {
        div.player data-loop=(name) {
            div.screen {
                canvas.image width="640" height="480" role="img" aria-label="The loop" {}
                canvas.marks width="640" height="480" aria-hidden="true" {}
            }
            canvas.timeline width="640" height="48" role="img" aria-label="Time line with R peaks and sampled frames" {}
            p.controls {
                button type="button" data-action="play" { "Play/pause " kbd { "space" } }
                button type="button" data-action="back" { "Back " kbd { "←" } }
                button type="button" data-action="forward" { "Forward " kbd { "→" } }
                button type="button" data-action="beat-back" { "Beat back " kbd { "," } }
                button type="button" data-action="beat-forward" { "Beat forward " kbd { "." } }
                button type="button" data-action="slower" { "Slower " kbd { "-" } }
                button type="button" data-action="faster" { "Faster " kbd { "+" } }
                label { input type="checkbox" data-action="marks" checked; " marks " kbd { "m" } }
            }
            p.status role="status" aria-live="off" { "loading" }
        }
    }
}

fn heading(said: &Prediction) -> Markup {
    html! {
        h2 { "The model: " @match &said.view {
            Some(view) => { (view) " " (percent(said.confidence)) }
            None => { "not sure" }
        } }
        @if let Some(reason) = &said.reason { p { (reason) } }
    }
}

fn answer(said: &Prediction) -> Markup {
    let mut views: Vec<(&String, &f64)> = said.probabilities.iter().collect();
    views.sort_by(|a, b| b.1.total_cmp(a.1));
    html! {
        table.bars {
            caption { "Probability of each view" }
            tbody { @for (view, probability) in views { tr.in-set[said.prediction_set.contains(view)] {
                th scope="row" { (view) }
                td { meter min="0" max="1" value=(probability) { (percent(*probability)) } }
                td.number { (percent(*probability)) }
            } } }
        }
        @if said.prediction_set.len() > 1 { p { "It may show: " (said.prediction_set.join(", ")) "." } }
        section.why aria-label="Why" {
            button type="button" data-why="true" data-key="?" { "Why? Show what the answer rests on " kbd { "?" } }
            p.why-words role="status" {}
            table.why-frames hidden {
                caption { "Frames of the first clip: loss of log odds where a frame is blank" }
                tbody {}
            }
        }
        details {
            summary { "How the answer came about" }
            dl {
                dt { "Beat from" } dd { (said.ecg_source) }
                dt { "Frames" } dd { (said.frames_used) " in " (said.clips) " clips" }
                dt { "Model" } dd { (said.model.pipeline) @if let Some(precision) = said.model.precision { ", " (precision) } }
                @if let Some(status) = said.weights_status { dt { "Weights" } dd { (status) @if let Some(note) = &said.weights_note { ": " (note) } } }
                dt { "Weights' digest" } dd.digest { (said.model.weights_sha256) }
                @if let Some(digest) = &said.model.pipeline_sha256 { dt { "Pipeline's digest" } dd.digest { (digest) } }
            }
            @if !said.findings.is_empty() {
                ul { @for finding in &said.findings { li { code { (finding.code) } " " (finding.message) } } }
            }
        }
    }
}

fn history(reviews: &[Review]) -> Markup {
    let deciding = latest_reviews(reviews).into_values().next();
    html! {
        @if !reviews.is_empty() {
            h2 { "Reviews" }
            ul.history { @for review in reviews { li.withdrawn[review.withdrawn_at.is_some()] {
                strong { (words(review)) } " by " (review.reviewer)
                @if review.role != ReviewRole::Reader { " (" (review.role.as_str().replace('_', " ")) ")" }
                " · " (format!("{:.0}", review.created_at))
                @if let Some(comment) = &review.comment { " · " (comment) }
                @if review.withdrawn_at.is_some() { " · taken back" }
                @else if deciding == Some(review) { " · counts" }
            } } }
        }
    }
}
