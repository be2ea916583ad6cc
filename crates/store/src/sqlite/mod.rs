//! SQLite: one file, for one computer.

mod database_files;
mod engine;
mod maintenance;
mod schema;
mod session;

pub(crate) use engine::SqliteEngine;

use rusqlite::ErrorCode;

/// Returns true for the codes of SQLite that say that the file itself is wrong.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
