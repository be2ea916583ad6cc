//! Paths of files in the form that the lab wants them kept.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::SqliteStore;
use super::database::WriteError;
use crate::path_form::{encrypted_range, is_encrypted, path_bytes, path_from};
use crate::{JobRow, PathForm, StoreError};

impl SqliteStore {
    /// Sets the form in which paths are kept from now on. Rows of another form stay as they are and can be read.
    ///
    /// # Errors
    /// [`StoreError::PathKey`] where paths are encrypted by another key.
    pub fn with_paths(mut self, form: PathForm) -> Result<Self, StoreError> {
        let sample = self.read("look for encrypted paths", encrypted_path)?;
        if form.has_key() && sample.is_some_and(|stored| is_encrypted(&form.revealed(stored))) {
            return Err(StoreError::PathKey { path: self.path().to_owned() });
        }
        self.paths = form;
        Ok(self)
    }

    /// Brings every path into the form in which they are kept; for the one daemon, which looks files up by them.
    ///
    /// # Errors
    /// [`StoreError::PathKey`] where paths are encrypted and there is no key; the database cannot be written.
    pub fn rewrite_paths(&self) -> Result<(), StoreError> {
        if !self.paths.has_key() && self.read("look for encrypted paths", encrypted_path)?.is_some() {
            return Err(StoreError::PathKey { path: self.path().to_owned() });
        }
        let others =
            self.read("look for paths of another form", |connection| self.paths_of_another_form(connection))?;
        if others.is_empty() {
            return Ok(());
        }
        // What is deleted is overwritten, and what was deleted earlier is dropped: a name must not stay in a free page.
        self.read("empty free pages", |connection| connection.pragma_update(None, "secure_delete", true))?;
        self.write("rewrite paths", |transaction| {
            let mut update = transaction.prepare("UPDATE job SET path = ?2 WHERE path = ?1")?;
            for stored in others {
                let path = self.paths.kept(&self.paths.revealed(stored.clone()));
                update.execute(params![path_bytes(&stored), path_bytes(&path)])?;
            }
            Ok::<_, WriteError>(())
        })?;
        self.read("empty free pages", |connection| {
            connection.execute_batch("VACUUM")?;
            self.empty_log(connection)
        })
    }

    fn paths_of_another_form(&self, connection: &Connection) -> Result<Vec<PathBuf>> {
        let [first, end] = encrypted_range();
        let condition = match self.paths.encrypts() {
            true => "path < ?1 OR path >= ?2",
            false => "path >= ?1 AND path < ?2",
        };
        let mut query = connection.prepare(&format!("SELECT DISTINCT path FROM job WHERE {condition}"))?;
        query.query_map([first, end], |row| Ok(path_from(row.get(0)?)))?.collect()
    }

    /// Returns a row with the path as people know it.
    pub(super) fn shown(&self, job: JobRow) -> JobRow {
        JobRow { file: self.paths.revealed_file(job.file), ..job }
    }
}

fn encrypted_path(connection: &Connection) -> Result<Option<PathBuf>> {
    let found =
        connection.query_row("SELECT path FROM job WHERE path >= ?1 AND path < ?2 LIMIT 1", encrypted_range(), |row| {
            Ok(path_from(row.get(0)?))
        });
    found.optional()
}
