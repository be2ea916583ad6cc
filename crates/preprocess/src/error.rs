use thiserror::Error;

/// Failures on the way from an open loop to the inputs of a model.
#[derive(Debug, Error)]
pub enum PreprocessError {
    /// The file could not be read further.
    #[error("cannot read the loop")]
    Loop(#[from] cine::CineError),
    /// None of the frames that the plan names could be decoded.
    #[error("none of the {planned} frames of the plan can be decoded")]
    NoFrame {
        /// Number of frames that the plan names.
        planned: usize,
        /// The last frame's error.
        #[source]
        source: cine::CineError,
    },
    /// The sampling plan could not be made.
    #[error("cannot plan which frames to sample")]
    Plan(#[from] ecg::EcgError),
    /// A frame has fewer or more bytes than its size says.
    #[error("cannot prepare frames")]
    FrameSize(#[from] domain::ImageSizeMismatch),
    /// A frame without pixels.
    #[error("cannot prepare a frame of {columns} x {rows} pixels")]
    EmptyFrame {
        /// Number of columns.
        columns: u32,
        /// Number of rows.
        rows: u32,
    },
    /// Frames cannot be prepared as the model's card says.
    #[error("cannot prepare frames: {problem}")]
    Preparation {
        /// The problem, as a phrase.
        problem: String,
    },
}

impl PreprocessError {
    /// Returns a stable name for scripts and for the job table.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Loop(error) => error.kind(),
            Self::NoFrame { source, .. } => source.kind(),
            Self::Plan(_) => "plan",
            Self::FrameSize(_) | Self::EmptyFrame { .. } | Self::Preparation { .. } => "prepare",
        }
    }

    /// Returns true if trying again later may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Loop(error) => error.is_temporary(),
            Self::NoFrame { source, .. } => source.is_temporary(),
            Self::Plan(_) | Self::FrameSize(_) | Self::EmptyFrame { .. } | Self::Preparation { .. } => false,
        }
    }

    /// Returns the error with its causes in one line, without paths.
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
