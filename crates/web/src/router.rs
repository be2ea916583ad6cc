//! The routes: the answer to each address.

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::app::App;
use crate::{PageError, api, assets, frames, guard, loop_facts, metrics, pages};

/// Bytes of a form or a JSON object, at most: a comment is the longest part.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Returns all routes behind the guard.
pub(crate) fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(pages::studies::page))
        .route("/study/{name}", get(pages::study::page))
        .route("/loop/{study}/{number}", get(pages::loop_page::page))
        .route("/loop/{study}/{number}/review", post(pages::review::add))
        .route("/review", get(pages::review::next))
        .route("/review/undo", post(pages::review::undo))
        .route("/jobs", get(pages::jobs::page))
        .route("/jobs/retry", post(pages::jobs::retry))
        .route("/drift", get(pages::drift::page))
        .route("/learn", get(pages::learn::page).post(pages::learn::act))
        .route("/login", get(pages::login::page).post(pages::login::login))
        .route("/logout", post(pages::login::logout));
    let api = Router::new()
        .route("/api/openapi.json", get(api::openapi))
        .route("/api/studies", get(api::studies::list))
        .route("/api/studies/{name}", get(api::studies::one))
        .route("/api/studies/{name}/csv", get(api::downloads::csv))
        .route("/api/studies/{name}/report", get(api::downloads::report))
        .route("/api/loops/{study}/{number}", get(api::loops::one))
        .route("/api/loops/{study}/{number}/header", get(loop_facts::header))
        .route("/api/loops/{study}/{number}/facts", get(loop_facts::facts))
        .route("/api/loops/{study}/{number}/why", get(api::why::why))
        .route("/api/loops/{study}/{number}/frames", get(frames::frames))
        .route("/api/loops/{study}/{number}/reviews", post(api::loops::add_review))
        .route("/api/review-queue", get(api::loops::queue))
        .route("/api/jobs", get(api::jobs::list))
        .route("/api/jobs/retry", post(api::jobs::retry))
        .route("/api/drift", get(api::drift::weeks))
        .route("/api/learning", get(api::learning::state).post(api::learning::act));
    let other = Router::new()
        .route("/assets/style.css", get(assets::style))
        .route("/assets/page.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
        .route("/metrics", get(metrics::metrics))
        .route("/health/live", get(metrics::live))
        .route("/health/ready", get(metrics::ready));
    pages
        .merge(api)
        .merge(other)
        .fallback(|| async { PageError::NotFound("page of that address".to_owned()) })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .with_state(app)
}
