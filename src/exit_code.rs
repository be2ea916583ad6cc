//! Exit codes: the answer to whoever started the program.

use std::io;

use daemon::DaemonError;
use store::StoreError;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Everything was done.
    Done = 0,
    /// Some inputs failed; each was named with its reason.
    SomeInputsFailed = 1,
    /// Usage or configuration: the same call fails again.
    Configuration = 2,
    /// A lock, a full disk or an unreadable folder: the same call may succeed later.
    CannotWorkNow = 3,
}

impl ExitCode {
    /// Returns the code for an error that ended a command.
    pub fn from_error(error: &anyhow::Error) -> Self {
        let passes = error.chain().any(|cause| {
            cause.downcast_ref::<DaemonError>().is_some_and(DaemonError::is_temporary)
                || cause.downcast_ref::<StoreError>().is_some_and(StoreError::is_temporary)
                || cause.downcast_ref::<io::Error>().is_some_and(files::is_temporary)
        });
        if passes { Self::CannotWorkNow } else { Self::Configuration }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn an_error_that_passes_is_told_from_one_that_stays() {
        let full: anyhow::Result<()> = Err(io::Error::from(io::ErrorKind::StorageFull)).context("cannot write a.csv");
        assert_eq!(ExitCode::from_error(&full.unwrap_err()), ExitCode::CannotWorkNow);
        let in_use = StoreError::InUse { database: std::path::Path::new("lab.sqlite").into() };
        let daemon = anyhow::Error::from(DaemonError::Store(in_use)).context("cannot watch");
        assert_eq!(ExitCode::from_error(&daemon), ExitCode::CannotWorkNow);
        assert_eq!(ExitCode::from_error(&anyhow::anyhow!("no such view")), ExitCode::Configuration);
    }
}
