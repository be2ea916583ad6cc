//! Reviews: the form, what it sends, and the next loop that waits.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Form};
use domain::Prediction;
use evaluate::agreement::reader_kappa;
use evaluate::agreement_over_time::dozens;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use store::{ReadingProgress, Review, ReviewQueue, ReviewRole};

use super::layout::page as layout;
use crate::PageError;
use crate::app::App;
use crate::loop_record::LoopRecord;
use crate::names::LoopAddress;
use crate::reviewing::{MAX_COMMENT_BYTES, Origin, Verdict, record};
use crate::session::Person;

/// Keys of the views, in the order of the label set; `n`, `s`, `u`, `m` have meanings of their own.
const VIEW_KEYS: [&str; 32] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "q", "w", "e", "r", "t", "y", "i", "o", "p", "a", "d", "f", "g",
    "h", "j", "k", "l", "z", "x", "c", "v", "b",
];

/// The form of a review.
#[derive(Debug, Deserialize)]
pub(crate) struct ReviewForm {
    /// `view:NAME`, `none` or `not_sure`.
    verdict: String,
    comment: Option<String>,
    queue: Option<String>,
}

/// Returns the form: a button a view, each with its key; and what the person has read before.
pub(crate) fn form(
    record: &LoopRecord,
    queue: Option<ReviewQueue>,
    said: Option<&Prediction>,
    progress: &ReadingProgress,
) -> Markup {
    let proposed = said.and_then(|said| said.view.as_deref());
    let keys = VIEW_KEYS.iter().map(Some).chain(std::iter::repeat(None));
    html! {
        form.review method="post" action={ "/loop/" (record.name) "/review" } {
            // The first button is pressed by the Enter key in the comment, and would be a verdict.
            button type="submit" disabled hidden {}
            @if let Some(queue) = queue { input type="hidden" name="queue" value=(queue.as_str()); }
            fieldset {
                legend { "Which view is it?" }
                @for (view, key) in record.label_set.iter().zip(keys) {
                    button.proposed[proposed == Some(view)] type="submit" name="verdict" value={ "view:" (view) }
                        data-key=[key] { (view) @if let Some(key) = key { " " kbd { (key) } } }
                }
                button type="submit" name="verdict" value="none" data-key="n" { "No view " kbd { "n" } }
                button type="submit" name="verdict" value="not_sure" data-key="s" { "Not sure " kbd { "s" } }
            }
            p.comment {
                label for="comment" { "Comment, without a patient's name" }
                input #comment type="text" name="comment" maxlength=(MAX_COMMENT_BYTES) autocomplete="off";
            }
        }
        @if let Some((name, last)) = &progress.last {
            form.progress method="post" action="/review/undo" {
                @if let Some(queue) = queue { input type="hidden" name="queue" value=(queue.as_str()); }
                span role="status" { "Your last review: " (name) " " strong { (words(last)) } " · " (progress.read) " in the last 12 hours" }
                button type="submit" data-key="u" { "Take it back " kbd { "u" } }
            }
        }
    }
}

/// Returns the verdict of a review in words.
pub(crate) fn words(review: &Review) -> &str {
    match &review.view {
        Some(view) => view,
        None if review.not_sure => "not sure",
        None => "no view",
    }
}

/// Keeps the review of a form and goes on to the next loop.
pub(crate) async fn add(
    State(app): State<App>,
    Extension(person): Extension<Person>,
    Path(address): Path<LoopAddress>,
    Form(form): Form<ReviewForm>,
) -> Result<Redirect, PageError> {
    let verdict = match form.verdict.as_str() {
        "none" => Verdict::NoView,
        "not_sure" => Verdict::NotSure,
        other => match other.strip_prefix("view:") {
            Some(view) => Verdict::View(view.to_owned()),
            None => return Err(PageError::Invalid("the form names no verdict".to_owned())),
        },
    };
    let queue = form.queue.as_deref().and_then(ReviewQueue::from_name);
    let role = match queue {
        Some(ReviewQueue::Second) => ReviewRole::SecondReader,
        Some(ReviewQueue::Adjudication) => ReviewRole::Adjudicator,
        Some(ReviewQueue::First) | None => ReviewRole::Reader,
    };
    let named = app.stores.named_loop(address).await?;
    record(&app, &named, verdict, role, person.name, form.comment).await?;
    Ok(Redirect::to(&match queue {
        Some(queue) => format!("/review?queue={queue}"),
        None => format!("/loop/{}", address.name()),
    }))
}

