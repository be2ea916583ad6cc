//! C-STORE and C-ECHO out: sends stored objects to another program, such as a PACS. Blocking, for a thread of its own.

mod association;
mod destination;
mod outcome;
mod outgoing;
mod report;
mod store;

use std::collections::BTreeSet;
use std::io::{Read, Write};

use dicom_ul::ClientAssociation;
use dicom_ul::association::CloseSocket;
use dicom_ul::pdu::PDataValueType;

use crate::association::data_unit;
use crate::classes;
use crate::command::{Command, NO_DATA_SET, element, field};
use association::{Kinds, Role, Task, receive_response, send_unit, with_association};
use outgoing::Outgoing;
use store::StoreTask;

pub use destination::Destination;
pub use outcome::SendOutcome;
pub use outgoing::SentObject;
pub(crate) use report::report_event;

/// Presentation contexts of an association, at most (PS3.8: odd numbers up to 255).
const MAX_CONTEXTS: usize = 128;

/// Sends objects over one association, and over another for each 128 kinds of them. Gives one outcome an object, in their
/// order.
pub fn send(destination: &Destination, objects: &[SentObject]) -> Vec<SendOutcome> {
    let mut outcomes = vec![None; objects.len()];
    let mut left: Vec<Outgoing<'_>> = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        match Outgoing::open(at, object) {
            Ok(opened) => left.push(opened),
            Err(error) => outcomes[at] = Some(SendOutcome::unreadable(&error)),
        }
    }
    while !left.is_empty() {
        let mut kinds = BTreeSet::new();
        let (now, later) = left.into_iter().partition(|object| {
            let is_full = kinds.len() == MAX_CONTEXTS && !kinds.contains(&object.context());
            if !is_full {
                kinds.insert(object.context());
            }
            !is_full
        });
        for (at, outcome) in send_together(destination, &kinds, now) {
            outcomes[at] = Some(outcome);
        }
        left = later;
    }
    outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| SendOutcome::later("it was not sent".into())))
        .collect()
}

/// Asks whether the destination answers (C-ECHO).
///
/// # Errors
/// The reason in words.
pub fn echo(destination: &Destination) -> Result<(), String> {
    let kinds = BTreeSet::from([(classes::VERIFICATION.to_owned(), "1.2.840.10008.1.2".to_owned())]);
    with_association(destination, &kinds, Role::User, EchoTask)?
}

struct EchoTask;

impl Task for EchoTask {
    type Output = Result<(), String>;

    fn run<S: Read + Write + CloseSocket>(self, association: &mut ClientAssociation<S>) -> Self::Output {
        let context = association.presentation_contexts().first().ok_or("verification is not accepted")?.id;
        let request = Command::new(field::C_ECHO_RQ, NO_DATA_SET)
            .with_uid(element::AFFECTED_SOP_CLASS, classes::VERIFICATION)
            .with_number(element::MESSAGE_ID, 1);
        send_unit(association, &data_unit(context, PDataValueType::Command, true, request.to_bytes()))?;
        match receive_response(association)?.number(element::STATUS) {
            Some(0) => Ok(()),
            status => Err(format!("the echo was answered with status {:04X}", status.unwrap_or_default())),
        }
    }
}

fn send_together(destination: &Destination, kinds: &Kinds, objects: Vec<Outgoing<'_>>) -> Vec<(usize, SendOutcome)> {
    let places: Vec<usize> = objects.iter().map(|object| object.at).collect();
    match with_association(destination, kinds, Role::User, StoreTask(objects)) {
        Ok(outcomes) => outcomes,
        Err(reason) => places.into_iter().map(|at| (at, SendOutcome::later(reason.clone()))).collect(),
    }
}
