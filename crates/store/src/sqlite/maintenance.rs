//! Checking and copying a whole database.

use std::path::Path;

use files::{Access, AtomicFile};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::SqliteEngine;
use crate::StoreError;

/// Faults that are listed; one is enough to know that a database is damaged.
const MAX_FAULTS: usize = 100;

impl SqliteEngine {
    /// Looks at every page, row and index, and returns the faults; none for a sound database.
    pub(super) fn list_faults(&self) -> Result<Vec<String>, StoreError> {
        let mut faults = self.faults(&format!("PRAGMA integrity_check({MAX_FAULTS})"))?;
        let orphans = self.faults(
            "SELECT DISTINCT 'a row of ' || \"table\" || ' refers to a row of ' || parent || ' that is missing'
         FROM pragma_foreign_key_check",
        )?;
        faults.extend(orphans);
        Ok(faults)
    }

    /// Copies the database into one file, which appears whole or not at all; others may write to the database meanwhile,
    /// and the copy is of one moment.
    pub(super) fn copy_to(&self, target: &Path) -> Result<(), StoreError> {
        let failed = |source| StoreError::Export { path: target.to_owned(), source };
        let query = |source: rusqlite::Error| self.query_error("copy the database", source.into());
        let file = AtomicFile::new(target, Access::Group).map_err(failed)?;
        let mut copy = Connection::open(file.path()).map_err(query)?;
        let source = self.lock();
        let copied = Backup::new(&source, &mut copy).and_then(|backup| backup.step(-1)).map_err(query)?;
        drop(source);
        if copied != StepResult::Done {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            return Err(query(rusqlite::Error::SqliteFailure(code, None)));
        }
        // One file, without a log that could be forgotten when it is moved.
        copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).map_err(query)?;
        let problem: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(query)?;
        if problem != "ok" {
            return Err(StoreError::Damaged { path: self.path().to_owned(), problem });
        }
        copy.close().map_err(|(_, source)| query(source))?;
        file.commit().map_err(failed)
    }
}
