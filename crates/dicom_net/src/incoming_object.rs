//! One object while it comes in.

use std::io::{self, Write};

use files::PartFile;
use tokio::task::block_in_place;
use tokio::time::Instant;

use domain::{ReceiveLimits, SopUid, StudyUid};

use crate::error::NetError;
use crate::file_meta::ObjectKind;
use crate::host::{Host, ObjectIdentity, ReceiveEvent};
use crate::object_folder::{ObjectFolder, Placed};
use crate::status::{CANNOT_UNDERSTAND, DATA_SET_MISMATCH, OUT_OF_RESOURCES, Refusal};

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 256 * 1024;

/// Bytes after which the free space is looked at again.
const SPACE_CHECK_BYTES: u64 = 64 << 20;

/// An object that was stored.
#[derive(Debug)]
pub(crate) struct Finished {
    pub identity: ObjectIdentity,
    pub placed: Placed,
}

impl Finished {
    /// Returns the event of an object that `peer` sent as `named`.
    pub fn event(self, peer: &str, named: Option<&SopUid>) -> ReceiveEvent {
        let Self { identity: ObjectIdentity { sop, study, .. }, placed } = self;
        let peer = peer.to_owned();
        match placed {
            Placed::Known => ReceiveEvent::AlreadyStored { peer, sop },
            Placed::New { path, conflict } => {
                let named_other_uid = named != Some(&sop);
                ReceiveEvent::Stored { peer, study, sop, path, named_other_uid, conflict }
            }
        }
    }
}

/// An object that comes in. A failure is kept until its last byte has come: a peer that is cut off in the middle sends
/// everything again.
pub(crate) struct IncomingObject {
    kind: ObjectKind,
    part: Result<PartFile, Refusal>,
    buffer: Vec<u8>,
    bytes: u64,
    /// Bytes of the file, meta group included.
    written: u64,
    checked_space_at: u64,
    started: Instant,
}

impl IncomingObject {
    /// Starts an object; `refusal` is the reason why it is not stored, if that is known before it comes.
    pub fn start(folder: &ObjectFolder, limits: &ReceiveLimits, kind: ObjectKind, refusal: Option<Refusal>) -> Self {
        let part = match refusal {
            Some(refusal) => Err(refusal),
            None => require_space(folder, limits).and_then(|()| folder.start().map_err(|error| unwritable(&error))),
        };
        let buffer = if part.is_ok() { kind.file_start() } else { Vec::new() };
        Self { kind, part, buffer, bytes: 0, written: 0, checked_space_at: 0, started: Instant::now() }
    }

    /// Takes the next bytes of the data set.
    ///
    /// # Errors
    /// The object comes too slowly, or does not end.
    pub fn write(&mut self, folder: &ObjectFolder, limits: &ReceiveLimits, bytes: &[u8]) -> Result<(), NetError> {
        self.bytes += bytes.len() as u64;
        let elapsed = self.started.elapsed();
        if elapsed > limits.idle && self.bytes < limits.least_rate.saturating_mul(elapsed.as_secs()) {
            return Err(NetError::TooSlow);
        }
        if self.bytes > limits.max_object {
            if self.bytes > limits.max_object.saturating_mul(2) {
                return Err(NetError::Protocol("an object of more than twice receive.max_object".into()));
            }
            self.refuse(Refusal::new(OUT_OF_RESOURCES, "the object is larger than receive.max_object"));
        }
        if self.part.is_err() {
            return Ok(());
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES {
            block_in_place(|| self.flush());
            if self.bytes - self.checked_space_at >= SPACE_CHECK_BYTES {
                self.checked_space_at = self.bytes;
                if let Err(refusal) = require_space(folder, limits) {
                    self.refuse(refusal);
                }
            }
        }
        Ok(())
    }

    /// Brings the whole object to the disk under its name, after it was checked; to be one of `study` where that is given.
    pub fn finish(
        mut self,
        folder: &ObjectFolder,
        host: &dyn Host,
        study: Option<&StudyUid>,
    ) -> Result<Finished, Refusal> {
        block_in_place(|| {
            self.flush();
            let part = self.part?;
            // It is checked while the disk writes: whoever waits for the answer waits for the longer of the two.
            let (synced, checked) = std::thread::scope(|scope| {
                let synced = scope.spawn(|| part.sync());
                let checked = host.check(part.path());
                (synced.join().unwrap_or_else(|_| Err(io::Error::other("the sync panicked"))), checked)
            });
            synced.map_err(|error| unwritable(&error))?;
            let identity = checked.map_err(|unusable| Refusal::new(CANNOT_UNDERSTAND, unusable.0))?;
            if identity.sop_class.as_ref().is_some_and(|class| *class != self.kind.sop_class) {
                return Err(Refusal::new(DATA_SET_MISMATCH, "the data set is of another SOP class"));
            }
            if study.is_some_and(|study| *study != identity.study) {
                return Err(Refusal::new(DATA_SET_MISMATCH, "the data set is of another study"));
            }
            let placed = folder.place(part, &identity.study, &identity.sop).map_err(|error| unwritable(&error))?;
            Ok(Finished { identity, placed })
        })
    }

    fn flush(&mut self) {
        if let Ok(part) = &mut self.part {
            match part.write_all(&self.buffer) {
                // The disk writes while the next bytes come.
                Ok(()) => part.begin_sync(self.written),
                Err(error) => self.refuse(unwritable(&error)),
            }
        }
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
    }

    /// Gives the object up, and its bytes on the disk with it.
    fn refuse(&mut self, refusal: Refusal) {
        if self.part.is_ok() {
            self.part = Err(refusal);
            self.buffer = Vec::new();
        }
    }
}

fn require_space(folder: &ObjectFolder, limits: &ReceiveLimits) -> Result<(), Refusal> {
    let free = folder.free_bytes().map_err(|error| unwritable(&error))?;
    if free < limits.keep_free {
        return Err(Refusal::new(OUT_OF_RESOURCES, "the disk has less free space than receive.keep_free"));
    }
    Ok(())
}

/// The words name no path: they are sent to the peer.
fn unwritable(error: &io::Error) -> Refusal {
    Refusal::new(OUT_OF_RESOURCES, format!("cannot be written: {}", error.kind()))
}
