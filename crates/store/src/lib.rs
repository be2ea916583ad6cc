//! Keeps studies, loops, jobs and predictions in one SQLite file, and writes exports.
//!
//! Callers use three traits, [`Queue`], [`LabelStore`] and [`Outbox`]; [`Store`] implements them. Every method that writes takes
//! the time as an argument, so no rule in here depends on a clock.
//!
//! ```
//! use domain::{EcgSource, Mode, ModelKey, Precision, Prediction, Sha256, StageTimings};
//! use jiff::{SignedDuration, Timestamp};
//! use store::{FileIdentity, LabelStore, LoopFacts, Queue, Store};
//!
//! let folder = tempfile::tempdir()?;
//! let store = Store::open(&folder.path().join("lab.sqlite"))?;
//! let now = Timestamp::now();
//!
//! let path = "/inbox/1.dcm".into();
//! let file = FileIdentity { path, size_bytes: 1000, modified_unix_ns: 0, inode: 7, changed_unix_ns: 0 };
//! store.enqueue(&file, Sha256::from([4; 32]), None, now)?;
//! let job = store.claim("worker 1", SignedDuration::from_mins(5), now)?.expect("the job that was just made");
//!
//! let model = ModelKey {
//!     pipeline: "tte11".to_owned(),
//!     pipeline_sha256: Some(Sha256::from([1; 32])),
//!     weights_sha256: Sha256::from([2; 32]),
//!     precision: Some(Precision::F32),
//! };
//! store.keep_label_set(&model, &["PLAX".to_owned(), "A4C".to_owned()], now)?;
//! let facts = LoopFacts {
//!     study_instance_uid: "1.2.3".parse()?,
//!     series_instance_uid: "1.2.3.1".parse()?,
//!     sop_instance_uid: "1.2.3.1.1".parse()?,
//!     transfer_syntax: None,
//!     manufacturer: None,
//!     scanner_model: None,
//!     mode: Mode::TwoD,
//!     rows: None,
//!     columns: None,
//!     frames: Some(60),
//!     frame_time_ms: None,
//!     acquired: None,
//!     pixel_sha256: None,
//!     not_tte: None,
//! };
//! let prediction = Prediction {
//!     model,
//!     weights_note: None,
//!     weights_status: None,
//!     view: Some("PLAX".to_owned()),
//!     confidence: 0.9,
//!     abstained: false,
//!     reason: None,
//!     probabilities: [("PLAX".to_owned(), 0.9), ("A4C".to_owned(), 0.1)].into(),
//!     prediction_set: vec!["PLAX".to_owned()],
//!     energy: None,
//!     clips: 1,
//!     frames_used: 6,
//!     frame_indexes: (0..6).collect(),
//!     ecg_source: EcgSource::None,
//!     timings: StageTimings::default(),
//!     findings: Vec::new(),
//! };
//! store.record_labelled(&job, &facts, Sha256::from([3; 32]), &prediction, now)?;
//!
//! let inventory = store.inventory(&facts.study_instance_uid)?;
//! assert_eq!(inventory.views[0].best, facts.sop_instance_uid);
//! assert_eq!(inventory.missing, ["A4C"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod export;

mod backend;
mod copying;
mod database_error;
mod engine;
mod error;
mod file_state;
mod inventory;
mod job;
mod label_store;
mod location;
mod names;
mod outbox;
mod overview;
mod page;
mod path_form;
#[cfg(feature = "postgres")]
mod postgres;
mod queue;
mod reading_order;
mod record;
mod review;
mod sql;
mod sqlite;
mod store;

pub use backend::{Backend, PageBackend};
pub use copying::{CopiedTable, copy_store};
pub use database_error::DatabaseError;
pub use error::StoreError;
pub use file_state::{FileState, StateCounts, StoredFile};
pub use inventory::{Inventory, InventoryLoop, ModelUsed, NotLabelled, ViewInventory};
pub use job::{
    ConflictChoice, DicomIdentity, Enqueued, FailedJobs, FileIdentity, FileKnowledge, Job, JobCounts, JobFailure,
    JobFilter, JobRow, JobState, Retry, SettledFile,
};
pub use label_store::{KnownLoop, LabelStore, LoopFile, Recorded, present_file};
pub use location::{DatabaseLocation, InvalidLocation};
pub use names::{InvalidName, LoopName, StudyName};
pub use outbox::{DueReport, NewOutboxItem, Outbox, OutboxItem, OutboxKind, OutboxRow, OutboxState, StoredReport};
pub use overview::Overview;
pub use page::{
    DriftCount, DriftCounts, LoopTask, PageStore, ReadingProgress, ReviewQueue, ReviewedView, StudyFilter,
    StudyProgress, StudyRow, UnreadTask,
};
pub use path_form::{PathForm, PathKey};
#[cfg(feature = "postgres")]
pub use postgres::{InvalidAddress, PostgresAddress};
pub use queue::{Holder, Queue};
pub use record::{LoopFacts, StoredLoop, StoredPrediction, Study};
pub use review::{Review, ReviewRole, latest_reviews};
pub use store::Store;
