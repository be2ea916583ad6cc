//! Questions to the archive.

use std::io::Write;
use std::time::Duration;

use dicom_net::MediaType;
use domain::{SeriesUid, SopUid, StudyUid};
use jiff::civil::Date;
use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::{ArchiveError, part};

/// Studies that are asked for at once.
const PAGE: usize = 100;

/// Longest list that is read: a page of studies, or the objects of a series.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// Time for an answer to begin.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// Time for the body of an answer.
const BODY_TIMEOUT: Duration = Duration::from_secs(3600);

/// Studies that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudyQuery {
    /// Those of a day.
    Day(Date),
    /// Those of an accession number.
    AccessionNumber(String),
}

/// An object of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedObject {
    /// Study Instance UID.
    pub study: StudyUid,
    /// Series Instance UID.
    pub series: SeriesUid,
    /// SOP Instance UID.
    pub sop: SopUid,
}

/// An archive.
pub struct Archive {
    base: String,
    token: Option<String>,
    agent: Agent,
}

impl Archive {
    /// Returns the archive of an address such as `https://pacs.example/dicom-web`.
    pub fn new(base: &str, token: Option<String>) -> Self {
        let agent = Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .timeout_recv_body(Some(BODY_TIMEOUT))
            .http_status_as_error(false)
            .build();
        Self { base: base.trim_end_matches('/').to_owned(), token, agent: agent.into() }
    }

    /// Returns the ultrasound studies of a query.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn studies(&self, query: &StudyQuery) -> Result<Vec<StudyUid>, ArchiveError> {
        let (key, value) = match query {
            StudyQuery::Day(date) => ("StudyDate", date.strftime("%Y%m%d").to_string()),
            StudyQuery::AccessionNumber(number) => ("AccessionNumber", percent_encoded(number)),
        };
        let mut studies: Vec<StudyUid> = Vec::new();
        for page in 0.. {
            let offset = page * PAGE;
            let path = format!("studies?{key}={value}&ModalitiesInStudy=US&limit={PAGE}&offset={offset}");
            let found = self.list(&path)?;
            let known = studies.len();
            for uid in found.iter().filter_map(|study| uid(study, "0020000D")) {
                if !studies.contains(&uid) {
                    studies.push(uid);
                }
            }
            // An archive that does not know `offset` gives the same page again.
            if found.len() < PAGE || studies.len() == known {
                break;
            }
        }
        Ok(studies)
    }

    /// Returns the objects of the ultrasound series of a study.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn objects(&self, study: &StudyUid) -> Result<Vec<ArchivedObject>, ArchiveError> {
        let mut objects = Vec::new();
        for series in self.list(&format!("studies/{study}/series?Modality=US"))? {
            let Some(series) = uid::<SeriesUid>(&series, "0020000E") else { continue };
            for object in self.list(&format!("studies/{study}/series/{series}/instances"))? {
                if let Some(sop) = uid(&object, "00080018") {
                    objects.push(ArchivedObject { study: study.clone(), series: series.clone(), sop });
                }
            }
        }
        Ok(objects)
    }

    /// Copies an object in the transfer syntax that the archive has it in; returns its length.
    ///
    /// # Errors
    /// [`ArchiveError`]; the object is not whole then.
    pub fn copy(&self, object: &ArchivedObject, target: &mut impl Write) -> Result<u64, ArchiveError> {
        let ArchivedObject { study, series, sop } = object;
        let address = format!("{}/studies/{study}/series/{series}/instances/{sop}", self.base);
        let accept = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";
        let mut response = self.get(&address, accept)?;
        let kind = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = MediaType::from_header(kind);
        let mut body = response.body_mut().as_reader();
        match kind.boundary() {
            Some(boundary) => part::copy_first(body, boundary, target),
            None if kind.essence() == "application/dicom" => std::io::copy(&mut body, target),
            None => {
                return Err(ArchiveError::Answer { address, problem: "neither multipart nor DICOM".to_owned() });
            }
        }
        .map_err(|source| ArchiveError::Transfer { address, source })
    }

    fn list(&self, path: &str) -> Result<Vec<Value>, ArchiveError> {
        let address = format!("{}/{path}", self.base);
        let mut response = self.get(&address, "application/dicom+json")?;
        if response.status().as_u16() == 204 {
            return Ok(Vec::new());
        }
        let answer = |problem: String| ArchiveError::Answer { address: address.clone(), problem };
        let bytes = response.body_mut().with_config().limit(MAX_LIST_BYTES).read_to_vec();
        let bytes = bytes.map_err(|error| answer(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| answer(error.to_string()))
    }

    fn get(&self, address: &str, accept: &str) -> Result<Response<Body>, ArchiveError> {
        let mut request = self.agent.get(address).header("Accept", accept);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = request
            .call()
            .map_err(|source| ArchiveError::Connection { address: address.to_owned(), source: Box::new(source) })?;
        match response.status().as_u16() {
            200..=299 => Ok(response),
            status => Err(ArchiveError::Status { address: address.to_owned(), status }),
        }
    }
}

/// Returns the first value of an attribute as a UID; one that is no UID is left out.
fn uid<U: std::str::FromStr>(object: &Value, tag: &str) -> Option<U> {
    object[tag]["Value"][0].as_str()?.parse().ok()
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_cannot_hold_is_encoded() {
        assert_eq!(percent_encoded("A 1/ü"), "A%201%2F%C3%BC");
    }
}
