//! A database for one test: a schema of its own on a server that the tests share.

use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};
use store::{PostgresAddress, Store};
use tempfile::TempDir;
use test_support::PostgresServer;

static SERVER: LazyLock<Option<PostgresServer>> = LazyLock::new(|| PostgresServer::start(&["fsync=off"]));
static LABS: AtomicU32 = AtomicU32::new(0);

/// A schema, and a folder for what a test writes.
pub struct Lab {
    address: String,
    folder: TempDir,
}

/// Returns a new database whose leases run by the times that the suite gives; none where there is no server.
pub fn new_store() -> Option<(Lab, Store)> {
    let lab = Lab::new()?;
    let store = lab.open();
    Some((lab, store))
}

impl Lab {
    /// Makes an empty schema; none where there is no server, and then the test counts as skipped.
    pub fn new() -> Option<Self> {
        let Some(server) = SERVER.as_ref() else {
            test_support::record_skipped("no PostgreSQL server");
            return None;
        };
        let name = format!("lab_{}", LABS.fetch_add(1, Ordering::Relaxed));
        Client::connect(&server.address(), NoTls).unwrap().batch_execute(&format!("CREATE SCHEMA {name}")).unwrap();
        let address = format!("{}?options=-csearch_path%3D{name}", server.address());
        Some(Self { address, folder: tempfile::tempdir().unwrap() })
    }

    pub fn address(&self) -> store::DatabaseLocation {
        store::DatabaseLocation::Postgres(self.address.parse::<PostgresAddress>().unwrap())
    }

    /// Opens the database again, as another process would.
    pub fn open(&self) -> Store {
        Store::open(self.address()).unwrap().by_callers_clock()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.address, NoTls).unwrap()
    }

    /// Returns the rows of a query whose columns are text.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let rows = self.client().query(sql, &[]).unwrap();
        rows.iter().map(|row| (0..row.len()).map(|place| row.get(place)).collect()).collect()
    }
}
