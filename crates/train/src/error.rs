use std::path::PathBuf;

use thiserror::Error;

/// An error of reading data or of training.
#[derive(Debug, Error)]
pub enum TrainError {
    /// A tensor operation failed.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
    /// A layer failed.
    #[error(transparent)]
    Layer(#[from] nn::NnError),
    /// A model, a loss or a weight file failed.
    #[error(transparent)]
    Zoo(#[from] zoo::ZooError),
    /// Frames could not be prepared.
    #[error(transparent)]
    Preprocess(#[from] preprocess::PreprocessError),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {problem}")]
    Format {
        /// The file.
        path: PathBuf,
        /// The fault and its place.
        problem: String,
    },
    /// A recipe asks for something that does not exist or does not fit.
    #[error("recipe {recipe}: {problem}")]
    Recipe {
        /// The recipe's name.
        recipe: String,
        /// The change that mends it.
        problem: String,
    },
    /// A patient stands on two sides of a split.
    #[error("the split leaks: {patients} patients stand on two sides, among them {example:?} in {first} and {second}")]
    LeakingSplit {
        /// Number of patients.
        patients: usize,
        /// One of them, as the data set calls it.
        example: String,
        /// One side.
        first: &'static str,
        /// The other side.
        second: &'static str,
    },
    /// Labels could not be made wrong on purpose.
    #[error("label noise: {0}")]
    LabelNoise(String),
    /// The loss or a gradient is not a number any more.
    #[error("step {step}: the loss is {loss}; lower the learning rate or clip the gradient")]
    Diverged {
        /// The step.
        step: usize,
        /// The loss.
        loss: f64,
    },
}

impl TrainError {
    /// Returns true if trying again may help: files may be there again later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}
