//! Receiving by STOW-RS (PS3.18 section 10.5): requests over HTTP, with the same way to the disk as C-STORE.
//!
//! hyper is used without a framework: it has a deadline for headers, which `axum::serve` lacks, and there are two addresses.

mod answer;
mod body;
mod part;
mod request;
mod server;
mod store;

pub(crate) use server::StowServer;
