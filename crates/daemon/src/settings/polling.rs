//! Use of change events of the file system.

use std::fmt;

/// Use of the system's change events, beside the timed walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polling {
    /// Events on local file systems, none on network ones (which send no events, or only some).
    Auto,
    /// Walk only.
    Always,
    /// Events everywhere.
    Never,
}

impl fmt::Display for Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        })
    }
}
