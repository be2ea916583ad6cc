//! STOW-RS: one object a request.

use std::time::Duration;

use domain::{DestinationTls, SecretSource};
use serde_json::Value;
use ureq::Agent;
use ureq::http::StatusCode;

use super::delivery::Delivery;
use super::tls;
use crate::secret;

/// Time for a request and its answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Longest answer that is read: one about one object has a few hundred bytes.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// Referenced SOP Sequence of the objects that were stored (PS3.18 section 10.5.3).
const STORED: &str = "00081199";

/// Failed SOP Sequence.
const FAILED: &str = "00081198";

/// Failure Reason of an item of it.
const FAILURE_REASON: &str = "00081197";

/// A server of studies.
pub struct StowDestination<'a> {
    /// Address of the studies.
    pub url: &'a str,
    /// Bearer token, where it asks for one.
    pub token: Option<&'a SecretSource>,
    /// Encryption with authorities of the lab's own.
    pub tls: Option<&'a DestinationTls>,
}

/// Sends an object.
pub fn send(destination: &StowDestination<'_>, object_uid: &str, object: &[u8]) -> Delivery {
    let StowDestination { url, token, tls } = destination;
    // A file that a person must mend does not refuse the object.
    let (token, tls) = match (token.map(secret::read).transpose(), tls.map(tls::config).transpose()) {
        (Ok(token), Ok(tls)) => (token, tls),
        (Err(problem), _) | (_, Err(problem)) => return Delivery::Later(problem),
    };
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .tls_config(tls.unwrap_or_default())
        .build()
        .into();
    // No object holds its own UID after these letters and two hyphens.
    let boundary = format!("echolabel-{object_uid}");
    let mut request = agent
        .post(*url)
        .header("Content-Type", format!("multipart/related; type=\"application/dicom\"; boundary={boundary}"))
        .header("Accept", "application/dicom+json");
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let head = format!("--{boundary}\r\nContent-Type: application/dicom\r\n\r\n");
    let tail = format!("\r\n--{boundary}--\r\n");
    let body = [head.as_bytes(), object, tail.as_bytes()].concat();
    let mut response = match request.send(&body[..]) {
        Ok(response) => response,
        Err(error) => return Delivery::Later(error.to_string()),
    };
    let status = response.status();
    // A server may answer with XML or nothing: then the status alone counts.
    let answer = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec().unwrap_or_default();
    judge(status, &serde_json::from_slice(&answer).unwrap_or_default(), object_uid)
}

/// Sorts an answer. A server that says "OK" and names the object as failed, or names others only, has not stored it.
fn judge(status: StatusCode, answer: &Value, object_uid: &str) -> Delivery {
    // Google's and other servers answer with a list of one.
    let answer = answer.get(0).unwrap_or(answer);
    let items = |sequence: &str| answer[sequence]["Value"].as_array().cloned().unwrap_or_default();
    let reason = items(FAILED).first().and_then(|item| item[FAILURE_REASON]["Value"][0].as_u64());
    let said = match reason {
        Some(reason) => format!("HTTP {}, failure reason {reason:04X}", status.as_u16()),
        None => format!("HTTP {}", status.as_u16()),
    };
    let is_stored = items(STORED).iter().any(|item| item["00081155"]["Value"][0] == object_uid);
    let is_silent = items(STORED).is_empty() && items(FAILED).is_empty();
    match (status.as_u16(), reason) {
        (200..=299, _) if is_stored || is_silent => Delivery::Sent(said),
        // Out of resources, or cannot understand now: a study may be locked while it is reported.
        (200..=299 | 409, Some(0xA700..=0xA7FF | 0xC000..=0xCFFF)) => Delivery::Later(said),
        // The token or the address is wrong, which a person mends in the configuration, or the server is in trouble.
        (401 | 403 | 404 | 408 | 429 | 500..=599, _) => Delivery::Later(said),
        _ => Delivery::Refused(said),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(status: u16, answer: Value) -> Delivery {
        judge(StatusCode::from_u16(status).unwrap(), &answer, "1.2.3")
    }

    fn sequence(tag: &str, uid: &str, reason: Option<u64>) -> Value {
        json!({ tag: { "vr": "SQ", "Value": [{
            "00081155": { "vr": "UI", "Value": [uid] },
            "00081197": { "vr": "US", "Value": reason.map(|reason| vec![reason]) },
        }]}})
    }

    #[test]
    fn answers_are_sorted() {
        assert!(matches!(of(200, Value::Null), Delivery::Sent(_)));
        assert!(matches!(of(200, sequence(STORED, "1.2.3", None)), Delivery::Sent(_)));
        assert!(matches!(of(200, json!([sequence(STORED, "1.2.3", None)])), Delivery::Sent(_)));
        assert!(matches!(of(200, sequence(STORED, "1.2.4", None)), Delivery::Refused(_)));
        assert!(matches!(of(202, sequence(FAILED, "1.2.3", Some(0xA700))), Delivery::Later(_)));
        assert!(matches!(of(409, sequence(FAILED, "1.2.3", Some(0xC122))), Delivery::Later(_)));
        assert_eq!(
            of(409, sequence(FAILED, "1.2.3", Some(0x0122))),
            Delivery::Refused("HTTP 409, failure reason 0122".to_owned())
        );
        assert!(matches!(of(503, Value::Null), Delivery::Later(_)));
        assert!(matches!(of(401, Value::Null), Delivery::Later(_)));
        assert!(matches!(of(415, Value::Null), Delivery::Refused(_)));
    }
}
