use std::path::PathBuf;

use thiserror::Error;

/// Failures of a comparison before it gives a [`crate::Check`].
#[derive(Debug, Error)]
pub enum ParityError {
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file is no reference file, or one that contradicts itself or the architecture.
    #[error("{path} is not a valid reference file: {problem}")]
    Format {
        /// The file or folder.
        path: PathBuf,
        /// The problem, as a sentence.
        problem: String,
    },
    /// A reference file describes a model that is not built here.
    #[error("unknown reference model {name:?}")]
    UnknownModel {
        /// The model's name in the file.
        name: String,
    },
    /// A weight file beside a reference file could not be read.
    #[error("cannot read weights")]
    Checkpoint(#[source] Box<checkpoint::CheckpointError>),
    /// The model could not be built or run.
    #[error(transparent)]
    Model(#[from] zoo::ZooError),
    /// A frame could not be prepared.
    #[error(transparent)]
    Preprocess(#[from] preprocess::PreprocessError),
    /// An image has another number of bytes than its size says.
    #[error(transparent)]
    ImageSize(#[from] domain::ImageSizeMismatch),
    /// A layer failed.
    #[error("layer failed")]
    Layer(#[from] nn::NnError),
    /// A tensor operation failed.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
}

impl From<checkpoint::CheckpointError> for ParityError {
    fn from(error: checkpoint::CheckpointError) -> Self {
        Self::Checkpoint(Box::new(error))
    }
}

/// Result of this crate's operations.
pub type Result<T> = std::result::Result<T, ParityError>;
