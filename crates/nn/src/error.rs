use thiserror::Error;

/// What went wrong in a layer or on a device.
#[derive(Debug, Error)]
pub enum NnError {
    /// A tensor operation failed.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
    /// The device name is not one of `auto`, `cpu`, `cuda`, `cuda:N`, `metal`.
    #[error("unknown device {0:?}: use auto, cpu, cuda, cuda:N or metal")]
    UnknownDevice(String),
    /// The device was asked for by name and cannot be opened.
    #[error("device {name} cannot be opened: {reason}")]
    DeviceUnavailable {
        /// The name as it was asked for.
        name: String,
        /// What the driver or the build says.
        reason: String,
    },
    /// A layer was built from tensors whose shapes do not fit each other.
    #[error("{layer}: {problem}")]
    Shape {
        /// The kind of layer.
        layer: &'static str,
        /// Which shapes disagree.
        problem: String,
    },
}
