//! Statuses of DICOM messages (PS3.7 annex C, PS3.4 annex B.2.3).

/// Done.
pub(crate) const SUCCESS: u16 = 0x0000;
/// The request has a value that is not allowed, such as an invalid UID.
pub(crate) const INVALID_ARGUMENT: u16 = 0x0115;
/// The action is not one of the class.
pub(crate) const NO_SUCH_ACTION: u16 = 0x0123;
/// The request cannot be kept now.
pub(crate) const RESOURCE_LIMITATION: u16 = 0x0213;
/// The command is not known here.
pub(crate) const UNRECOGNIZED_OPERATION: u16 = 0x0211;
/// Out of resources: the disk, mostly. The sender should try again.
pub(crate) const OUT_OF_RESOURCES: u16 = 0xA700;
/// The data set is not what the command says.
pub(crate) const DATA_SET_MISMATCH: u16 = 0xA900;
/// The data set cannot be understood.
pub(crate) const CANNOT_UNDERSTAND: u16 = 0xC000;

/// Objects of this class are not stored (PS3.18 table I.2-2, as what follows).
pub(crate) const CLASS_NOT_SUPPORTED: u16 = 0x0122;
/// Objects in this transfer syntax are not stored.
pub(crate) const SYNTAX_NOT_SUPPORTED: u16 = 0xC122;

/// The answer to a request that was not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: u16,
    pub reason: String,
}

impl Refusal {
    pub fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}
