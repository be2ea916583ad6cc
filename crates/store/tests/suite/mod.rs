//! What every database promises; each kind of database runs it.

pub mod common;
mod durability;
mod export;
mod identity;
mod labels;
mod outbox;
mod page;
mod queue;
mod sql_views;
