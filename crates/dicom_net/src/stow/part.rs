//! One part of a body: a DICOM file that comes in.

use domain::StudyUid;

use crate::MediaType;
use crate::classes;
use crate::error::NetError;
use crate::file_meta::{MAX_META, ObjectKind};
use crate::incoming_object::{Finished, IncomingObject};
use crate::intake::Intake;
use crate::status::{CANNOT_UNDERSTAND, CLASS_NOT_SUPPORTED, DATA_SET_MISMATCH, Refusal, SYNTAX_NOT_SUPPORTED};

/// The media type of objects.
pub(super) const DICOM: &str = "application/dicom";

/// Bytes after which the meta group is looked for; more are gathered where it is longer.
const FIRST_LOOK: usize = 1024;

/// A file of which some bytes have come.
pub(super) enum Part {
    /// Its meta group is not there yet.
    Start { bytes: Vec<u8>, next_look: usize },
    /// The data set comes.
    Object { kind: ObjectKind, object: Box<IncomingObject> },
}

/// A file that has come, with the class and the instance that its meta group names.
pub(super) struct Ended {
    pub kind: ObjectKind,
    pub outcome: Result<Finished, Refusal>,
}

impl Part {
    /// Starts a part of the media type that its headers name.
    pub fn new(intake: &Intake, content_type: Option<&str>) -> Self {
        // Without a type it is the one of the whole body.
        if content_type.is_none_or(|kind| MediaType::from_header(kind).essence() == DICOM) {
            return Self::Start { bytes: Vec::new(), next_look: FIRST_LOOK };
        }
        let refusal = Refusal::new(CANNOT_UNDERSTAND, "the part is not application/dicom");
        Self::refused(intake, ObjectKind::default(), refusal)
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// The object comes too slowly, or does not end.
    pub fn write(&mut self, intake: &Intake, new: &[u8]) -> Result<(), NetError> {
        match self {
            Self::Object { object, .. } => object.write(&intake.folder, &intake.settings.limits, new),
            Self::Start { bytes, next_look } => {
                bytes.extend_from_slice(new);
                // Looking at each byte that comes would take time that grows with the square of what a peer sends.
                if bytes.len() < *next_look {
                    return Ok(());
                }
                *next_look = bytes.len() * 2;
                self.look(intake, false)
            }
        }
    }

    /// Brings the object to the disk.
    pub fn finish(mut self, intake: &Intake, study: Option<&StudyUid>) -> Result<Ended, NetError> {
        self.look(intake, true)?;
        Ok(match self {
            Self::Object { kind, object } => {
                Ended { outcome: object.finish(&intake.folder, &*intake.host, study), kind }
            }
            Self::Start { .. } => Ended { kind: ObjectKind::default(), outcome: Err(no_file()) },
        })
    }

    /// Looks for the end of the meta group, and starts the object if it is there.
    fn look(&mut self, intake: &Intake, is_whole: bool) -> Result<(), NetError> {
        let Self::Start { bytes, .. } = self else { return Ok(()) };
        let bytes = match ObjectKind::from_start(bytes, is_whole) {
            Ok(None) if (bytes.len() as u64) < MAX_META => return Ok(()),
            Ok(Some((kind, data_set))) => {
                let refusal = unacceptable(intake, &kind);
                let object = IncomingObject::start(&intake.folder, &intake.settings.limits, kind.clone(), refusal);
                let start = bytes.split_off(data_set);
                *self = Self::Object { kind, object: Box::new(object) };
                start
            }
            Ok(None) | Err(_) => {
                *self = Self::refused(intake, ObjectKind::default(), no_file());
                Vec::new()
            }
        };
        self.write(intake, &bytes)
    }

    /// Returns a part whose bytes are read and not kept.
    fn refused(intake: &Intake, kind: ObjectKind, refusal: Refusal) -> Self {
        let object = IncomingObject::start(&intake.folder, &intake.settings.limits, kind.clone(), Some(refusal));
        Self::Object { kind, object: Box::new(object) }
    }
}

fn no_file() -> Refusal {
    Refusal::new(CANNOT_UNDERSTAND, "the part is no DICOM file")
}

/// Returns the reason why an object is not stored, whatever its data set holds.
fn unacceptable(intake: &Intake, kind: &ObjectKind) -> Option<Refusal> {
    if !classes::is_accepted(&intake.settings.private_classes, &kind.sop_class) {
        return Some(Refusal::new(
            CLASS_NOT_SUPPORTED,
            "the SOP class is neither known nor in receive.private_classes",
        ));
    }
    if !classes::is_transfer_syntax(&kind.transfer_syntax) {
        return Some(Refusal::new(SYNTAX_NOT_SUPPORTED, "the transfer syntax is not known"));
    }
    if kind.sop_instance.parse::<domain::SopUid>().is_err() {
        return Some(Refusal::new(DATA_SET_MISMATCH, "the SOP Instance UID is not a UID"));
    }
    None
}
