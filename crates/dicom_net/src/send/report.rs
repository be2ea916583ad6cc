//! N-EVENT-REPORT: the answer to a request for storage commitment, on an association of our own.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use dicom_ul::ClientAssociation;
use dicom_ul::association::{Association as _, CloseSocket};
use dicom_ul::pdu::{PDV_HEADER_SIZE, PDataValueType};

use super::Destination;
use super::association::{MAX_PDU, Role, Task, receive_response, send_unit, with_association};
use crate::association::data_unit;
use crate::command::element;
use crate::commitment::{self, Report};
use crate::status::SUCCESS;

/// Sends a report and waits until it is taken.
///
/// # Errors
/// The reason in words.
pub(crate) fn report_event(destination: &Destination, report: &Report) -> Result<(), String> {
    let kinds = BTreeSet::from([(commitment::SOP_CLASS.to_owned(), "1.2.840.10008.1.2.1".to_owned())]);
    with_association(destination, &kinds, Role::Provider, ReportTask(report))?
}

struct ReportTask<'a>(&'a Report);

impl Task for ReportTask<'_> {
    type Output = Result<(), String>;

    fn run<S: Read + Write + CloseSocket>(self, association: &mut ClientAssociation<S>) -> Self::Output {
        let context = association.presentation_contexts().first().ok_or("the peer does not take reports")?.id;
        let request = self.0.command(1).to_bytes();
        send_unit(association, &data_unit(context, PDataValueType::Command, true, request))?;
        let part = association.peer_max_pdu_length().min(MAX_PDU).saturating_sub(PDV_HEADER_SIZE).max(64) as usize;
        let mut parts = self.0.data_set.chunks(part).peekable();
        while let Some(bytes) = parts.next() {
            let unit = data_unit(context, PDataValueType::Data, parts.peek().is_none(), bytes.to_vec());
            send_unit(association, &unit)?;
        }
        match receive_response(association)?.number(element::STATUS) {
            Some(SUCCESS) => Ok(()),
            status => Err(format!("the report was answered with status {:04X}", status.unwrap_or_default())),
        }
    }
}
