//! C-STORE requests.

use std::io::{Read, Write};

use dicom_ul::ClientAssociation;
use dicom_ul::association::{Association as _, CloseSocket};
use dicom_ul::pdu::{PDV_HEADER_SIZE, PDataValueType, PresentationContextNegotiated};

use super::association::{MAX_PDU, Task, receive_response, send_unit};
use super::{Outgoing, SendOutcome};
use crate::association::data_unit;
use crate::command::{Command, HAS_DATA_SET, element, field};

/// Priority of every request: medium.
const PRIORITY_MEDIUM: u16 = 0;

/// Bytes of a part of a data set, at least, whatever the peer says.
const MIN_PART: u32 = 64;

/// Sends objects one after the other.
pub(super) struct StoreTask<'a>(pub Vec<Outgoing<'a>>);

impl Task for StoreTask<'_> {
    type Output = Vec<(usize, SendOutcome)>;

    fn run<S: Read + Write + CloseSocket>(self, association: &mut ClientAssociation<S>) -> Self::Output {
        let mut outcomes = Vec::new();
        let mut broken: Option<String> = None;
        for (number, object) in self.0.into_iter().enumerate() {
            let outcome = match &broken {
                Some(reason) => SendOutcome::later(reason.clone()),
                None => store(association, number as u16, &object).unwrap_or_else(|reason| {
                    broken = Some(reason.clone());
                    SendOutcome::later(reason)
                }),
            };
            outcomes.push((object.at, outcome));
        }
        outcomes
    }
}

/// Sends one object and waits for the answer.
///
/// # Errors
/// The association is of no use any more.
fn store<S: Read + Write + CloseSocket>(
    association: &mut ClientAssociation<S>,
    number: u16,
    object: &Outgoing<'_>,
) -> Result<SendOutcome, String> {
    let kind = &object.kind;
    let is_of_kind = |context: &&PresentationContextNegotiated| {
        context.abstract_syntax == kind.sop_class
            && context.transfer_syntax.trim_end_matches(['\0', ' ']) == kind.transfer_syntax
    };
    let Some(context) = association.presentation_contexts().iter().find(is_of_kind).map(|context| context.id) else {
        let (class, syntax) = (&kind.sop_class, &kind.transfer_syntax);
        let reason = format!("the destination does not accept class {class} in transfer syntax {syntax}");
        return Ok(SendOutcome::Refused { status: None, reason });
    };
    let mut data = match object.data_set() {
        Ok(data) => data,
        Err(error) => return Ok(SendOutcome::unreadable(&error)),
    };
    let message_id = number.wrapping_add(1);
    let request = Command::new(field::C_STORE_RQ, HAS_DATA_SET)
        .with_uid(element::AFFECTED_SOP_CLASS, &kind.sop_class)
        .with_uid(element::AFFECTED_SOP_INSTANCE, &kind.sop_instance)
        .with_number(element::PRIORITY, PRIORITY_MEDIUM)
        .with_number(element::MESSAGE_ID, message_id);
    send_unit(association, &data_unit(context, PDataValueType::Command, true, request.to_bytes()))?;
    send_data_set(association, context, &mut *data)?;
    let response = receive_response(association)?;
    if response.number(element::MESSAGE_ID_RESPONDED_TO) != Some(message_id) {
        return Err("the destination answered another message".into());
    }
    let Some(status) = response.number(element::STATUS) else { return Err("the answer has no status".into()) };
    Ok(SendOutcome::from_status(status))
}

/// Sends a data set part by part; the last one is marked, so one part is read ahead.
fn send_data_set<S: Read + Write + CloseSocket>(
    association: &mut ClientAssociation<S>,
    context: u8,
    data: &mut dyn Read,
) -> Result<(), String> {
    let unit = association.peer_max_pdu_length().min(MAX_PDU);
    let length = u64::from(unit.saturating_sub(PDV_HEADER_SIZE).max(MIN_PART)) & !1;
    let part = |data: &mut dyn Read| {
        let mut bytes = Vec::new();
        // The destination cannot be told that the file went away in the middle, so the association ends.
        data.take(length)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("the object cannot be read: {}", error.kind()))?;
        Ok::<_, String>(bytes)
    };
    let mut next = part(data)?;
    loop {
        let current = next;
        next = part(data)?;
        let is_last = next.is_empty();
        send_unit(association, &data_unit(context, PDataValueType::Data, is_last, current))?;
        if is_last {
            return Ok(());
        }
    }
}
