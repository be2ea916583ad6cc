//! SQLite, the only back end today.

mod conflict;
mod database;
mod database_files;
mod drift;
mod facts;
mod inventory;
mod job_table;
mod label_store;
mod maintenance;
mod names;
mod outbox;
mod overview;
mod page;
mod place;
mod queue;
mod read;
mod reading;
mod row;
mod schema;
mod stored_paths;
mod study;

pub use database::SqliteStore;
