//! Failures to decode a frame: of its bytes, or of the decoder.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Failure to decode a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum DecodeError {
    /// The bytes cannot be decoded; other frames may well be.
    #[error("{0}")]
    Corrupt(String),
    /// This build has no decoder for video.
    #[error("this build has no video support")]
    VideoNotBuilt,
    /// The decoder did not come to an end by itself.
    #[error(transparent)]
    Decoder(#[from] DecoderFailure),
}

/// The end of a decoder that did not come to an end by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum DecoderFailure {
    /// It crashed on these bytes, and would again.
    #[error("the decoder crashed: {how}")]
    Crashed {
        /// The signal or the exit code.
        how: String,
    },
    /// It was stopped at its time limit.
    #[error("the decoder was stopped after {:.1} s", limit.as_secs_f64())]
    TooSlow {
        /// The time limit.
        limit: Duration,
    },
    /// It wanted more memory than it may have.
    #[error("the decoder needs more than {limit_bytes} bytes of memory")]
    OutOfMemory {
        /// The memory limit.
        limit_bytes: u64,
    },
    /// It could not be started, or was ended from outside.
    #[error("the decoder is not available: {reason}")]
    Unavailable {
        /// The cause.
        reason: String,
    },
}

impl DecoderFailure {
    /// Returns the stable name for reports, job rows and scripts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Crashed { .. } => "decoder_crashed",
            Self::TooSlow { .. } => "decoder_too_slow",
            Self::OutOfMemory { .. } => "decoder_out_of_memory",
            Self::Unavailable { .. } => "decoder_unavailable",
        }
    }

    /// Returns whether another try may go better: only where the file is not the cause.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
