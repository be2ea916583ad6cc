//! The services of an association: C-ECHO, C-STORE and, in `scp_commitment`, storage commitment.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;

use domain::{ReceiveSettings, SopUid};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::association::{Association, Incoming};
use crate::classes;
use crate::command::{Command, element, field};
use crate::commitment::{self, PendingRequests};
use crate::error::NetError;
use crate::file_meta::ObjectKind;
use crate::host::{Host, ReceiveEvent};
use crate::incoming_object::IncomingObject;
use crate::negotiation::Context;
use crate::object_folder::ObjectFolder;
use crate::status::{DATA_SET_MISMATCH, INVALID_ARGUMENT, Refusal, SUCCESS, UNRECOGNIZED_OPERATION};

/// The longest UID of a class that a file can say.
const MAX_UID: usize = 64;

/// Classes that objects cannot be of.
const SERVICES: [&str; 2] = [classes::VERIFICATION, commitment::SOP_CLASS];

/// The field of an answer to a report.
const REPORT_ANSWER: u16 = field::N_EVENT_REPORT_RQ | field::RESPONSE;

/// One association with the objects that came on it.
pub(crate) struct Scp<'a, S> {
    pub association: Association<S>,
    pub contexts: Vec<Context>,
    pub ae_title: String,
    pub address: IpAddr,
    pub settings: &'a ReceiveSettings,
    pub folder: &'a ObjectFolder,
    pub host: &'a dyn Host,
    pub requests: &'a PendingRequests,
    /// Reports that were sent and not answered yet, with the files of their requests.
    pub reports: HashMap<u16, PathBuf>,
    pub next_report: u16,
    pub stored: u64,
    pub refused: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Scp<'_, S> {
    /// Serves the association to its end, and says how it ended.
    pub async fn serve(mut self) {
        let trouble = match self.answer_messages().await {
            Ok(()) => None,
            Err(error) => {
                self.association.abort().await;
                Some(error.to_string())
            }
        };
        self.association.linger().await;
        self.host.notice(&ReceiveEvent::AssociationEnded {
            ae_title: self.ae_title,
            address: self.address,
            stored: self.stored,
            refused: self.refused,
            trouble,
        });
    }

    async fn answer_messages(&mut self) -> Result<(), NetError> {
        loop {
            let (context, command) = match self.association.next_message().await? {
                Incoming::Released => return Ok(()),
                Incoming::Command { context, command } => (context, command),
            };
            let Some(context) = self.contexts.iter().find(|accepted| accepted.id == context).cloned() else {
                return Err(NetError::Protocol("a message on a context that was not accepted".into()));
            };
            match command.number(element::COMMAND_FIELD) {
                Some(field::C_ECHO_RQ) if context.abstract_syntax == classes::VERIFICATION => {
                    self.skip_data_set(&context, &command).await?;
                    self.association.respond(context.id, &command, SUCCESS, None).await?;
                }
                Some(field::N_ACTION_RQ) if context.abstract_syntax == commitment::SOP_CLASS => {
                    self.commit(&context, &command).await?;
                }
                Some(REPORT_ANSWER) if context.abstract_syntax == commitment::SOP_CLASS => {
                    self.report_answered(&command);
                }
                Some(field::C_STORE_RQ) if !SERVICES.contains(&context.abstract_syntax.as_str()) => {
                    self.store(&context, &command).await?;
                }
                // There is nothing that could be canceled, and it has no response.
                Some(field::C_CANCEL_RQ) => {}
                Some(other) if other & field::RESPONSE == 0 => {
                    self.skip_data_set(&context, &command).await?;
                    let comment = Some("this operation is not supported on this context");
                    self.association.respond(context.id, &command, UNRECOGNIZED_OPERATION, comment).await?;
                }
                _ => return Err(NetError::Protocol("a response that nobody waits for".into())),
            }
        }
    }

    /// Reads the data set of a message that needs none.
    async fn skip_data_set(&mut self, context: &Context, command: &Command) -> Result<(), NetError> {
        let refusal = Refusal::new(UNRECOGNIZED_OPERATION, "not stored");
        if command.has_data_set() {
            self.receive(context, object_kind(context, command), Some(refusal)).await?;
        }
        Ok(())
    }

    async fn store(&mut self, context: &Context, command: &Command) -> Result<(), NetError> {
        let kind = object_kind(context, command);
        let sop = kind.sop_instance.parse::<SopUid>().ok();
        let outcome = if command.has_data_set() {
            let object = self.receive(context, kind.clone(), unacceptable(context, &kind)).await?;
            object.finish(self.folder, self.host, None)
        } else {
            Err(Refusal::new(INVALID_ARGUMENT, "there is no data set"))
        };
        match outcome {
            Ok(finished) => {
                self.stored += 1;
                self.host.notice(&finished.event(&self.ae_title, sop.as_ref()));
                self.association.respond(context.id, command, SUCCESS, None).await
            }
            Err(Refusal { status, reason }) => {
                self.refused += 1;
                let (peer, told) = (self.ae_title.clone(), reason.clone());
                self.host.notice(&ReceiveEvent::ObjectRefused { peer, sop, status, reason });
                self.association.respond(context.id, command, status, Some(&told)).await
            }
        }
    }

    /// Receives a data set to its last byte.
    async fn receive(
        &mut self,
        context: &Context,
        kind: ObjectKind,
        refusal: Option<Refusal>,
    ) -> Result<IncomingObject, NetError> {
        let limits = &self.settings.limits;
        let mut object = IncomingObject::start(self.folder, limits, kind, refusal);
        loop {
            let part = self.association.next_data(context.id).await?;
            object.write(self.folder, limits, &part.data)?;
            if part.is_last {
                return Ok(object);
            }
        }
    }
}

fn object_kind(context: &Context, command: &Command) -> ObjectKind {
    let uid = |element| command.uid(element).unwrap_or_default().to_owned();
    ObjectKind {
        sop_class: uid(element::AFFECTED_SOP_CLASS),
        sop_instance: uid(element::AFFECTED_SOP_INSTANCE),
        transfer_syntax: context.transfer_syntax.clone(),
    }
}

/// Returns the reason why an object is not stored, whatever its data set holds.
fn unacceptable(context: &Context, kind: &ObjectKind) -> Option<Refusal> {
    if kind.sop_class != context.abstract_syntax || kind.sop_class.len() > MAX_UID {
        return Some(Refusal::new(DATA_SET_MISMATCH, "the SOP class is not that of the presentation context"));
    }
    if kind.sop_instance.parse::<SopUid>().is_err() {
        return Some(Refusal::new(DATA_SET_MISMATCH, "the SOP Instance UID is not a UID"));
    }
    None
}
