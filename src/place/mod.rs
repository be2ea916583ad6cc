//! Places of loops: a file of this computer, or an object of a store.

#[cfg_attr(not(feature = "objects"), path = "objects_absent.rs")]
pub mod objects;

use std::path::{Path, PathBuf};

use domain::Sha256;
use store::FileIdentity;

/// The place that a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A file.
    File(&'a Path),
    /// An object, or a prefix of objects, by its address.
    Object(&'a str),
}

impl<'a> Place<'a> {
    /// Tells addresses such as `s3://bucket/key` from paths.
    pub fn new(path: &'a Path) -> Self {
        let address = path.to_str().filter(|text| text.starts_with("s3://") || text.starts_with("file://"));
        address.map_or(Self::File(path), Self::Object)
    }
}

/// Digests that are put with a loop, so that nobody need read the whole object for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// Of the file.
    pub content: Sha256,
    /// Of the pixel data.
    pub pixels: Sha256,
}

/// An object that a listing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundObject {
    /// Its address.
    pub path: PathBuf,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Time of the last write, nanoseconds since 1970 in UTC.
    pub modified_unix_ns: i64,
    /// Tag that is another one for other bytes.
    pub etag: String,
}

impl FoundObject {
    /// Returns the version of the object as the store knows files.
    pub fn identity(&self) -> FileIdentity {
        FileIdentity {
            path: self.path.clone(),
            size_bytes: self.size_bytes,
            modified_unix_ns: self.modified_unix_ns,
            inode: 0,
            changed_unix_ns: 0,
        }
    }

    /// Returns a digest that stands for the content: that of the tag that the store gives to it.
    ///
    /// # Errors
    /// None; it is that of reading memory.
    pub fn sample_sha256(&self) -> std::io::Result<Sha256> {
        files::sha256_of(self.etag.as_bytes())
    }
}
