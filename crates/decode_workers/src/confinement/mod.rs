//! Limits that a worker puts on itself before it sees any byte of a file.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod system_calls;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Memory of a decoder: the largest frame at four bytes a sample, the decoder's own copies, and its code.
pub(crate) const MAX_MEMORY_BYTES: u64 = 640 << 20;

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

/// Limits the memory of this process, forbids memory dumps, which would hold pixels of patients, and on Linux every
/// system call (on x86-64 and ARM) but those that computing and answering need: nothing can be opened, connected to or
/// started. Other systems have limits of time and memory only.
///
/// # Errors
/// The operating system refuses.
pub(crate) fn confine() -> Result<(), WorkerSetupError> {
    limit("memory", MEMORY, MAX_MEMORY_BYTES)?;
    limit("memory dumps", Resource::Core, 0)?;
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    system_calls::restrict()?;
    Ok(())
}

/// Private memory where the system tells it from the rest, since the program's own files take hundreds of megabytes of
/// addresses.
#[cfg(target_os = "linux")]
const MEMORY: Resource = Resource::Data;
#[cfg(not(target_os = "linux"))]
const MEMORY: Resource = Resource::As;

fn limit(what: &'static str, resource: Resource, most: u64) -> Result<(), WorkerSetupError> {
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
        .map_err(|error| WorkerSetupError::Resource { what, source: error.into() })
}
