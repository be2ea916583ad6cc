//! The suite of the store on PostgreSQL, and what only a server can do.

mod lab;
mod server;
#[path = "../suite/mod.rs"]
mod suite;
