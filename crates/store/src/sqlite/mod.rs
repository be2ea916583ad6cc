//! SQLite, the only back end today.

mod database;
mod database_files;
mod inventory;
mod job_table;
mod label_store;
mod maintenance;
mod place;
mod queue;
mod read;
mod row;
mod schema;
mod study;

pub use database::SqliteStore;
