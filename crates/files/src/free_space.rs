//! Free space of a disk.

use std::io;
use std::path::Path;

/// Returns the bytes that are free on the file system of a path, for this user.
///
/// # Errors
/// The path cannot be reached.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    fs4::available_space(path)
}
