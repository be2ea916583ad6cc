/// A worker cannot begin, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerSetupError {
    /// The thread that ends the process at its time limit.
    #[error("cannot start a thread: {0}")]
    Watchdog(std::io::Error),
    /// The pipes to the program that asks.
    #[error("the program that asked for frames is gone: {0}")]
    Pipe(std::io::Error),
    /// A resource limit.
    #[error("cannot limit the {what} of this process")]
    Resource {
        /// The resource.
        what: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The filter of system calls.
    #[error("cannot filter the system calls of this process: {reason}")]
    SystemCalls {
        /// The cause.
        reason: String,
    },
}
