//! Answers: a status of HTTP and the objects by name, as DICOM JSON (PS3.18 section 10.5.3).

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::store::{Named, Outcome};
use crate::error::NetError;

/// Attributes of the answer.
mod tag {
    pub const SOP_CLASS: &str = "00081150";
    pub const SOP_INSTANCE: &str = "00081155";
    pub const RETRIEVE_URL: &str = "00081190";
    pub const FAILURE_REASON: &str = "00081197";
    pub const FAILED_OBJECTS: &str = "00081198";
    pub const STORED_OBJECTS: &str = "00081199";
    pub const OTHER_FAILURES: &str = "0008119A";
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Words(&'static str),
    Objects(Value),
}

impl Answer {
    /// Returns the answer to a request of which nothing was taken.
    pub fn refused(status: StatusCode, words: &'static str) -> Self {
        Self { status, headers: Vec::new(), body: Body::Words(words) }
    }

    pub fn unauthorized() -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, "no sender has this token, certificate and address")
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// Returns the answer where a limit is reached.
    pub fn busy(words: &'static str) -> Self {
        Self::refused(StatusCode::SERVICE_UNAVAILABLE, words).with_header(RETRY_AFTER, HeaderValue::from_static("10"))
    }

    /// Returns the answer that names every object.
    pub fn of_objects(status: StatusCode, outcome: &Outcome) -> Self {
        Self { status, headers: Vec::new(), body: Body::Objects(objects(outcome)) }
    }

    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Returns the words of a refusal.
    pub const fn words(&self) -> &'static str {
        match self.body {
            Body::Words(words) => words,
            Body::Objects(_) => "",
        }
    }

    pub fn into_response(self) -> Response<Full<Bytes>> {
        let (kind, body) = match self.body {
            Body::Words(words) => ("text/plain; charset=utf-8", format!("{words}\n")),
            Body::Objects(objects) => ("application/dicom+json", objects.to_string()),
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().extend(self.headers);
        response
    }
}

/// Returns the status of a request whose objects were taken, to its end or until trouble.
pub(super) fn status(outcome: &Outcome, trouble: Option<&NetError>) -> StatusCode {
    match trouble {
        Some(NetError::Idle | NetError::TooSlow) => return StatusCode::REQUEST_TIMEOUT,
        Some(NetError::Stopping) => return StatusCode::SERVICE_UNAVAILABLE,
        Some(_) => return StatusCode::BAD_REQUEST,
        None => {}
    }
    let reasons = || outcome.failed.iter().map(|(_, reason)| reason).chain(&outcome.nameless);
    match (outcome.stored.is_empty(), reasons().next().is_none()) {
        (true, true) => StatusCode::BAD_REQUEST,
        (false, true) => StatusCode::OK,
        (false, false) => StatusCode::ACCEPTED,
        (true, false) if reasons().all(|reason| reason & 0xFF00 == 0xA700) => StatusCode::INSUFFICIENT_STORAGE,
        (true, false) => StatusCode::CONFLICT,
    }
}

fn objects(outcome: &Outcome) -> Value {
    let stored = outcome.stored.iter().map(named).collect();
    let failed = outcome.failed.iter().map(|(object, reason)| {
        let mut item = named(object);
        item[tag::FAILURE_REASON] = failure(*reason);
        item
    });
    let mut answer = json!({
        // Nothing can be retrieved here, so it is empty.
        tag::RETRIEVE_URL: { "vr": "UR" },
        tag::FAILED_OBJECTS: sequence(failed.collect()),
        tag::STORED_OBJECTS: sequence(stored),
    });
    if !outcome.nameless.is_empty() {
        let others = outcome.nameless.iter().map(|reason| json!({ tag::FAILURE_REASON: failure(*reason) }));
        answer[tag::OTHER_FAILURES] = sequence(others.collect());
    }
    answer
}

fn named(object: &Named) -> Value {
    json!({
        tag::SOP_CLASS: { "vr": "UI", "Value": [object.sop_class] },
        tag::SOP_INSTANCE: { "vr": "UI", "Value": [object.sop] },
    })
}

fn failure(reason: u16) -> Value {
    json!({ "vr": "US", "Value": [reason] })
}

/// Returns a sequence; an empty one has no value.
fn sequence(items: Vec<Value>) -> Value {
    if items.is_empty() { json!({ "vr": "SQ" }) } else { json!({ "vr": "SQ", "Value": items }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(sop: &str) -> Named {
        Named { sop_class: "1.2.840.10008.5.1.4.1.1.3.1".into(), sop: sop.into() }
    }

    #[test]
    fn the_status_says_how_many_were_stored() {
        let outcome = |stored: usize, reasons: &[u16], nameless: &[u16]| Outcome {
            stored: vec![named("1.2"); stored],
            failed: reasons.iter().map(|reason| (named("1.3"), *reason)).collect(),
            nameless: nameless.to_vec(),
        };
        for (outcome, expected) in [
            (outcome(2, &[], &[]), 200),
            (outcome(1, &[0xA900], &[]), 202),
            (outcome(1, &[], &[0xC000]), 202),
            (outcome(0, &[0xA900, 0xA700], &[]), 409),
            (outcome(0, &[0xA700], &[]), 507),
            (outcome(0, &[], &[]), 400),
        ] {
            assert_eq!(status(&outcome, None).as_u16(), expected, "{outcome:?}");
        }
        assert_eq!(status(&outcome(1, &[], &[]), Some(&NetError::Closed)).as_u16(), 400);
        assert_eq!(status(&outcome(1, &[], &[]), Some(&NetError::Idle)).as_u16(), 408);
    }

    #[test]
    fn objects_are_named_with_their_reasons() {
        let outcome =
            Outcome { stored: vec![named("1.2")], failed: vec![(named("1.3"), 0xA900)], nameless: vec![0xC000] };
        let answer = objects(&outcome);
        assert_eq!(answer["00081199"]["Value"][0]["00081155"]["Value"][0], "1.2");
        assert_eq!(answer["00081198"]["Value"][0]["00081155"]["Value"][0], "1.3");
        assert_eq!(answer["00081198"]["Value"][0]["00081197"]["Value"][0], 0xA900);
        assert_eq!(answer["0008119A"]["Value"][0]["00081197"]["Value"][0], 0xC000);
        let all_well = objects(&Outcome { stored: vec![named("1.2")], ..Outcome::default() });
        assert_eq!((all_well["00081198"].get("Value"), all_well.get("0008119A")), (None, None));
    }
}
