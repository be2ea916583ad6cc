//! What can be wrong with the arguments of this crate.

/// Why an ECG, a clock or a plan could not be made; every variant names the argument and its value.
///
/// A damaged ECG is no error: it gives [`crate::Beats`] with findings. These are for arguments that mean nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EcgError {
    /// The ECG has no samples, or its sample interval or start time is no usable number of milliseconds.
    #[error("building ECG samples: {count} samples every {sample_interval_ms} ms from {start_ms} ms are no signal")]
    Samples {
        /// How many samples were given.
        count: usize,
        /// The sample interval given, in milliseconds.
        sample_interval_ms: f64,
        /// The time of the first sample given, in milliseconds after frame 0.
        start_ms: f64,
    },
    /// A clock needs at least one frame, and at most `u32::MAX`.
    #[error("building the frame clock: {frame_count} frames cannot be timed")]
    FrameCount {
        /// How many frames were given.
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
        /// What would be allowed.
        rule: &'static str,
    },
}

impl EcgError {
    /// Whether trying again later could help: never, these are faults of the arguments.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        false
    }
}
