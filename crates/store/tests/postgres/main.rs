//! The suite of the store on PostgreSQL, and what only a server can do.

mod copying;
mod lab;
mod scale;
mod server;
#[path = "../suite/mod.rs"]
mod suite;
