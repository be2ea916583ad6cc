//! Overview of the database since a time: the night at a glance.

use jiff::Timestamp;

use crate::{StateCounts, StoredFile};

/// Files that were done with since a time, and those that wait now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Studies that got a file or a label since.
    pub studies: u64,
    /// Files that were done with since, by state, and all that wait.
    pub states: StateCounts,
    /// Those that failed, are incomplete or in conflict.
    pub failures: Vec<StoredFile>,
    /// Time at which the file that waits longest was taken.
    pub waiting_since: Option<Timestamp>,
}
