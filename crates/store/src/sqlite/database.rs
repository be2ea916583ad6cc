//! The one SQLite file: how it is opened, locked and closed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::schema;
use crate::{Backend, StoreError};

/// Time that a call waits for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The SQLite back end. Threads may share one; other processes may open the same file beside it.
pub struct SqliteStore {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens or makes the database file and brings its schema up to date.
    ///
    /// The journal is a write-ahead log, so people can read while the daemon writes; every commit is synced
    /// (`synchronous = FULL`), since a label lost to a power cut would have to be made again and its study may have
    /// been reported as closed. That costs about a millisecond a loop.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] or [`StoreError::Foreign`] for a file this program must not touch.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open = |source| StoreError::Open { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(open)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(open)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(open)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(open)?;
        schema::bring_up_to_date(&mut connection, path)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)).map_err(open)?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads with the connection to itself.
    pub(crate) fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&self.lock()).map_err(|source| StoreError::Query { doing, source })
    }

    /// Writes in one transaction, which is rolled back when `work` fails.
    ///
    /// It is an immediate one: a transaction that reads first and asks for the write lock later fails at once when
    /// another process has written in between, whatever the busy timeout.
    pub(crate) fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, WriteError>,
    ) -> Result<T, StoreError> {
        let query = |source| StoreError::Query { doing, source };
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(query)?;
        let value = work(&transaction).map_err(|error| match error {
            WriteError::Sqlite(source) => query(source),
            WriteError::Store(error) => error,
        })?;
        transaction.commit().map_err(query)?;
        Ok(value)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held has rolled its transaction back: the connection is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Backend for SqliteStore {
    fn checkpoint(&self) -> Result<(), StoreError> {
        self.read("checkpoint the write-ahead log", |connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })
    }
}

/// Errors that end a write early: SQLite, or a rule of the store.
pub(crate) enum WriteError {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
