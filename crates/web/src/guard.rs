//! Who may ask: the host that a browser names, the page that a form comes from, the token.

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::pages::layout;
use crate::session::Person;

/// Name of the cookie that holds the key of a session.
const COOKIE_NAME: &str = "echolabel";
/// Header by which browsers tell where a request comes from.
const FETCH_SITE: &str = "sec-fetch-site";
/// Addresses that anybody may ask for: the way in, and those of monitors.
const OPEN_PATHS: [&str; 6] =
    ["/login", "/assets/style.css", "/assets/page.js", "/assets/icon.svg", "/health/live", "/health/ready"];

/// Refuses what no page of this server asks; sets the headers of every answer.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let bearer =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    let is_program = bearer.is_some_and(|token| app.settings.token.is(token));
    let person = session_key(headers).and_then(|key| app.sessions.person(&key));
    let path = request.uri().path().to_owned();
    let is_change = !matches!(*request.method(), Method::GET | Method::HEAD);
    let response = if !app.settings.hosts.iter().any(|known| known.eq_ignore_ascii_case(&host)) {
        // Another name that leads here is an attack by DNS, or a name that the configuration lacks.
        refusal(StatusCode::MISDIRECTED_REQUEST, "this server is not known by that name: add it to page.hosts")
    } else if is_change && !is_program && !comes_from_here(headers, &host) {
        refusal(StatusCode::FORBIDDEN, "changes are only taken from the pages of this server")
    } else if OPEN_PATHS.contains(&path.as_str()) || is_program || person.is_some() {
        let person = person.unwrap_or_else(|| Person { name: "api".to_owned() });
        request.extensions_mut().insert(person);
        next.run(request).await
    } else if path.starts_with("/api") || path == "/metrics" || is_change {
        refusal(StatusCode::UNAUTHORIZED, "give the token: Authorization: Bearer TOKEN")
    } else {
        (StatusCode::SEE_OTHER, [(LOCATION, "/login")]).into_response()
    };
    with_headers(response)
}

fn refusal(status: StatusCode, words: &str) -> Response {
    (status, layout::message(status, words)).into_response()
}

/// Returns whether a form or script of this server sent the request. Every browser of today sends the first header with
/// forms; older ones send the second.
fn comes_from_here(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text(FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => text(ORIGIN.as_str())
            .and_then(|origin| origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")))
            .is_some_and(|origin| origin.eq_ignore_ascii_case(host)),
    }
}

/// Returns the key of the session that the cookies hold.
pub(crate) fn session_key(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, key)| key.to_owned())
}

/// Returns the header that gives the browser the key of a session, or takes it away.
pub(crate) fn session_cookie(key: Option<&str>) -> [(header::HeaderName, String); 1] {
    let age = if key.is_some() { "" } else { "; Max-Age=0" };
    let key = key.unwrap_or_default();
    [(SET_COOKIE, format!("{COOKIE_NAME}={key}; Path=/; HttpOnly; SameSite=Strict{age}"))]
}

/// Adds what tells a browser to load nothing from elsewhere, to keep nothing, and to be framed by nobody.
fn with_headers(mut response: Response) -> Response {
    const HEADERS: [(&str, &str); 5] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        // `no-referrer` would make browsers send `Origin: null` with the server's own forms.
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
