//! Watches folders, queues their files durably and has them labelled.
//!
//! The daemon knows neither DICOM nor models: it is given a [`FileCheck`] that says when a file is complete and a
//! [`Labeller`] that turns one file into an [`Labelling`]. Two rules hold whatever happens: a file that was taken is in
//! the database, and a loop, its prediction and the end of its job are one transaction. So a kill at any moment loses
//! nothing and labels nothing twice.

pub mod settings;

mod backoff;
mod clock;
mod daemon;
mod error;
mod event;
mod file_check;
mod heartbeat;
mod inbox;
mod labeller;
mod liveness;
mod morning;
mod path_tag;
mod received;
mod reporter;
mod retrying_store;
mod session;
mod shutdown;
mod summary;
mod window;
mod worker;

pub use backoff::Backoff;
pub use clock::{Clock, SystemClock, VirtualClock};
pub use daemon::Daemon;
pub use error::DaemonError;
pub use event::{DaemonEvent, Observer};
pub use file_check::{Completeness, FileCheck};
pub use inbox::{FileStat, is_ignored_name, sample_sha256, stat};
pub use labeller::{LabelFailure, Labeller, Labelling};
pub use received::ReceivedFiles;
pub use settings::{EmailSettings, MailEncryption, NotifyEvent, NotifySettings, WebhookSettings};
pub use settings::{Overrides, Polling, ReportDestination, SendProtocol, SendSettings, Settings};
pub use shutdown::Shutdown;
pub use summary::Summary;
pub use window::NightWindow;
