//! Errors about the arguments of this crate.

/// Failure to make a clock or a plan; every variant names the argument and its value.
///
/// A damaged ECG is no error: it gives [`crate::Beats`] with findings. These are for arguments that mean nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EcgError {
    /// A clock needs at least one frame, and at most `u32::MAX`.
    #[error("building the frame clock: {frame_count} frames cannot be timed")]
    FrameCount {
        /// Number of frames given.
        frame_count: usize,
    },
    /// Frame times must be finite and must increase.
    #[error("building the frame clock: frame {frame} at {time_ms} ms is not after the frame before it")]
    FrameTimes {
        /// The first frame (from 0) whose time is wrong.
        frame: usize,
        /// Its time in milliseconds.
        time_ms: f64,
    },
    /// A sampling setting is out of its range.
    #[error("planning frames: {key} = {value} is not allowed: {rule}")]
    Setting {
        /// The setting's name as it stands in a pipeline file.
        key: &'static str,
        /// The value given.
        value: usize,
        /// The allowed values.
        rule: &'static str,
    },
}

impl EcgError {
    /// Returns whether trying again later could help: never, these are faults of the arguments.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        false
    }
}
