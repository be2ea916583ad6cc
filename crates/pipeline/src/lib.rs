//! Joins the stages that a loop goes through: open, find the beat, plan, decode, prepare, encode, label.
//!
//! [`PipelineFile`] is what a pipeline's TOML file says, [`Pipeline`] is one that was checked and whose model runs on an
//! [`Engine`] thread. [`Pipeline::label`] takes a file all the way; [`inspect`] stops before the pixels meet a model;
//! [`LoopPreparation`] stops at its door, for training and calibration.
//!
//! Invariants: data flows one way, every stage gives back a value; nothing here knows of databases, folders or jobs.

mod aggregate;
mod beat;
mod decode;
mod derived;
mod digest;
mod engine;
mod error;
mod file;
mod frames;
mod inspect;
mod label;
mod loop_preparation;
mod prepare;
mod prepared;
mod resolve;
mod source;

pub use aggregate::{AbstentionRules, Aggregation, LoopView};
pub use beat::{FoundBeats, find_beats};
pub use engine::{Engine, EngineAnswer};
pub use error::{LabelError, PipelineError};
pub use file::{
    AggregateSection, ClipRule, EncoderSection, FusionSection, HeadSection, PipelineFile, PrepareSection,
    SamplingSection, WeightsSection,
};
pub use frames::DecodedFrames;
pub use inspect::{InspectedClip, InspectedEcg, InspectedFrame, InspectedRegion, Inspection, inspect};
pub use label::LoopLabel;
pub use loop_preparation::{LoopPreparation, PreparedLoop};
pub use resolve::Pipeline;
pub use source::PipelineSource;
