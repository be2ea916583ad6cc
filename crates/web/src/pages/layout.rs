//! The frame of every page.

use axum::http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use crate::session::Person;

/// Places that every page leads to.
const PLACES: [(&str, &str); 5] =
    [("/", "Studies"), ("/review", "Review"), ("/learn", "Learn"), ("/drift", "Drift"), ("/jobs", "Jobs")];

/// Returns a page of a person who is logged in; `place` is the address of the one that it belongs to.
pub(crate) fn page(title: &str, place: &str, person: &Person, content: Markup) -> Markup {
    let navigation = html! {
        nav aria-label="Main" {
            @for (address, name) in PLACES {
                a href=(address) aria-current=[(address == place).then_some("page")] { (name) }
            }
        }
        form.person method="post" action="/logout" {
            span { (person.name) }
            button type="submit" { "Log out" }
        }
    };
    document(title, navigation, content)
}

/// Returns a page of nobody: the way in, or a refusal.
pub(crate) fn document(title: &str, navigation: Markup, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – echolabel" }
                link rel="stylesheet" href="/assets/style.css";
                link rel="icon" type="image/svg+xml" href="/assets/icon.svg";
                script defer src="/assets/page.js" {}
            }
            body {
                a.skip href="#content" { "Skip to content" }
                header { a.brand href="/" { "echolabel" } (navigation) }
                main #content tabindex="-1" { (content) }
            }
        }
    }
}

/// Returns a page that says why a request was refused.
pub(crate) fn message(status: StatusCode, words: &str) -> Markup {
    let title = status.canonical_reason().unwrap_or("Refused");
    document(title, html! {}, html! { h1 { (title) } p { (words) "." } p { a href="/" { "To the studies" } } })
}
