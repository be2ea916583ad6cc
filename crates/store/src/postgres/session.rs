//! Statements on a connection to PostgreSQL.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;
use postgres::types::ToSql;

use super::connection::Connection;
use crate::sql::{Result, Row, Session, SessionExt as _, Table, Value, params};

/// A connection while something is done on it.
pub(super) struct PostgresSession<'a> {
    connection: RefCell<&'a mut Connection>,
    /// Leases run by the clock of the caller instead of the server's.
    by_callers_clock: bool,
    now: Cell<Option<Timestamp>>,
}

impl<'a> PostgresSession<'a> {
    pub fn new(connection: &'a mut Connection, by_callers_clock: bool) -> Self {
        Self { connection: RefCell::new(connection), by_callers_clock, now: Cell::new(None) }
    }
}

impl Session for PostgresSession<'_> {
    fn execute(&self, sql: &str, parameters: &[Value]) -> Result<usize> {
        let mut connection = self.connection.borrow_mut();
        let statement = connection.prepare(sql)?;
        Ok(connection.client.execute(&statement, &references(parameters))? as usize)
    }

    fn query(&self, sql: &str, parameters: &[Value], each: &mut dyn FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        let rows = {
            let mut connection = self.connection.borrow_mut();
            let statement = connection.prepare(sql)?;
            connection.client.query(&statement, &references(parameters))?
        };
        rows.iter().try_for_each(|row| each(&Row::new(row)))
    }

    fn now(&self, of_caller: Timestamp) -> Result<Timestamp> {
        if self.by_callers_clock {
            return Ok(of_caller);
        }
        if let Some(now) = self.now.get() {
            return Ok(now);
        }
        let now = self.query_one("SELECT clock_timestamp() AS now", &[], |row| row.get("now"))?;
        self.now.set(Some(now));
        Ok(now)
    }

    fn lock(&self, kind: &str, key: &[u8]) -> Result<()> {
        // The time is asked for on the same way: most transactions need both.
        let now = self.query_one(
            "SELECT pg_advisory_xact_lock(hashtextextended(?1 || encode(?2, 'hex'), 0)), clock_timestamp() AS now",
            params![kind, key.to_vec()],
            |row| row.get("now"),
        )?;
        self.now.set(Some(now));
        Ok(())
    }

    fn row_lock(&self) -> &'static str {
        "FOR UPDATE SKIP LOCKED"
    }

    fn continue_numbers(&self, table: &Table) -> Result<()> {
        let (name, key) = (table.name, table.key);
        // A key that is another table's has no sequence.
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{name}', '{key}'), greatest((SELECT max({key}) FROM {name}), 1),
                 EXISTS (SELECT 1 FROM {name}))
             WHERE pg_get_serial_sequence('{name}', '{key}') IS NOT NULL"
        );
        if table.has_numbers() { self.query(&sql, &[], &mut |_| Ok(())) } else { Ok(()) }
    }

    fn has_other_workers(&self) -> bool {
        true
    }
}

fn references(parameters: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
