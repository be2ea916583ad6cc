//! Needs of the store beside statements: transactions, checks, copies.

use std::path::Path;

use crate::sql::{Session, WriteError};
use crate::{DatabaseLocation, StoreError};

/// Bounds of the statements of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Each query sees what is committed when it starts.
    Read,
    /// All queries see one moment.
    Snapshot,
    /// One transaction, committed when the work ends well and rolled back otherwise.
    Write,
}

/// Work on a session. It may be run again from its start, where a database rolled a transaction back for another's sake.
pub(crate) type Work<'a> = &'a mut dyn FnMut(&dyn Session) -> Result<(), WriteError>;

/// A database of one kind.
pub(crate) trait Engine: Send + Sync {
    /// Runs work within a scope.
    fn run(&self, doing: &'static str, scope: Scope, work: Work<'_>) -> Result<(), StoreError>;

    /// Returns the faults of the database.
    fn check(&self) -> Result<Vec<String>, StoreError>;

    /// Copies the database into a file.
    fn backup(&self, target: &Path) -> Result<(), StoreError>;

    /// Brings everything committed to its final place.
    fn checkpoint(&self) -> Result<(), StoreError>;

    /// Has what is deleted from now on overwritten.
    fn overwrite_deleted(&self) -> Result<(), StoreError>;

    /// Drops what was deleted earlier and still lies in the database's files.
    fn drop_deleted(&self) -> Result<(), StoreError>;

    /// Lets leases run by the clock of the caller, where they run by the database's.
    fn follow_callers_clock(&mut self) {}

    /// Returns the database's name.
    fn database(&self) -> &DatabaseLocation;
}
