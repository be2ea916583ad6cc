//! Promises of every database; each kind of database runs them.

pub mod common;
mod durability;
mod export;
mod identity;
mod labels;
mod outbox;
mod page;
mod queue;
mod sql_views;