/// Goes to the next loop of a queue, or says that none waits.
pub(crate) async fn next(
    State(app): State<App>,
    Extension(person): Extension<Person>,
    Query(origin): Query<Origin>,
) -> Result<Response, PageError> {
    let Some(queue) = origin.queue.as_deref().and_then(ReviewQueue::from_name) else {
        return Ok(overview(&app, &person, None).await?.into_response());
    };
    let name = person.name.clone();
    let tasks = app.stores.read(move |store| store.review_queue(queue, &name, 1)).await?;
    Ok(match tasks.first() {
        Some(task) => Redirect::to(&format!("/loop/{}?queue={queue}", task.name)).into_response(),
        None => overview(&app, &person, Some(queue)).await?.into_response(),
    })
}

/// Shows the queues and how well readers agree; `read` is the queue whose last loop was just read.
async fn overview(app: &App, person: &Person, read: Option<ReviewQueue>) -> Result<Markup, PageError> {
    const LISTED: u32 = 20;
    let name = person.name.clone();
    let (queues, pairs, agreed) = app
        .stores
        .read(move |store| {
            let queues: Vec<_> = ReviewQueue::ALL
                .iter()
                .map(|queue| Ok((*queue, store.review_queue(*queue, &name, LISTED)?)))
                .collect::<Result<_, store::StoreError>>()?;
            Ok((queues, store.paired_reviews()?, store.agreement_over_time()?))
        })
        .await?;
    let content = html! {
        h1 { "Review" }
        @if let Some(queue) = read { p.notice role="status" { "Nothing waits any more in the list \u{201c}" (title(queue)) "\u{201d}." } }
        @for (queue, tasks) in &queues {
            section {
                h2 { (title(*queue)) }
                @if tasks.is_empty() { p.empty { "Nothing waits." } } @else {
                    p { a.go href={ "/review?queue=" (queue) } { "Start reading" } }
                    ul { @for task in tasks {
                        li { a href={ "/loop/" (task.name) "?queue=" (queue) } { (task.name) } " " (task.reason) }
                    } }
                }
            }
        }
        (progress(&agreed))
        section {
            h2 { "Agreement of two readers" }
            @match reader_kappa(&pairs) {
                Some(kappa) => { p { "Cohen's kappa " (format!("{kappa:.2}")) " on " (pairs.len()) " loops." } }
                None => { p.empty { "No two readers have read enough loops with different views." } }
            }
        }
    };
    Ok(layout("Review", "/review", person, content))
}

/// Shows how often the model had said what the reader said, over the last dozens of reviews.
fn progress(agreed: &[bool]) -> Markup {
    const SHOWN: usize = 8;
    let dozens = dozens(agreed);
    html! {
        section {
            h2 { "Agreement of the model with readers" }
            @if dozens.is_empty() { p.empty { "No loop has been read yet." } } @else {
                p { "Each row is a dozen of reviews, the newest last. The list asks for loops that the model finds hard, so that it "
                    "agrees with fewer of them than of all." }
                table.narrow {
                    thead { tr { th scope="col" { "Reviews" } th scope="col" { "Model agreed with" } } }
                    tbody { @for dozen in &dozens[dozens.len().saturating_sub(SHOWN)..] { tr {
                        th scope="row" { (dozen.first) " to " (dozen.first + dozen.loops - 1) }
                        td { (dozen.agreed) " of " (dozen.loops) }
                    } } }
                }
            }
        }
    }
}

fn title(queue: ReviewQueue) -> &'static str {
    match queue {
        ReviewQueue::First => "To read: what teaches most comes first",
        ReviewQueue::Second => "To read a second time, blind",
        ReviewQueue::Adjudication => "Two readers differ",
    }
}

/// Takes the person's last review back and shows its loop again.
pub(crate) async fn undo(
    State(app): State<App>,
    Extension(person): Extension<Person>,
    Form(origin): Form<Origin>,
) -> Result<Redirect, PageError> {
    let name = person.name;
    let withdrawn = app
        .stores
        .write(move |store| {
            let Some(review) = store.withdraw_last_review(&name, Timestamp::now())? else { return Ok(None) };
            let Some(known) = store.known_loop(&review.sop_instance_uid)? else { return Ok(None) };
            let number = store
                .numbered_loops(&known.study_instance_uid)?
                .iter()
                .position(|sop| *sop == review.sop_instance_uid)
                .map_or(0, |index| index + 1);
            Ok(Some((store.inventory(&known.study_instance_uid)?.number, number)))
        })
        .await?;
    let queue = origin.queue.as_deref().and_then(ReviewQueue::from_name);
    Ok(Redirect::to(&match (withdrawn, queue) {
        (Some((study, number)), Some(queue)) => format!("/loop/{study}/{number}?queue={queue}"),
        (Some((study, number)), None) => format!("/loop/{study}/{number}"),
        (None, _) => "/review".to_owned(),
    }))
}
