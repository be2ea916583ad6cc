//! Answers of the destination.

use std::io;

/// The destination's answer about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// It is stored there.
    Stored {
        /// DICOM status: 0, or a warning such as B000.
        status: u16,
    },
    /// It is not, and may be later: the destination is away, full, or locks the study.
    TryLater {
        /// DICOM status, where there was an answer.
        status: Option<u16>,
        /// In words, without patient data.
        reason: String,
    },
    /// It never will be.
    Refused {
        /// DICOM status, where there was an answer.
        status: Option<u16>,
        /// In words, without patient data.
        reason: String,
    },
}

impl SendOutcome {
    /// Sorts a status: lack of resources (A7xx) and trouble in understanding (Cxxx) may pass, as when a study is locked while
    /// it is reported. An object that is a duplicate is there.
    pub(super) fn from_status(status: u16) -> Self {
        let reason = format!("the destination answered with status {status:04X}");
        match status {
            0x0000 | 0x0001 | 0x0107 | 0x0111 | 0x0116 | 0xB000..=0xBFFF => Self::Stored { status },
            0xA700..=0xA7FF | 0xC000..=0xCFFF => Self::TryLater { status: Some(status), reason },
            _ => Self::Refused { status: Some(status), reason },
        }
    }

    pub(super) fn later(reason: String) -> Self {
        Self::TryLater { status: None, reason }
    }

    /// A file that is gone, or is none, does not come back by waiting.
    pub(super) fn unreadable(error: &io::Error) -> Self {
        let reason = format!("the object cannot be read: {error}");
        if files::is_temporary(error) { Self::later(reason) } else { Self::Refused { status: None, reason } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_sorted() {
        assert!(matches!(SendOutcome::from_status(0), SendOutcome::Stored { .. }));
        assert!(matches!(SendOutcome::from_status(0xB007), SendOutcome::Stored { .. }));
        assert!(matches!(SendOutcome::from_status(0xA700), SendOutcome::TryLater { .. }));
        assert!(matches!(SendOutcome::from_status(0xC123), SendOutcome::TryLater { .. }));
        assert!(matches!(SendOutcome::from_status(0x0122), SendOutcome::Refused { .. }));
    }
}
