//! Conversion of values to and from columns.

use std::error::Error;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{Result, Row};
use crate::DatabaseError;

pub(crate) fn time(row: &Row<'_>, column: &str) -> Result<Timestamp> {
    row.get(column)
}

pub(crate) fn optional_time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    row.get(column)
}

/// Reads a text column as a checked type: a UID, a digest, a time.
pub(crate) fn parsed<T>(row: &Row<'_>, column: &str) -> Result<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    row.get::<String>(column)?.parse().map_err(|error| unreadable(column, error))
}

/// Reads a text column that may be NULL as a checked type.
pub(crate) fn optional<T>(row: &Row<'_>, column: &str) -> Result<Option<T>>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|error| unreadable(column, error))).transpose()
}

/// Reads a text column as one of a list of names.
pub(crate) fn named<T>(row: &Row<'_>, column: &str, from_name: fn(&str) -> Option<T>) -> Result<T> {
    let name: String = row.get(column)?;
    from_name(&name).ok_or_else(|| unreadable(column, name))
}

/// Reads a text column that may be NULL as one of a list of names.
pub(crate) fn optional_named<T>(row: &Row<'_>, column: &str, from_name: fn(&str) -> Option<T>) -> Result<Option<T>> {
    let name: Option<String> = row.get(column)?;
    name.map(|name| from_name(&name).ok_or_else(|| unreadable(column, name))).transpose()
}

pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    serde_json::from_str(&row.get::<String>(column)?).map_err(|error| unreadable(column, error))
}

/// Reads a JSON column that may be NULL.
pub(crate) fn optional_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| unreadable(column, error))).transpose()
}

/// SQLite integers are signed; a count never is.
pub(crate) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    Ok(row.get::<i64>(column)?.unsigned_abs())
}

/// Returns an error that names the column whose value means nothing to this program.
pub(crate) fn unreadable(column: &str, problem: impl ToString) -> DatabaseError {
    DatabaseError::Unreadable { column: column.to_owned(), problem: problem.to_string() }
}
