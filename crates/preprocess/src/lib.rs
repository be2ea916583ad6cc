//! From an open loop to the inputs of a model: refuse, find the beat, plan, decode, crop, gray, resize, mask.
//!
//! [`Preprocessor::run`] is the one way that labelling, calibration and training take, so a model is trained on what it will
//! see. [`PlannedLoop`] is its first half, for looking at a loop without a model; [`prepare`] is its last, for frames that
//! come from elsewhere.
//!
//! Invariants: no weights, no database, no folder; of a loop only the frames that the beat and the plan need are decoded,
//! and a bounded number of them is kept.
//!
//! ```
//! use cine::Loop;
//! use phantom::{LoopIdentity, LoopSpec, write_loop};
//! use preprocess::Preprocessor;
//! use zoo::Registry;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("loop.dcm");
//! write_loop(&LoopSpec { size: (320, 240), frames: 30, ..LoopSpec::random(1) }, &LoopIdentity::new(1, 1), &path)?;
//!
//! let registry = Registry::open(folder.path())?;
//! let preprocessor = Preprocessor::for_card(registry.card("tte11-phantom")?, None)?;
//! let preprocessed = preprocessor.run(&mut Loop::open(&path)?)?;
//! let inputs = preprocessed.inputs.expect("a loop of a view");
//! assert_eq!(inputs.clips.values.len(), inputs.clips.frames * 3 * inputs.clips.size * inputs.clips.size);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod beat;
mod decode;
mod decoded_frames;
mod error;
mod frame_memory;
mod loop_inputs;
mod pixels;
mod preprocessor;
mod refusal;
mod sampling;
mod turn;

pub use beat::{FoundBeats, find_beats};
pub use decoded_frames::DecodedFrames;
pub use error::PreprocessError;
pub use loop_inputs::LoopInputs;
pub use pixels::{
    ImageView, PreparedClips, ResizedClips, append_normalized, color, crop_rect, prepare, resize, resize_clips,
};
pub use preprocessor::{EcgRule, ModelInputs, PlannedLoop, PreprocessTimings, Preprocessed, Preprocessor};
pub use refusal::Refusal;
pub use sampling::plan_settings;

/// Result of this crate's operations.
pub type Result<T> = std::result::Result<T, PreprocessError>;
