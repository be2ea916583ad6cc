//! The one SQLite file: how it is opened, used and closed.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use files::FileLock;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, TransactionBehavior};

use super::database_files::{DatabaseFiles, immutable_uri, make_private, open_to_lock};
use super::session::SqliteSession;
use super::{is_damage, schema};
use crate::engine::{Engine, Scope, Work};
use crate::sql::WriteError;
use crate::{DatabaseError, DatabaseLocation, StoreError};

/// Time that a command waits for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The same for a daemon, which tries again by itself and must notice a signal in between.
const DAEMON_BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// The same for emptying the log, which is no loss when it does not succeed.
const CHECKPOINT_BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// Size to which SQLite cuts its log when nobody reads it.
const LOG_BYTES_KEPT: i64 = 16 << 20;

/// Size of the log at which writing waits for a reader that does not end.
const MAX_LOG_BYTES: u64 = 256 << 20;

/// Statements that stay prepared: those of a page and of a worker.
const PREPARED_STATEMENTS: usize = 100;

/// The file with its one connection.
pub(crate) struct SqliteEngine {
    database: DatabaseLocation,
    files: DatabaseFiles,
    connection: Mutex<Connection>,
    busy_timeout: Duration,
    /// Closed after the connection, as fields are in order: closing a descriptor of the file drops the record locks that
    /// SQLite holds on it in this process.
    _lock: Option<FileLock>,
}

