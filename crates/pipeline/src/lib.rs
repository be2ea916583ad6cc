//! Joins the stages that a loop goes through: open, preprocess, encode, label.
//!
//! [`PipelineFile`] is what a pipeline's TOML file says, [`Pipeline`] is one that was checked and whose model runs on an
//! [`Engine`] thread. [`Pipeline::label`] takes a file all the way; [`Pipeline::preprocess`] stops before the model, for its
//! quantization; [`inspect`] stops at the sampling plan and needs no model.
//!
//! ```
//! use nn::DeviceChoice;
//! use phantom::{LoopIdentity, LoopSpec, write_loop};
//! use pipeline::{Pipeline, PipelineSource};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("loop.dcm");
//! write_loop(&LoopSpec { size: (320, 240), frames: 30, ..LoopSpec::random(1) }, &LoopIdentity::new(1, 1), &path)?;
//!
//! // A small model without training: it shows how a pipeline runs, and its labels mean nothing.
//! let source = PipelineSource::named("tte11-tiny", folder.path())?;
//! let pipeline = Pipeline::open(&source, folder.path(), DeviceChoice::Cpu)?;
//! let label = pipeline.label(&path)?;
//! assert_eq!(label.prediction.probabilities.len(), 11);
//! assert_eq!(label.prediction.abstained, label.prediction.view.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants: data flows one way, every stage gives back a value; nothing here knows of databases, folders or jobs.

mod aggregate;
mod derived;
mod digest;
mod engine;
mod error;
mod file;
mod inspect;
mod label;
mod resolve;
mod source;
mod vectors;
mod why;

pub use aggregate::{AbstentionRules, Aggregation, LoopView, ModelAnswer};
pub use engine::{Engine, EngineAnswer};
pub use error::{LabelError, PipelineError};
pub use file::{
    AggregateSection, ClipRule, EncoderSection, FusionSection, HeadSection, PipelineFile, PrepareSection,
    SamplingSection, ViewPrior, WeightsSection,
};
pub use inspect::{InspectedClip, InspectedEcg, InspectedFrame, InspectedRegion, Inspection, inspect};
pub use label::LoopLabel;
pub use resolve::{LastLayer, Pipeline};
pub use source::PipelineSource;
pub use vectors::LoopVectors;
pub use why::{Explanation, FrameWeight};
