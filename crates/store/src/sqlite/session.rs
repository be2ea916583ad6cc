//! Statements on a connection to SQLite.

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::DatabaseError;
use crate::sql::{Column, Columns, Result, Row, Session, Table, Value, time_text};

/// A connection, or a transaction on it, which nobody else has while it lasts.
pub(super) struct SqliteSession<'a>(pub &'a Connection);

impl Session for SqliteSession<'_> {
    fn execute(&self, sql: &str, parameters: &[Value]) -> Result<usize> {
        Ok(self.0.prepare_cached(sql)?.execute(params_from_iter(parameters))?)
    }

    fn query(&self, sql: &str, parameters: &[Value], each: &mut dyn FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(parameters))?;
        while let Some(row) = rows.next()? {
            each(&Row::new(row))?;
        }
        Ok(())
    }

    fn now(&self, of_caller: Timestamp) -> Result<Timestamp> {
        Ok(of_caller)
    }

    fn lock(&self, _kind: &str, _key: &[u8]) -> Result<()> {
        // A transaction that writes has the whole file to itself.
        Ok(())
    }

    fn row_lock(&self) -> &'static str {
        ""
    }

    fn continue_numbers(&self, _table: &Table) -> Result<()> {
        // Each number follows the largest that is there.
        Ok(())
    }

    fn has_other_workers(&self) -> bool {
        false
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Boolean(value) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*value))),
            Self::Integer(value) => ToSqlOutput::Borrowed(ValueRef::Integer(*value)),
            Self::Real(value) => ToSqlOutput::Borrowed(ValueRef::Real(*value)),
            Self::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Self::Blob(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Self::Time(value) => ToSqlOutput::from(time_text(*value)),
        })
    }
}

impl Columns for rusqlite::Row<'_> {
    fn value(&self, column: Column<'_>) -> Result<Value> {
        let value = match column {
            Column::Name(name) => self.get_ref(name)?,
            Column::Place(place) => self.get_ref(place)?,
        };
        Ok(match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Integer(value),
            ValueRef::Real(value) => Value::Real(value),
            ValueRef::Text(text) => {
                Value::Text(String::from_utf8(text.to_vec()).map_err(|error| unreadable(column, &error))?)
            }
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        })
    }
}

fn unreadable(column: Column<'_>, problem: &dyn std::error::Error) -> DatabaseError {
    DatabaseError::Unreadable { column: format!("{column:?}"), problem: problem.to_string() }
}
