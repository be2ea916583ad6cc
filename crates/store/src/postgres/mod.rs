//! PostgreSQL: one server, for any number of computers.

mod address;
mod connection;
mod engine;
mod maintenance;
mod schema;
mod session;
mod trouble;
mod value;

pub use address::{InvalidAddress, PostgresAddress};
pub(crate) use engine::PostgresEngine;
pub(crate) use trouble::{is_rolled_back_for_another, is_temporary, trouble};
