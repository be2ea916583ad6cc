//! A database for one test.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use store::Store;
use tempfile::TempDir;

/// A database file in a folder of its own.
pub struct Lab {
    folder: TempDir,
}

/// Returns a new database; always there, as the suite must know of a kind that may not be.
pub fn new_store() -> Option<(Lab, Store)> {
    let lab = Lab { folder: tempfile::tempdir().unwrap() };
    let store = lab.open();
    Some((lab, store))
}

impl Lab {
    /// Opens the database again, as another process would.
    pub fn open(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("labels.sqlite")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the rows of a query whose columns are text.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let connection = Connection::open(self.path()).unwrap();
        let mut query = connection.prepare(sql).unwrap();
        let columns = query.column_count();
        query
            .query_map([], |row| (0..columns).map(|place| row.get(place)).collect())
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }
}
