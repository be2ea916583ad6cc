//! The head of a request: what is to be stored, and in which form it comes.

use domain::StudyUid;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::answer::Answer;
use super::part::DICOM;
use crate::MediaType;

/// Addresses begin with this, as those of other servers mostly do.
const ROOT: &str = "/dicom-web/studies";

/// A request that can be served.
#[derive(Debug)]
pub(super) struct Wanted {
    pub boundary: String,
    /// The study that all objects must be of; any where it is not given.
    pub study: Option<StudyUid>,
}

/// Reads the head of a request.
///
/// # Errors
/// The answer to a request that cannot be served.
pub(super) fn wanted(head: &Parts) -> Result<Wanted, Answer> {
    let refused = |status, words| Err(Answer::refused(status, words));
    let study = match head.uri.path().strip_prefix(ROOT) {
        None => return refused(StatusCode::NOT_FOUND, "objects are stored at /dicom-web/studies"),
        Some("" | "/") => None,
        Some(rest) => {
            let text = rest.strip_prefix('/').unwrap_or_default().trim_end_matches('/');
            match text.parse() {
                Ok(study) if rest.starts_with('/') => Some(study),
                _ => return refused(StatusCode::NOT_FOUND, "the address names no Study Instance UID"),
            }
        }
    };
    if head.method != Method::POST {
        let answer = Answer::refused(StatusCode::METHOD_NOT_ALLOWED, "objects are only stored here: POST");
        return Err(answer.with_header(ALLOW, HeaderValue::from_static("POST")));
    }
    let kind = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = MediaType::from_header(kind);
    let is_dicom = kind.parameter("type").is_none_or(|part| part.eq_ignore_ascii_case(DICOM));
    if kind.essence() != "multipart/related" || !is_dicom {
        let words = "the body must be multipart/related; type=\"application/dicom\"";
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, words);
    }
    match kind.boundary() {
        Some(boundary) => Ok(Wanted { boundary: boundary.to_owned(), study }),
        None => refused(StatusCode::BAD_REQUEST, "the media type names no boundary"),
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn status(method: &str, path: &str, kind: &str) -> Result<Option<String>, u16> {
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, kind).body(()).unwrap();
        match wanted(&request.into_parts().0) {
            Ok(wanted) => Ok(wanted.study.map(|study| study.to_string())),
            Err(answer) => Err(answer.into_response().status().as_u16()),
        }
    }

    #[test]
    fn requests_are_sorted_by_their_heads() {
        const KIND: &str = "multipart/related; type=\"application/dicom\"; boundary=x";
        assert_eq!(status("POST", "/dicom-web/studies", KIND), Ok(None));
        assert_eq!(status("POST", "/dicom-web/studies/?a=b", KIND), Ok(None));
        assert_eq!(status("POST", "/dicom-web/studies/1.2.3", KIND), Ok(Some("1.2.3".to_owned())));
        for (method, path, kind, expected) in [
            ("GET", "/dicom-web/studies", KIND, 405),
            ("POST", "/", KIND, 404),
            ("POST", "/dicom-web/studies1.2", KIND, 404),
            ("POST", "/dicom-web/studies/..%2f..", KIND, 404),
            ("POST", "/dicom-web/studies/1.2/series", KIND, 404),
            ("POST", "/dicom-web/studies", "application/dicom", 415),
            ("POST", "/dicom-web/studies", "multipart/related; type=\"application/dicom+json\"; boundary=x", 415),
            ("POST", "/dicom-web/studies", "multipart/form-data; boundary=x", 415),
            ("POST", "/dicom-web/studies", "multipart/related; type=\"application/dicom\"", 400),
        ] {
            assert_eq!(status(method, path, kind), Err(expected), "{method} {path} {kind}");
        }
    }
}
