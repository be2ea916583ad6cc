//! SQLite, the only back end today.

mod database;
mod label_store;
mod queue;
mod read;
mod row;
mod schema;
mod study;

pub use database::Store;
