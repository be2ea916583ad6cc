//! Files on disk: written whole or not at all, digested, found below folders, locked.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("inventory.json");
//! files::write(&path, b"{}", files::Access::Umask)?;
//! assert_eq!(files::sha256(&path)?, files::sha256_of(&b"{}"[..])?);
//! # Ok::<(), std::io::Error>(())
//! ```

mod atomic;
mod digest;
mod lock;
mod regular;
mod temporary;
mod walk;

pub use atomic::{Access, AtomicFile, publish, write};
pub use digest::{sha256, sha256_of};
pub use lock::{FileLock, LockError};
pub use regular::require_file;
pub use temporary::is_temporary;
pub use walk::{Links, Unreadable, Walk, walk};
