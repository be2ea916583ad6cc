//! One connection: protocol data units in and out, with deadlines.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use dicom_ul::pdu::{AbortRQServiceProviderReason, AbortRQSource, PDU_HEADER_SIZE, PDataValue, PDataValueType};
use dicom_ul::{Pdu, read_pdu, write_pdu};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::command::{Command, element};
use crate::error::NetError;

/// Bytes that are read at once, at least.
const READ_BYTES: usize = 16 * 1024;

/// Bytes of a command set, at most; real ones have less than 1 KiB.
const MAX_COMMAND: usize = 16 * 1024;

/// The first message of an object or the end of the association.
#[derive(Debug)]
pub(crate) enum Incoming {
    Command { context: u8, command: Command },
    Released,
}

/// A connection on which protocol data units are exchanged.
pub(crate) struct Association<S> {
    stream: S,
    buffer: BytesMut,
    /// Parts of messages that have come but were not looked at.
    parts: VecDeque<PDataValue>,
    max_pdu: u32,
    /// Bytes of a unit that the peer takes, at most.
    pub peer_max_pdu: u32,
    idle: Duration,
    /// Time of the last unit that carried something.
    last_progress: Instant,
    stopping: watch::Receiver<bool>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Association<S> {
    pub fn new(stream: S, max_pdu: u32, idle: Duration, stopping: watch::Receiver<bool>) -> Self {
        Self {
            stream,
            buffer: BytesMut::with_capacity(READ_BYTES),
            parts: VecDeque::new(),
            max_pdu,
            peer_max_pdu: dicom_ul::pdu::DEFAULT_MAX_PDU,
            idle,
            last_progress: Instant::now(),
            stopping,
        }
    }

    /// Reads one unit; a unit longer than the negotiated maximum is an error before its content is read.
    pub async fn read_unit(&mut self, deadline: Instant) -> Result<Pdu, NetError> {
        loop {
            let mut unread = &self.buffer[..];
            let parsed = read_pdu(&mut unread, self.max_pdu, true);
            if let Some(unit) = parsed.map_err(|error| NetError::Protocol(error.to_string()))? {
                let read = self.buffer.len() - unread.len();
                self.buffer.advance(read);
                return Ok(unit);
            }
            self.buffer.reserve(self.missing_bytes().max(READ_BYTES));
            let read = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping) => return Err(NetError::Stopping),
                read = timeout_at(deadline, self.stream.read_buf(&mut self.buffer)) => read,
            };
            if read.map_err(|_| NetError::Idle)?? == 0 {
                return Err(NetError::Closed);
            }
        }
    }

    /// Returns the bytes that a unit lacks whose header is there; its length was checked.
    fn missing_bytes(&self) -> usize {
        match self.buffer.get(2..6).and_then(|length| length.try_into().ok()) {
            Some(length) => (u32::from_be_bytes(length) as usize + PDU_HEADER_SIZE as usize) - self.buffer.len(),
            None => 0,
        }
    }

    /// Waits for the next message, or the release of the association, which is answered.
    pub async fn next_message(&mut self) -> Result<Incoming, NetError> {
        self.last_progress = Instant::now();
        let mut bytes = Vec::new();
        loop {
            let part = match self.next_part_or_release().await? {
                Some(part) => part,
                None if bytes.is_empty() => {
                    self.send(&Pdu::ReleaseRP).await?;
                    return Ok(Incoming::Released);
                }
                None => return Err(NetError::Protocol("a release inside a message".into())),
            };
            if part.value_type != PDataValueType::Command {
                return Err(NetError::Protocol("a data set without a command".into()));
            }
            if bytes.len() + part.data.len() > MAX_COMMAND {
                return Err(NetError::Protocol("a command set of more than 16 KiB".into()));
            }
            bytes.extend_from_slice(&part.data);
            if part.is_last {
                let command = Command::from_bytes(&bytes).map_err(|error| NetError::Protocol(error.to_string()))?;
                return Ok(Incoming::Command { context: part.presentation_context_id, command });
            }
        }
    }

    /// Waits for the next part of the data set that belongs to the command on `context`.
    pub async fn next_data(&mut self, context: u8) -> Result<PDataValue, NetError> {
        let part = self.next_part_or_release().await?;
        match part {
            Some(part) if part.value_type == PDataValueType::Data && part.presentation_context_id == context => {
                self.last_progress = Instant::now();
                Ok(part)
            }
            _ => Err(NetError::Protocol("something else where a data set must go on".into())),
        }
    }

    /// Returns the next part of a message; `None` for a request to release the association.
    async fn next_part_or_release(&mut self) -> Result<Option<PDataValue>, NetError> {
        loop {
            if let Some(part) = self.parts.pop_front() {
                if part.data.is_empty() && !part.is_last {
                    // Carries nothing, so it is no progress either.
                    continue;
                }
                return Ok(Some(part));
            }
            match self.read_unit(self.last_progress + self.idle).await? {
                Pdu::PData { data } => self.parts.extend(data),
                Pdu::ReleaseRQ => return Ok(None),
                Pdu::AbortRQ { .. } => return Err(NetError::Aborted),
                unit => return Err(NetError::Protocol(format!("unexpected unit: {}", kind_of(&unit)))),
            }
        }
    }

    /// Sends one unit.
    pub async fn send(&mut self, unit: &Pdu) -> Result<(), NetError> {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, unit).map_err(|error| NetError::Protocol(error.to_string()))?;
        let deadline = Instant::now() + self.idle;
        timeout_at(deadline, self.stream.write_all(&bytes)).await.map_err(|_| NetError::Idle)??;
        timeout_at(deadline, self.stream.flush()).await.map_err(|_| NetError::Idle)??;
        Ok(())
    }

    /// Sends a message without a data set.
    pub async fn send_command(&mut self, context: u8, command: &Command) -> Result<(), NetError> {
        self.send(&data_unit(context, PDataValueType::Command, true, command.to_bytes())).await
    }

    /// Answers a request with a status.
    pub async fn respond(
        &mut self,
        context: u8,
        request: &Command,
        status: u16,
        comment: Option<&str>,
    ) -> Result<(), NetError> {
        let response = Command::response(request, status);
        let response = match comment {
            Some(comment) => response.with_comment(comment),
            None => response,
        };
        debug_assert!(response.number(element::STATUS).is_some());
        self.send_command(context, &response).await
    }

    /// Tells the peer that the association ends, if it still listens.
    pub async fn abort(&mut self) {
        let reason = AbortRQSource::ServiceProvider(AbortRQServiceProviderReason::ReasonNotSpecified);
        // The association is over either way.
        let _ = self.send(&Pdu::AbortRQ { source: reason }).await;
    }

    /// Waits a moment for the peer to close first, so that it reads the last answer before the connection is gone.
    pub async fn linger(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(1).min(self.idle);
        let mut rest = [0; 1024];
        while let Ok(Ok(1..)) = timeout_at(deadline, self.stream.read(&mut rest)).await {}
        let _ = timeout_at(deadline, self.stream.shutdown()).await;
    }
}

/// Returns a unit with one part of a message.
pub(crate) fn data_unit(context: u8, value_type: PDataValueType, is_last: bool, data: Vec<u8>) -> Pdu {
    Pdu::PData { data: vec![PDataValue { presentation_context_id: context, value_type, is_last, data }] }
}

/// Returns the name of a unit; its content may be anything.
const fn kind_of(unit: &Pdu) -> &'static str {
    match unit {
        Pdu::Unknown { .. } => "unknown type",
        Pdu::AssociationRQ(_) => "A-ASSOCIATE-RQ",
        Pdu::AssociationAC(_) => "A-ASSOCIATE-AC",
        Pdu::AssociationRJ(_) => "A-ASSOCIATE-RJ",
        Pdu::PData { .. } => "P-DATA-TF",
        Pdu::ReleaseRQ => "A-RELEASE-RQ",
        Pdu::ReleaseRP => "A-RELEASE-RP",
        Pdu::AbortRQ { .. } => "A-ABORT",
    }
}
