//! Requests for storage commitment on an association.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::block_in_place;

use crate::association::data_unit;
use crate::command::{Command, element};
use crate::commitment::{self, Encoding, Pending, Report, Request};
use crate::error::NetError;
use crate::host::ReceiveEvent;
use crate::negotiation::Context;
use crate::scp::Scp;
use crate::status::{INVALID_ARGUMENT, NO_SUCH_ACTION, RESOURCE_LIMITATION, Refusal, SUCCESS};

use dicom_ul::pdu::{PDV_HEADER_SIZE, PDataValueType};

impl<S: AsyncRead + AsyncWrite + Unpin> Scp<'_, S> {
    /// Takes a request, durably, and reports on it at once. A report that the peer does not take here is sent to it later.
    pub async fn commit(&mut self, context: &Context, command: &Command) -> Result<(), NetError> {
        let data_set = self.small_data_set(context, command).await?;
        let Some(encoding) = Encoding::of(&context.transfer_syntax) else {
            return Err(NetError::Protocol("a request for commitment in another transfer syntax".into()));
        };
        let kept = block_in_place(|| self.keep_request(command, &data_set, encoding));
        let (pending, path) = match kept {
            Ok(kept) => kept,
            Err(Refusal { status, reason }) => {
                return self.association.respond(context.id, command, status, Some(&reason)).await;
            }
        };
        self.association.respond(context.id, command, SUCCESS, None).await?;
        let report = block_in_place(|| Report::new(&pending.request, self.folder, self.host, encoding));
        self.next_report = self.next_report.wrapping_add(1);
        let message_id = self.next_report;
        self.reports.insert(message_id, path);
        self.association.send_command(context.id, &report.command(message_id)).await?;
        let part = self.association.peer_max_pdu.saturating_sub(PDV_HEADER_SIZE).max(64) as usize;
        let mut parts = report.data_set.chunks(part).peekable();
        while let Some(bytes) = parts.next() {
            let unit = data_unit(context.id, PDataValueType::Data, parts.peek().is_none(), bytes.to_vec());
            self.association.send(&unit).await?;
        }
        Ok(())
    }

    /// Takes the answer to a report.
    pub fn report_answered(&mut self, response: &Command) {
        let reported = response.number(element::MESSAGE_ID_RESPONDED_TO).and_then(|id| self.reports.remove(&id));
        if let (Some(path), Some(SUCCESS)) = (reported, response.number(element::STATUS)) {
            commitment::forget(&path);
        }
    }

    fn keep_request(
        &self,
        command: &Command,
        data_set: &[u8],
        encoding: Encoding,
    ) -> Result<(Pending, std::path::PathBuf), Refusal> {
        if command.number(element::ACTION_TYPE) != Some(commitment::REQUEST_ACTION) {
            return Err(Refusal::new(NO_SUCH_ACTION, "the only action is the request for commitment"));
        }
        let request = Request::from_bytes(data_set, encoding)
            .ok_or_else(|| Refusal::new(INVALID_ARGUMENT, "the request names no transaction or no objects"))?;
        self.host.notice(&ReceiveEvent::CommitmentRequested {
            ae_title: self.ae_title.clone(),
            objects: request.instances.len(),
        });
        let pending = Pending { ae_title: self.ae_title.clone(), request };
        let kept = self.requests.keep(&pending);
        let path =
            kept.map_err(|error| Refusal::new(RESOURCE_LIMITATION, format!("cannot be kept: {}", error.kind())))?;
        Ok((pending, path))
    }

    /// Receives the data set of a request into memory.
    async fn small_data_set(&mut self, context: &Context, command: &Command) -> Result<Vec<u8>, NetError> {
        let mut bytes = Vec::new();
        while command.has_data_set() {
            let part = self.association.next_data(context.id).await?;
            if bytes.len() + part.data.len() > commitment::MAX_DATA_SET {
                return Err(NetError::Protocol("a request for commitment of more than 8 MiB".into()));
            }
            bytes.extend(part.data);
            if part.is_last {
                break;
            }
        }
        Ok(bytes)
    }
}
