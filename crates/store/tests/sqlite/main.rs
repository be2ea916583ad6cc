//! The suite of the store on SQLite, and what only a file can do.

mod files;
mod lab;
mod plans;
#[path = "../suite/mod.rs"]
mod suite;
