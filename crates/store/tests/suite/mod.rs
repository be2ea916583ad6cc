//! Promises of every database; each kind of database runs them.

pub mod common;
mod durability;
mod export;
mod identity;
mod labels;
mod lacking_views;
mod outbox;
mod page;
mod queue;
mod sql_views;
