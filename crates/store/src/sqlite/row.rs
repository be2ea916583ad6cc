//! How values of this crate stand in database rows.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Result, Row};
use serde::de::DeserializeOwned;

/// Fixed width, so that text order is time order.
pub(crate) fn time_text(time: Timestamp) -> String {
    format!("{time:.6}")
}

pub(crate) fn time(row: &Row<'_>, column: &str) -> Result<Timestamp> {
    parsed(column, &row.get::<_, String>(column)?)
}

pub(crate) fn optional_time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    row.get::<_, Option<String>>(column)?.map(|text| parsed(column, &text)).transpose()
}

fn parsed(column: &str, text: &str) -> Result<Timestamp> {
    text.parse().map_err(|error: jiff::Error| unreadable(column, error))
}

pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    serde_json::from_str(&row.get::<_, String>(column)?).map_err(|error| unreadable(column, error))
}

/// SQLite integers are signed; a count never is.
pub(crate) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}

/// An error that names the column whose value means nothing to this program.
pub(crate) fn unreadable(
    column: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
) -> rusqlite::Error {
    let error: Box<dyn std::error::Error + Send + Sync + 'static> = error.into();
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, format!("column {column}: {error}").into())
}

#[cfg(unix)]
pub(crate) fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_owned()
}

#[cfg(unix)]
pub(crate) fn path_from(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
pub(crate) fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(not(unix))]
pub(crate) fn path_from(bytes: Vec<u8>) -> PathBuf {
    OsString::from(String::from_utf8_lossy(&bytes).into_owned()).into()
}