impl SqliteEngine {
    /// Opens or makes the database file and brings its schema up to date.
    ///
    /// The journal is a write-ahead log, so people can read while the daemon writes; every commit is synced
    /// (`synchronous = FULL`), since a label lost to a power cut would have to be made again and its study may have
    /// been reported as closed. That costs about a millisecond a loop.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] or [`StoreError::Foreign`] for a file this program must not touch.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        Self::open_to_write(path, BUSY_TIMEOUT, None)
    }

    /// Opens the database for a daemon, of which there is one at a time, and looks it through for damage.
    ///
    /// The lock is on the file itself, so it holds by whatever name or link the file is reached.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::InUse`] while another daemon holds it; [`StoreError::Damaged`].
    pub fn open_for_daemon(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        // Before the connection: a descriptor that is closed because the lock is held takes SQLite's locks with it.
        let lock = open_to_lock(path)?;
        let store = Self::open_to_write(path, DAEMON_BUSY_TIMEOUT, Some(lock))?;
        match store.faults("PRAGMA quick_check(1)")?.pop() {
            Some(problem) => Err(StoreError::Damaged { path: path.to_owned(), problem }),
            None => Ok(store),
        }
    }

    /// Opens an existing database without ever writing: neither the file nor its folder need be writable.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::OlderSchema`].
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let open = |source: rusqlite::Error| StoreError::Open { database: path.into(), source: source.into() };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let first = Connection::open_with_flags(path, flags).map_err(open)?;
        let connection = match schema::check_version(&first, path) {
            // SQLite cannot make its log's index in a folder that is not writable. Without a log nobody is writing.
            Err(StoreError::Open { source, .. })
                if matches!(source.sqlite_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
                    && !DatabaseFiles::has_log(path) =>
            {
                let connection = Connection::open_with_flags(immutable_uri(path), flags).map_err(open)?;
                schema::check_version(&connection, path)?;
                connection
            }
            checked => {
                checked?;
                first
            }
        };
        connection.busy_timeout(BUSY_TIMEOUT).map_err(open)?;
        connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
        Ok(Self {
            database: path.into(),
            files: DatabaseFiles::look(path)?,
            connection: Mutex::new(connection),
            busy_timeout: BUSY_TIMEOUT,
            _lock: None,
        })
    }

    fn open_to_write(path: &Path, busy_timeout: Duration, lock: Option<FileLock>) -> Result<Self, StoreError> {
        let open = |source: rusqlite::Error| match is_damage(&source) {
            true => StoreError::Damaged { path: path.to_owned(), problem: source.to_string() },
            false => StoreError::Open { database: path.into(), source: source.into() },
        };
        let mut connection = Connection::open(path).map_err(open)?;
        // SQLite opens a file that it may not write to for reading, without a word.
        if connection.is_readonly(MAIN_DB).map_err(open)? {
            return Err(StoreError::ReadOnly { database: path.into() });
        }
        connection.busy_timeout(busy_timeout).map_err(open)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(open)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(open)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT).map_err(open)?;
        schema::bring_up_to_date(&mut connection, path)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)).map_err(open)?;
        // The log exists from the first reading on; what it is must be known to notice that it was deleted.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(open)?;
        connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
        Ok(Self {
            database: path.into(),
            files: DatabaseFiles::look(path)?,
            connection: Mutex::new(connection),
            busy_timeout,
            _lock: lock,
        })
    }

    /// Returns the path of the database file.
    pub(super) fn path(&self) -> &Path {
        self.files.database()
    }

    fn read(&self, doing: &'static str, work: Work<'_>) -> Result<(), StoreError> {
        work(&SqliteSession(&self.lock())).map_err(|error| self.work_error(doing, error))
    }

    fn snapshot(&self, doing: &'static str, work: Work<'_>) -> Result<(), StoreError> {
        let connection = self.lock();
        let snapshot = connection.unchecked_transaction().map_err(|source| self.query_error(doing, source.into()))?;
        work(&SqliteSession(&snapshot)).map_err(|error| self.work_error(doing, error))
    }

    /// Writes in one transaction, which is rolled back when `work` fails.
    ///
    /// It is an immediate one: a transaction that reads first and asks for the write lock later fails at once when
    /// another process has written in between, whatever the busy timeout.
    fn write(&self, doing: &'static str, work: Work<'_>) -> Result<(), StoreError> {
        let query = |source: rusqlite::Error| self.query_error(doing, source.into());
        let mut connection = self.lock();
        // A file that was deleted goes on to take what is written, and nobody would ever read it.
        self.files.check()?;
        if self.files.log_bytes() > MAX_LOG_BYTES {
            self.empty_log(&connection).map_err(query)?;
            let log_bytes = self.files.log_bytes();
            if log_bytes > MAX_LOG_BYTES {
                return Err(StoreError::LogFull { path: self.path().to_owned(), log_megabytes: log_bytes >> 20 });
            }
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(query)?;
        work(&SqliteSession(&transaction)).map_err(|error| self.work_error(doing, error))?;
        transaction.commit().map_err(query)
    }

    fn work_error(&self, doing: &'static str, error: WriteError) -> StoreError {
        match error {
            WriteError::Database(source) => self.query_error(doing, source),
            WriteError::Store(error) => error,
        }
    }

    /// Returns the faults that a check of SQLite lists.
    pub(super) fn faults(&self, sql: &str) -> Result<Vec<String>, StoreError> {
        let connection = self.lock();
        let listed = connection
            .prepare(sql)
            .and_then(|mut query| query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>());
        match listed {
            Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
            Err(error) if is_damage(&error) => Ok(vec![error.to_string()]),
            Err(error) => Err(self.query_error("check the database", error.into())),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held has rolled its transaction back: the connection is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn query_error(&self, doing: &'static str, source: DatabaseError) -> StoreError {
        match &source {
            DatabaseError::Sqlite(error) if is_damage(error) => {
                StoreError::Damaged { path: self.path().to_owned(), problem: error.to_string() }
            }
            _ if source.sqlite_code() == Some(ErrorCode::ReadOnly) => {
                StoreError::ReadOnly { database: self.database.clone() }
            }
            _ => StoreError::Query { doing, source },
        }
    }

    /// Brings the log into the database file and cuts it, as far as readers let it.
    fn empty_log(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(CHECKPOINT_BUSY_TIMEOUT.min(self.busy_timeout))?;
        let emptied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        connection.busy_timeout(self.busy_timeout)?;
        emptied
    }
}

impl Engine for SqliteEngine {
    fn run(&self, doing: &'static str, scope: Scope, work: Work<'_>) -> Result<(), StoreError> {
        match scope {
            Scope::Read => self.read(doing, work),
            Scope::Snapshot => self.snapshot(doing, work),
            Scope::Write => self.write(doing, work),
        }
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        self.list_faults()
    }

    fn backup(&self, target: &Path) -> Result<(), StoreError> {
        self.copy_to(target)
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        self.empty_log(&self.lock()).map_err(|source| self.query_error("checkpoint the write-ahead log", source.into()))
    }

    fn overwrite_deleted(&self) -> Result<(), StoreError> {
        let overwrite = self.lock().pragma_update(None, "secure_delete", true);
        overwrite.map_err(|source| self.query_error("overwrite what is deleted", source.into()))
    }

    fn drop_deleted(&self) -> Result<(), StoreError> {
        let connection = self.lock();
        let dropped = connection.execute_batch("VACUUM").and_then(|()| self.empty_log(&connection));
        dropped.map_err(|source| self.query_error("empty free pages", source.into()))
    }

    fn database(&self) -> &DatabaseLocation {
        &self.database
    }
}
