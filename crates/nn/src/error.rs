use thiserror::Error;

/// Error in a layer or on a device.
#[derive(Debug, Error)]
pub enum NnError {
    /// A tensor operation failed.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
    /// The device name is not one of `auto`, `cpu`, `cuda`, `cuda:N`, `metal`.
    #[error("unknown device {0:?}: use auto, cpu, cuda, cuda:N or metal")]
    UnknownDevice(String),
    /// The device was asked for by name and cannot be opened.
    #[error("device {name} cannot be opened: {reason}; with --device auto or cpu the CPU does the work")]
    DeviceUnavailable {
        /// The name as it was asked for.
        name: String,
        /// The message of the driver or the build.
        reason: String,
    },
    /// A layer was built from tensors whose shapes do not fit each other.
    #[error("{layer}: {problem}")]
    Shape {
        /// The kind of layer.
        layer: &'static str,
        /// The shapes that disagree.
        problem: String,
    },
    /// The CPU kernels refused a layer or the instruction set asked for.
    #[error("the CPU kernels cannot run this")]
    Kernels(#[from] runtime::RuntimeError),
    /// The values of maps were asked for while a network is traced, which has none yet.
    #[error("this network cannot be traced for the CPU runtime")]
    NotTraceable,
    /// A layer with variables was run where its gradient would be lost.
    #[error("{layer}: its weights are variables, and this way of running it has no gradient")]
    NoGradient {
        /// The kind of layer.
        layer: &'static str,
    },
    /// A network without a convolution that could run in int8.
    #[error("no layer of this network can run in int8")]
    NothingToQuantize,
}
