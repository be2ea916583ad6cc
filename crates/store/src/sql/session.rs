//! A connection to a database as the rules of the store see it.

use jiff::{SignedDuration, Timestamp};

use super::Table;
use super::value::{FromValue, Value, convert};
use crate::{DatabaseError, StoreError};

/// Result of a statement.
pub(crate) type Result<T, E = DatabaseError> = std::result::Result<T, E>;

/// Builds the parameters of a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::sql::ToValue::to_value(&$value)),*]
    };
}
pub(crate) use params;

/// A connection that statements are run on, within a transaction where something is written.
///
/// Parameters are written `?1`, `?2`, ... whatever the database.
pub(crate) trait Session {
    /// Runs a statement and returns the number of rows that it changed.
    fn execute(&self, sql: &str, parameters: &[Value]) -> Result<usize>;

    /// Runs a query and gives each of its rows to `each`.
    fn query(&self, sql: &str, parameters: &[Value], each: &mut dyn FnMut(&Row<'_>) -> Result<()>) -> Result<()>;

    /// Returns the time by which leases run: the caller's, or the database's where several computers use it.
    fn now(&self, of_caller: Timestamp) -> Result<Timestamp>;

    /// Lets no other transaction with the same key pass until this one ends. `kind` tells keys of different things apart.
    fn lock(&self, kind: &str, key: &[u8]) -> Result<()>;

    /// Returns the words that make a query take the rows that nobody else is taking, where several can at once.
    fn row_lock(&self) -> &'static str;

    /// Lets the numbers of new rows follow those that were written into a table.
    fn continue_numbers(&self, table: &Table) -> Result<()>;

    /// Returns whether workers that this program does not know may hold jobs.
    fn has_other_workers(&self) -> bool;
}

/// Queries for all rows, one row or none, by the methods of a session.
pub(crate) trait SessionExt: Session {
    /// Returns every row of a query.
    fn query_all<T>(
        &self,
        sql: &str,
        parameters: &[Value],
        mut convert: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.query(sql, parameters, &mut |row| {
            rows.push(convert(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Returns the first row of a query, if there is one.
    fn query_optional<T>(
        &self,
        sql: &str,
        parameters: &[Value],
        convert: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let (mut convert, mut found) = (Some(convert), None);
        self.query(sql, parameters, &mut |row| {
            if let Some(convert) = convert.take() {
                found = Some(convert(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns the first row of a query that always has one.
    fn query_one<T>(&self, sql: &str, parameters: &[Value], convert: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<T> {
        self.query_optional(sql, parameters, convert)?.ok_or(DatabaseError::NoRow)
    }

    /// Returns a time of the caller's clock by the clock of [`Session::now`].
    fn shifted(&self, time: Timestamp, now_of_caller: Timestamp) -> Result<Timestamp> {
        let ahead: SignedDuration = time.duration_since(now_of_caller);
        Ok(self.now(now_of_caller)?.saturating_add(ahead).unwrap_or(Timestamp::MAX))
    }
}

impl<S: Session + ?Sized> SessionExt for S {}

/// Access to the columns of a row of one database.
pub(crate) trait Columns {
    /// Returns the value of a column.
    fn value(&self, column: Column<'_>) -> Result<Value>;
}

/// A column by name or by its place in the query, from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column<'a> {
    Name(&'a str),
    Place(usize),
}

impl<'a> From<&'a str> for Column<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

impl From<usize> for Column<'_> {
    fn from(place: usize) -> Self {
        Self::Place(place)
    }
}

/// A row of a query.
pub(crate) struct Row<'a>(&'a dyn Columns);

impl<'a> Row<'a> {
    pub(crate) fn new(columns: &'a dyn Columns) -> Self {
        Self(columns)
    }

    /// Returns the value of a column.
    pub(crate) fn get<'c, T: FromValue>(&self, column: impl Into<Column<'c>>) -> Result<T> {
        let column = column.into();
        let value = self.0.value(column)?;
        match column {
            Column::Name(name) => convert(name, value),
            Column::Place(place) => convert(&place.to_string(), value),
        }
    }
}

/// Errors that end a write early: the database, or a rule of the store.
pub(crate) enum WriteError {
    Database(DatabaseError),
    Store(StoreError),
}

impl From<DatabaseError> for WriteError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
