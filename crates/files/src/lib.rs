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
mod free_space;
mod lock;
mod part_file;
mod regular;
mod temporary;
mod walk;

pub use atomic::{Access, AtomicFile, publish, sync_folder, write};
pub use digest::{sha256, sha256_of};
pub use file_id::{FileId, get_file_id};
pub use free_space::free_bytes;
pub use lock::{FileLock, LockError};
pub use part_file::{PartFile, remove_part_files};
pub use regular::require_file;
pub use temporary::is_temporary;
pub use walk::{Links, Unreadable, Walk, walk};
