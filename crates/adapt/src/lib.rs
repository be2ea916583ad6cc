//! Adapts a model to a lab: a new last layer, learned from the lab's own labels and judged on patients left out.
//!
//! The encoder stays as it is. A loop is the vectors that its last layer would see, so learning takes seconds, and the
//! vectors are kept ([`VectorCache`]): the next run reads no pixels. The new layer is a mixture of the model's own
//! answer and of a linear correction whose size a ridge penalty holds down; with few labels little changes. It is accepted only
//! if patients that it did not see are labelled better ([`adapt`]).

mod error;
mod example;
mod folds;
mod head;
mod judgement;
mod lbfgs;
mod learning_curve;
mod objective;
mod requirements;
mod ridge;
mod vector_cache;

pub use error::{AdaptError, Result, ViewShortage};
pub use example::{LabelledLoop, Sample};
pub use head::LinearHead;
pub use judgement::{Adaptation, Judgement, ViewChange, adapt};
pub use learning_curve::{CurvePoint, learning_curve};
pub use vector_cache::VectorCache;

/// Loops of a view that are needed at least: one of each was measured not to help.
pub const MIN_LOOPS_PER_VIEW: usize = 5;

/// Patients of a view that are needed at least: a view of one patient could not be judged on another.
pub const MIN_PATIENTS_PER_VIEW: usize = 2;

/// Patients that are needed at least.
pub const MIN_PATIENTS: usize = 3;
