use thiserror::Error;

/// What was wrong with a network or with a call of it.
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
        /// Which weights.
        name: &'static str,
        /// How many numbers the shape asks for.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// The maps or sizes given to a layer do not fit each other.
    #[error("{layer}: {problem}")]
    Shape {
        /// The kind of layer.
        layer: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// The frames or the output of a run do not have the length that the network's shapes ask for.
    #[error("{name} holds {found} numbers and should hold {expected}")]
    BufferLength {
        /// `frames` or `output`.
        name: &'static str,
        /// How many numbers the shapes ask for.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A range that is not one of finite numbers.
    #[error("an input range from {least} to {greatest}")]
    InputRange {
        /// Its lower end.
        least: String,
        /// Its upper end.
        greatest: String,
    },
    /// Not as many input ranges as the network has layers with one.
    #[error("{found} input ranges for a network of {expected} convolutions and maxima")]
    InputRanges {
        /// How many such layers there are.
        expected: usize,
        /// How many ranges were given.
        found: usize,
    },
}
