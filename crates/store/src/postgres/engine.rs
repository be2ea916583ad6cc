//! A database on a server: its connections and transactions.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use postgres::error::SqlState;

use super::connection::Connection;
use super::session::PostgresSession;
use super::{PostgresAddress, maintenance, schema};
use crate::engine::{Engine, Scope, Work};
use crate::sql::WriteError;
use crate::{DatabaseError, DatabaseLocation, StoreError};

/// Tries of a transaction that the server rolls back for the sake of another one.
const MAX_TRIES: u32 = 10;

/// Connections that are kept for the next call; a program has a few threads.
const MAX_IDLE: usize = 16;

/// A database on a server. Each call has a connection of its own while it lasts, so threads do not wait for each other.
pub(crate) struct PostgresEngine {
    database: DatabaseLocation,
    address: PostgresAddress,
    read_only: bool,
    by_callers_clock: bool,
    idle: Mutex<Vec<Connection>>,
    /// Connection whose session holds the lock of the one daemon.
    daemon_lock: Option<Mutex<Connection>>,
}

impl PostgresEngine {
    /// Connects to the database and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] or [`StoreError::Foreign`] for one that this program must not touch.
    pub fn open(address: &PostgresAddress) -> Result<Self, StoreError> {
        let engine = Self::new(address, false);
        let mut connection = engine.connect()?;
        schema::bring_up_to_date(&mut connection, &engine.database)?;
        engine.keep(connection);
        Ok(engine)
    }

    /// Connects as a daemon, of which there is one at a time; workers are not daemons.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::InUse`].
    pub fn open_for_daemon(address: &PostgresAddress) -> Result<Self, StoreError> {
        let mut engine = Self::open(address)?;
        let mut connection = engine.connect()?;
        engine.lock_for_daemon(&mut connection)?;
        engine.daemon_lock = Some(Mutex::new(connection));
        Ok(engine)
    }

    /// Connects without ever writing.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`StoreError::OlderSchema`].
    pub fn open_read_only(address: &PostgresAddress) -> Result<Self, StoreError> {
        let engine = Self::new(address, true);
        let mut connection = engine.connect()?;
        schema::check_version(&mut connection, &engine.database)?;
        engine.keep(connection);
        Ok(engine)
    }

    fn new(address: &PostgresAddress, read_only: bool) -> Self {
        Self {
            database: DatabaseLocation::Postgres(address.clone()),
            address: address.clone(),
            read_only,
            by_callers_clock: false,
            idle: Mutex::new(Vec::new()),
            daemon_lock: None,
        }
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        Connection::new(&self.address, self.read_only)
            .map_err(|source| StoreError::Open { database: self.database.clone(), source: source.into() })
    }

    /// Takes the lock that one daemon has; the server gives it back when the connection ends.
    fn lock_for_daemon(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let sql = "SELECT pg_try_advisory_lock(hashtextextended('echolabel daemon ' || current_schema(), 0))";
        let row = connection
            .client
            .query_one(sql, &[])
            .map_err(|source| StoreError::Open { database: self.database.clone(), source: source.into() })?;
        match row.get(0) {
            true => Ok(()),
            false => Err(StoreError::InUse { database: self.database.clone() }),
        }
    }

    /// Takes the daemon's lock again where the server was restarted and let it go.
    fn check_daemon_lock(&self) -> Result<(), StoreError> {
        let Some(lock) = &self.daemon_lock else { return Ok(()) };
        let mut connection = lock.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.client.is_closed() {
            let mut next = self.connect()?;
            self.lock_for_daemon(&mut next)?;
            *connection = next;
        }
        Ok(())
    }

    /// Returns a connection that was idle, else a new one.
    fn take(&self) -> Result<Connection, StoreError> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if !connection.client.is_closed() {
                return Ok(connection);
            }
        }
        drop(idle);
        self.connect()
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !connection.client.is_closed() && idle.len() < MAX_IDLE {
            idle.push(connection);
        }
    }

    /// Closes every idle connection: the server that they led to is gone.
    fn forget_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn try_once(&self, connection: &mut Connection, scope: Scope, work: &mut Work<'_>) -> Result<(), Ended> {
        let begin = match scope {
            Scope::Read => None,
            Scope::Snapshot => Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            Scope::Write => Some("BEGIN"),
        };
        if let Some(begin) = begin {
            connection
                .client
                .batch_execute(begin)
                .map_err(|error| Ended::BeforeCommit(WriteError::Database(error.into())))?;
        }
        let worked = work(&PostgresSession::new(connection, self.by_callers_clock));
        match (worked, begin) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(_)) => connection.client.batch_execute("COMMIT").map_err(Ended::AtCommit),
            (Err(error), None) => Err(Ended::BeforeCommit(error)),
            (Err(error), Some(_)) => {
                // Where this fails the connection is gone, and the server has rolled back by itself.
                let _ = connection.client.batch_execute("ROLLBACK");
                Err(Ended::BeforeCommit(error))
            }
        }
    }

    fn query_error(&self, doing: &'static str, source: DatabaseError) -> StoreError {
        match source.sql_state() {
            Some(state) if *state == SqlState::READ_ONLY_SQL_TRANSACTION => {
                StoreError::ReadOnly { database: self.database.clone() }
            }
            _ => StoreError::Query { doing, source },
        }
    }
}

/// Moment at which a transaction failed.
enum Ended {
    /// Nothing of it is in the database.
    BeforeCommit(WriteError),
    /// The answer to the commit was lost, so it may be in the database or not.
    AtCommit(postgres::Error),
}

impl Engine for PostgresEngine {
    fn run(&self, doing: &'static str, scope: Scope, mut work: Work<'_>) -> Result<(), StoreError> {
        self.check_daemon_lock()?;
        let mut tries = 0;
        loop {
            tries += 1;
            let mut connection = self.take()?;
            let outcome = self.try_once(&mut connection, scope, &mut work);
            let is_lost = connection.client.is_closed();
            self.keep(connection);
            let source = match outcome {
                Ok(()) => return Ok(()),
                Err(Ended::BeforeCommit(WriteError::Store(error))) => return Err(error),
                Err(Ended::AtCommit(error)) => return Err(self.query_error(doing, error.into())),
                Err(Ended::BeforeCommit(WriteError::Database(source))) => source,
            };
            if is_lost {
                self.forget_idle();
            }
            if tries == MAX_TRIES || !(is_lost || source.is_rolled_back_for_another()) {
                return Err(self.query_error(doing, source));
            }
            thread::sleep(Duration::from_millis(u64::from(tries) * 5));
        }
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        maintenance::check(self)
    }

    fn backup(&self, _target: &Path) -> Result<(), StoreError> {
        Err(StoreError::BackedUpByServer { database: self.database.clone() })
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        // The server does it by itself.
        Ok(())
    }

    fn overwrite_deleted(&self) -> Result<(), StoreError> {
        // Rows that nobody sees any more go with the old file of their table, in `drop_deleted`.
        Ok(())
    }

    fn drop_deleted(&self) -> Result<(), StoreError> {
        let mut connection = self.take()?;
        let dropped = connection.client.batch_execute("VACUUM FULL job");
        self.keep(connection);
        dropped.map_err(|source| self.query_error("drop old rows", source.into()))
    }

    fn database(&self) -> &DatabaseLocation {
        &self.database
    }

    fn follow_callers_clock(&mut self) {
        self.by_callers_clock = true;
    }
}
