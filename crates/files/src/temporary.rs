//! Telling errors that pass from those that stay.

use std::io::{self, ErrorKind};

/// Number of "input/output error" on Linux and macOS, which has no kind of its own.
const EIO: i32 = 5;

/// Returns true for errors of a full disk, a file system that cannot be written to, or a share that is away: the same
/// call may succeed later although nothing about the file has changed.
pub fn is_temporary(error: &io::Error) -> bool {
    error.raw_os_error() == Some(EIO)
        || matches!(
            error.kind(),
            ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::ResourceBusy
                | ErrorKind::StaleNetworkFileHandle
                | ErrorKind::NotConnected
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::NetworkDown
                | ErrorKind::TimedOut
                | ErrorKind::WouldBlock
                | ErrorKind::Interrupted
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_passes_and_a_missing_file_does_not() {
        // Numbers of Linux: EIO, ENOSPC, ESTALE, ENOTCONN.
        for number in [5, 28, 116, 107] {
            assert!(is_temporary(&io::Error::from_raw_os_error(number)), "{number}");
        }
        for kind in [ErrorKind::NotFound, ErrorKind::PermissionDenied, ErrorKind::InvalidData] {
            assert!(!is_temporary(&kind.into()), "{kind}");
        }
    }
}
