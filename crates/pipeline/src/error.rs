use std::path::PathBuf;

use thiserror::Error;

/// A pipeline cannot be used; told before any loop is taken.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// The file could not be read.
    #[error("cannot read pipeline {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// No pipeline of that name ships with the program, it is no file and no model.
    #[error("unknown pipeline {name:?}; shipped: {known}; or name a model of `echolabel models list`, or a .toml file")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names that ship.
        known: String,
    },
    /// The file is not valid: an unknown key, a missing key, a wrong type.
    #[error("pipeline {origin}: {problem}")]
    Invalid {
        /// The file or shipped name.
        origin: String,
        /// The problem, with its line.
        problem: String,
    },
    /// A key's value does not fit the model named under `weights.model`.
    #[error("pipeline {origin}: {key} = {found}, but model {model} was made for {expected}")]
    ModelMismatch {
        /// The file or shipped name.
        origin: String,
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// The model.
        model: String,
        /// The value in the model's card.
        expected: String,
    },
    /// A further model cannot answer about the same loop as the first.
    #[error("pipeline {origin}: companions: {model} {problem}")]
    Companion {
        /// The file or shipped name.
        origin: String,
        /// The further model.
        model: String,
        /// The reason.
        problem: &'static str,
    },
    /// The label set does not say how often its views are recorded.
    #[error("pipeline {origin}: aggregate.prior = \"recorded\", but its label set says `recorded` not of every view")]
    NoShares {
        /// The file or shipped name.
        origin: String,
    },
    /// A number is out of its range.
    #[error("pipeline {origin}: {key} = {found} is out of range, expected {expected}")]
    OutOfRange {
        /// The file or shipped name.
        origin: String,
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// The range.
        expected: &'static str,
    },
    /// The model or its weights cannot be used.
    #[error("pipeline {origin}: {key}")]
    Model {
        /// The file or shipped name.
        origin: String,
        /// The key that names the model.
        key: &'static str,
        /// The cause.
        #[source]
        source: Box<zoo::ZooError>,
    },
    /// A precision was asked for on a device that does not have it.
    #[error(
        "pipeline {origin}: precision = \"{precision}\" runs on {runs_on} only; use --device {device}, or leave precision out"
    )]
    PrecisionDevice {
        /// The file or shipped name.
        origin: String,
        /// The requested precision.
        precision: domain::Precision,
        /// The devices that have it.
        runs_on: &'static str,
        /// The value of `--device` for them.
        device: &'static str,
    },
    /// The device cannot be used.
    #[error("device")]
    Device(#[from] nn::NnError),
    /// The weights have no digest: they were never written to a file.
    #[error("the weights have no digest")]
    WeightsDigest(#[from] domain::InvalidSha256),
    /// The operating system refused a thread.
    #[error("cannot start the engine's thread")]
    Thread(#[source] std::io::Error),
}

/// A loop could not be labelled.
#[derive(Debug, Error)]
pub enum LabelError {
    /// The loop could not be read, or its frames not be prepared.
    #[error(transparent)]
    Preprocess(#[from] preprocess::PreprocessError),
    /// The model failed.
    #[error("the model failed: {0}")]
    Model(String),
    /// The device has no memory left, not even for one frame.
    #[error("the device ran out of memory: {0}")]
    OutOfMemory(String),
    /// The engine thread is gone.
    #[error("the engine has stopped")]
    EngineStopped,
}

impl From<cine::CineError> for LabelError {
    fn from(error: cine::CineError) -> Self {
        Self::Preprocess(error.into())
    }
}

impl LabelError {
    /// A stable name for scripts and for the job table.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Preprocess(error) => error.kind(),
            Self::Model(_) => "model",
            Self::OutOfMemory(_) => "out_of_memory",
            Self::EngineStopped => "engine_stopped",
        }
    }

    pub(crate) fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory(_))
    }

    /// Returns true if trying again later may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Preprocess(error) => error.is_temporary(),
            Self::EngineStopped | Self::OutOfMemory(_) => true,
            Self::Model(_) => false,
        }
    }

    /// The error with its causes in one line, without paths.
    pub fn message(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}
