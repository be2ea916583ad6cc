//! The vocabulary of the workspace: one type per concept, shared by every crate above it.
//!
//! Invariant: no I/O, no DICOM parsing, no model, no database. A value that was checked once at the edge (a UID, a
//! digest) carries the check in its type.
//!
//! ```
//! use domain::{PixelRect, StudyUid};
//!
//! let study: StudyUid = "1.2.840.113619.2.1.7".parse()?;
//! assert_eq!(study.as_str(), "1.2.840.113619.2.1.7");
//! assert!("1..2".parse::<StudyUid>().is_err());
//! assert_eq!(PixelRect { x0: 10, y0: 20, x1: 19, y1: 29 }.area(), 100);
//! # Ok::<(), domain::InvalidUid>(())
//! ```

mod ae_title;
mod dicom_code;
mod ecg_samples;
mod ecg_source;
mod finding;
mod ids;
mod image;
mod mode;
mod named_enum;
mod path_tag;
mod precision;
mod prediction;
mod receive;
mod rect;
mod sampling;
mod secret_source;
mod study_attributes;
mod viewer_link;
mod weight_status;

pub use ae_title::{AeTitle, InvalidAeTitle};
pub use dicom_code::DicomCode;
pub use ecg_samples::{EcgSamples, InvalidEcgSamples};
pub use ecg_source::EcgSource;
pub use finding::{Finding, FindingCode};
pub use ids::{InvalidSha256, InvalidUid, JobId, LoopId, SeriesUid, Sha256, SopUid, StudyUid, is_valid_uid};
pub use image::{ImageSizeMismatch, RgbImage, RgbView};
pub use mode::Mode;
pub use path_tag::path_tag;
pub use precision::Precision;
pub use prediction::{ModelKey, Prediction, StageTimings};
pub use receive::{
    DestinationTls, Peer, ReceiveLimits, ReceiveSettings, ReceiveTls, StowSender, StowSettings, TlsIdentity,
};
pub use rect::PixelRect;
pub use sampling::SamplingStrategy;
pub use secret_source::SecretSource;
pub use study_attributes::StudyAttributes;
pub use viewer_link::ViewerLink;
pub use weight_status::{Standing, WeightStatus};
