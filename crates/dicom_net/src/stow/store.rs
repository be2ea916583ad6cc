//! The objects of a request, from the connection to the disk.

use domain::StudyUid;

use super::body::RequestBody;
use super::part::{Ended, Part};
use crate::error::NetError;
use crate::host::ReceiveEvent;
use crate::intake::Intake;
use crate::multipart::{MultipartParser, PartEvent};
use crate::status::Refusal;

/// Objects of a request, at most: all are named in the answer.
const MAX_OBJECTS: usize = 10_000;

/// An object as the answer names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub sop_class: String,
    pub sop: String,
}

/// Everything that became of the objects of a request.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub stored: Vec<Named>,
    /// Objects that were not stored, each with its failure reason.
    pub failed: Vec<(Named, u16)>,
    /// Failure reasons of parts that name no object.
    pub nameless: Vec<u16>,
}

/// Receives all parts of a body. What was stored before an error stays, and the answer names it.
pub(super) async fn receive(
    intake: &Intake,
    peer: &str,
    study: Option<&StudyUid>,
    boundary: &str,
    body: &mut RequestBody,
) -> (Outcome, Option<NetError>) {
    let mut outcome = Outcome::default();
    let ended = receive_parts(intake, peer, study, boundary, body, &mut outcome).await;
    (outcome, ended.err())
}

async fn receive_parts(
    intake: &Intake,
    peer: &str,
    study: Option<&StudyUid>,
    boundary: &str,
    body: &mut RequestBody,
    outcome: &mut Outcome,
) -> Result<(), NetError> {
    let mut parser = MultipartParser::new(boundary);
    let mut part = None;
    loop {
        match parser.next_event().map_err(|error| NetError::Protocol(error.to_string()))? {
            Some(PartEvent::Start { content_type }) => {
                if outcome.stored.len() + outcome.refused() == MAX_OBJECTS {
                    return Err(NetError::Protocol(format!("more than {MAX_OBJECTS} objects in one request")));
                }
                part = Some(Part::new(intake, content_type.as_deref()));
            }
            Some(PartEvent::Content(bytes)) => {
                if let Some(part) = &mut part {
                    part.write(intake, &bytes)?;
                }
            }
            Some(PartEvent::End) => {
                if let Some(part) = part.take() {
                    outcome.add(intake, peer, part.finish(intake, study)?);
                }
            }
            Some(PartEvent::Finished) => return Ok(()),
            None => match body.next().await? {
                Some(bytes) => parser.push(&bytes),
                None => return Err(NetError::Closed),
            },
        }
    }
}

impl Outcome {
    /// Returns the number of objects that were not stored.
    pub fn refused(&self) -> usize {
        self.failed.len() + self.nameless.len()
    }

    /// Adds an object, and tells of it.
    fn add(&mut self, intake: &Intake, peer: &str, Ended { kind, outcome }: Ended) {
        let sop = kind.sop_instance.parse().ok();
        match outcome {
            Ok(finished) => {
                let sop_class = kind.sop_class;
                self.stored.push(Named { sop_class, sop: finished.identity.sop.to_string() });
                intake.host.notice(&finished.event(peer, sop.as_ref()));
            }
            Err(Refusal { status, reason }) => {
                match &sop {
                    Some(_) => {
                        let named = Named { sop_class: kind.sop_class, sop: kind.sop_instance };
                        self.failed.push((named, status));
                    }
                    None => self.nameless.push(status),
                }
                intake.host.notice(&ReceiveEvent::ObjectRefused { peer: peer.to_owned(), sop, status, reason });
            }
        }
    }
}
