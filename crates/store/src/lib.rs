//! Keeps studies, loops, jobs and predictions in one SQLite file, and writes exports.
//!
//! Callers meet two small doors, [`Queue`] and [`LabelStore`]; [`SqliteStore`] is the only thing behind them today. Every
//! method that writes takes the time as an argument, so that no rule in here depends on a clock.

pub mod export;

mod backend;
mod error;
mod inventory;
mod job;
mod label_store;
mod queue;
mod record;
mod sqlite;

pub use backend::Backend;
pub use error::StoreError;
pub use inventory::{Inventory, InventoryLoop, ModelUsed, NotLabelled, NotLabelledWhy, ViewInventory};
pub use job::{
    DicomIdentity, Enqueued, FileIdentity, Job, JobCounts, JobFailure, JobRow, JobState, Retry, SettledFile,
};
pub use label_store::{KnownLoop, LabelStore, Recorded};
pub use queue::Queue;
pub use record::{LoopFacts, Review, StoredLoop, StoredPrediction, Study};
pub use sqlite::SqliteStore;
