//! Limits that a worker puts on itself before it sees any byte of a file.

mod error;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod system_calls;

pub use error::WorkerSetupError;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Memory of a decoder: the largest frame at four bytes a sample, the decoder's own copies, and its code.
pub(crate) const MAX_MEMORY_BYTES: u64 = 640 << 20;

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
