//! The way in and out.

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::document;
use crate::PageError;
use crate::app::App;
use crate::guard::{session_cookie, session_key};
use crate::session::Person;

/// Longest name of a person, in bytes.
const MAX_NAME_BYTES: usize = 80;

/// The form.
#[derive(Deserialize)]
pub(crate) struct Login {
    token: String,
    name: String,
}

/// Shows the form.
pub(crate) async fn page(State(app): State<App>) -> Markup {
    form(&app.settings.reviewers, None)
}

fn form(reviewers: &[String], refusal: Option<&str>) -> Markup {
    let content = html! {
        h1 { "Log in" }
        @if let Some(words) = refusal { p.problem role="alert" { (words) } }
        form.login method="post" action="/login" {
            label for="token" { "Token" }
            input #token type="password" name="token" required autocomplete="current-password" autofocus;
            p.hint { "It stands where the program was started, and in its token file." }
            label for="name" { "Your name, kept with your reviews" }
            @if reviewers.is_empty() {
                input #name type="text" name="name" required maxlength=(MAX_NAME_BYTES) autocomplete="nickname";
            } @else {
                select #name name="name" required {
                    @for name in reviewers { option value=(name) { (name) } }
                }
            }
            button type="submit" { "Log in" }
        }
    };
    document("Log in", html! {}, content)
}

/// Begins a session.
pub(crate) async fn login(State(app): State<App>, Form(login): Form<Login>) -> Result<Response, PageError> {
    let reviewers = &app.settings.reviewers;
    let name = login.name.trim().to_owned();
    let is_name = match reviewers.is_empty() {
        true => !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.contains(char::is_control),
        false => reviewers.contains(&name),
    };
    if !app.settings.token.is(&login.token) {
        let words = "That is not the token of this server.";
        return Ok((StatusCode::UNAUTHORIZED, form(reviewers, Some(words))).into_response());
    }
    if !is_name {
        let words = "Give a name of at most 80 characters, one of the list where there is one.";
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, form(reviewers, Some(words))).into_response());
    }
    let key = app.sessions.begin(Person { name }).map_err(|_| PageError::Stopped)?;
    Ok((session_cookie(Some(&key)), Redirect::to("/")).into_response())
}

/// Ends the session.
pub(crate) async fn logout(State(app): State<App>, headers: HeaderMap) -> impl IntoResponse {
    if let Some(key) = session_key(&headers) {
        app.sessions.end(&key);
    }
    (session_cookie(None), Redirect::to("/login"))
}
