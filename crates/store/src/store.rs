//! The store: one type for every kind of database.

use std::fmt;
use std::path::Path;

use crate::engine::{Engine, Scope};
use crate::path_form::is_encrypted;
#[cfg(feature = "postgres")]
use crate::postgres::PostgresEngine;
use crate::sql::{self, Session, WriteError, stored_paths};
use crate::sqlite::SqliteEngine;
use crate::{Backend, DatabaseLocation, JobRow, PathForm, StoreError};

/// Studies, loops, jobs and predictions in a database. Threads may share one; other processes may use the same database
/// beside it.
pub struct Store {
    engine: Box<dyn Engine>,
    /// Form in which paths are kept.
    paths: PathForm,
}

impl Store {
    /// Opens the database, makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] or [`StoreError::Foreign`] for one that this program must not touch.
    pub fn open(database: impl Into<DatabaseLocation>) -> Result<Self, StoreError> {
        Ok(match database.into() {
            DatabaseLocation::File(path) => Self::of(SqliteEngine::open(&path)?),
            #[cfg(feature = "postgres")]
            DatabaseLocation::Postgres(address) => Self::of(PostgresEngine::open(&address)?),
        })
    }

    /// Opens the database for a daemon, of which there is one at a time, and looks a file through for damage.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::InUse`] while another daemon holds it; [`StoreError::Damaged`].
    pub fn open_for_daemon(database: impl Into<DatabaseLocation>) -> Result<Self, StoreError> {
        Ok(match database.into() {
            DatabaseLocation::File(path) => Self::of(SqliteEngine::open_for_daemon(&path)?),
            #[cfg(feature = "postgres")]
            DatabaseLocation::Postgres(address) => Self::of(PostgresEngine::open_for_daemon(&address)?),
        })
    }

    /// Opens an existing database without ever writing: neither the file nor its folder need be writable.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::OlderSchema`].
    pub fn open_read_only(database: impl Into<DatabaseLocation>) -> Result<Self, StoreError> {
        Ok(match database.into() {
            DatabaseLocation::File(path) => Self::of(SqliteEngine::open_read_only(&path)?),
            #[cfg(feature = "postgres")]
            DatabaseLocation::Postgres(address) => Self::of(PostgresEngine::open_read_only(&address)?),
        })
    }

    fn of(engine: impl Engine + 'static) -> Self {
        Self { engine: Box::new(engine), paths: PathForm::default() }
    }

    /// Lets leases run by the times that callers give, as on a file they always do. A server's clock decides otherwise, since
    /// the clocks of many computers differ; tests of the same rules on both need a time of their own.
    #[must_use]
    pub fn by_callers_clock(mut self) -> Self {
        self.engine.follow_callers_clock();
        self
    }

    /// Returns the database that was opened.
    pub fn database(&self) -> &DatabaseLocation {
        self.engine.database()
    }

    /// Returns the faults of the database; none for a sound one.
    ///
    /// # Errors
    /// The database cannot be read now.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        self.engine.check()
    }

    /// Copies the database into one file, which appears whole or not at all; others may write to the database meanwhile,
    /// and the copy is of one moment.
    ///
    /// # Errors
    /// The target cannot be written; [`StoreError::Damaged`] when the copy is not sound, and then there is none.
    pub fn backup(&self, target: &Path) -> Result<(), StoreError> {
        self.engine.backup(target)
    }

    /// Sets the form in which paths are kept from now on. Rows of another form stay as they are and can be read.
    ///
    /// # Errors
    /// [`StoreError::PathKey`] where paths are encrypted by another key.
    pub fn with_paths(mut self, form: PathForm) -> Result<Self, StoreError> {
        let sample = self.read("look for encrypted paths", stored_paths::find_encrypted)?;
        if form.has_key() && sample.is_some_and(|stored| is_encrypted(&form.revealed(stored))) {
            return Err(StoreError::PathKey { database: self.database().clone() });
        }
        self.paths = form;
        Ok(self)
    }

    /// Brings every path into the form in which they are kept; for the one daemon, which looks files up by them.
    ///
    /// # Errors
    /// [`StoreError::PathKey`] where paths are encrypted and there is no key; the database cannot be written.
    pub fn rewrite_paths(&self) -> Result<(), StoreError> {
        if !self.paths.has_key() && self.read("look for encrypted paths", stored_paths::find_encrypted)?.is_some() {
            return Err(StoreError::PathKey { database: self.database().clone() });
        }
        let others =
            self.read("look for paths of another form", |session| stored_paths::of_another_form(session, &self.paths))?;
        if others.is_empty() {
            return Ok(());
        }
        // What was deleted earlier is dropped too: a name must not stay in a free page.
        self.engine.overwrite_deleted()?;
        self.write("rewrite paths", |session| Ok(stored_paths::rewrite(session, &self.paths, &others)?))?;
        self.engine.drop_deleted()
    }

    pub(crate) const fn paths(&self) -> &PathForm {
        &self.paths
    }

    /// Returns a row with the path as people know it.
    pub(crate) fn revealed(&self, job: JobRow) -> JobRow {
        JobRow { file: self.paths.revealed_file(job.file), ..job }
    }

    /// Reads by queries that each see what is committed when they start.
    pub(crate) fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnMut(&dyn Session) -> sql::Result<T>,
    ) -> Result<T, StoreError> {
        self.run(doing, Scope::Read, as_write(work))
    }

    /// Reads one moment.
    pub(crate) fn snapshot<T>(
        &self,
        doing: &'static str,
        work: impl FnMut(&dyn Session) -> sql::Result<T>,
    ) -> Result<T, StoreError> {
        self.run(doing, Scope::Snapshot, as_write(work))
    }

    /// Writes in one transaction, which is rolled back when `work` fails.
    pub(crate) fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnMut(&dyn Session) -> Result<T, WriteError>,
    ) -> Result<T, StoreError> {
        self.run(doing, Scope::Write, work)
    }

    fn run<T>(
        &self,
        doing: &'static str,
        scope: Scope,
        mut work: impl FnMut(&dyn Session) -> Result<T, WriteError>,
    ) -> Result<T, StoreError> {
        let mut value = None;
        self.engine.run(doing, scope, &mut |session| {
            value = Some(work(session)?);
            Ok(())
        })?;
        value.ok_or(StoreError::Query { doing, source: crate::DatabaseError::NoRow })
    }
}

fn as_write<T>(
    mut work: impl FnMut(&dyn Session) -> sql::Result<T>,
) -> impl FnMut(&dyn Session) -> Result<T, WriteError> {
    move |session| Ok(work(session)?)
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("database", self.database()).finish_non_exhaustive()
    }
}

impl Backend for Store {
    fn checkpoint(&self) -> Result<(), StoreError> {
        self.engine.checkpoint()
    }
}
