//! The statements and rules of the store, once for every database. What a database does in its own way is behind [`Session`].

mod claim;
mod conflict;
mod counting;
mod drift;
mod facts;
mod inventory;
mod job_table;
mod label_store;
mod names;
mod outbox;
mod overview;
mod page;
mod place;
mod queue;
mod read;
mod reading;
mod row;
mod session;
pub(crate) mod stored_paths;
mod study;
mod tables;
mod value;

pub(crate) use session::{Column, Columns, Result, Row, Session, SessionExt, WriteError, params};
pub(crate) use tables::{TABLES, Table};
pub(crate) use value::{ToValue, Value, time_text};
