use thiserror::Error;

/// Error in building or running a network.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RuntimeError {
    /// `ECHOLABEL_KERNELS` names no instruction set.
    #[error("unknown instruction set {0:?}: use avx512, avx2, neon or portable")]
    UnknownInstructionSet(String),
    /// This processor lacks the instruction set that was asked for.
    #[error("this processor cannot run {asked} kernels, only {available}")]
    InstructionSetMissing {
        /// The set that was asked for.
        asked: &'static str,
        /// The sets that the processor has.
        available: String,
    },
    /// A layer's weights do not have the length that its shape asks for.
    #[error("{layer}: {name} has {found} numbers and should have {expected}")]
    WeightLength {
        /// The kind of layer.
        layer: &'static str,
        /// Name of the weights.
        name: &'static str,
        /// Count of numbers that the shape asks for.
        expected: usize,
        /// Count that was given.
        found: usize,
    },
    /// The maps or sizes given to a layer do not fit each other.
    #[error("{layer}: {problem}")]
    Shape {
        /// The kind of layer.
        layer: &'static str,
        /// Description of the disagreement.
        problem: String,
    },
    /// The frames or the output of a run do not have the length that the network's shapes ask for.
    #[error("{name} holds {found} numbers and should hold {expected}")]
    BufferLength {
        /// `frames` or `output`.
        name: &'static str,
        /// Count of numbers that the shapes ask for.
        expected: usize,
        /// Count that was given.
        found: usize,
    },
    /// A range whose ends are not finite or not in order.
    #[error("an input range from {min} to {max}")]
    InputRange {
        /// Lower end.
        min: String,
        /// Upper end.
        max: String,
    },
    /// Another count of input ranges than the network has layers with one.
    #[error("{found} input ranges for a network of {expected} convolutions and max pools")]
    InputRanges {
        /// Count of such layers.
        expected: usize,
        /// Count of ranges that was given.
        found: usize,
    },
}
