//! Objects of stores in a build without them.

use std::io;

use cine::CineError;
use domain::Sha256;

use super::{Digests, FoundObject};

fn absent<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this build has no object stores (feature `objects`)"))
}

/// Returns an error.
///
/// # Errors
/// Always.
pub fn list(_address: &str) -> io::Result<Vec<FoundObject>> {
    absent()
}

/// Returns an error.
///
/// # Errors
/// Always.
pub fn open(_address: &str) -> io::Result<Vec<u8>> {
    absent()
}

/// Returns an error.
///
/// # Errors
/// Always.
pub fn put_new(_address: &str, _bytes: Vec<u8>, _digests: Digests) -> io::Result<bool> {
    absent()
}

/// Returns an error.
///
/// # Errors
/// Always.
pub fn info(_address: &str) -> io::Result<FoundObject> {
    absent()
}

/// Returns an error.
///
/// # Errors
/// Always.
pub fn sha256(_address: &str) -> io::Result<Sha256> {
    absent()
}

/// Returns an error.
///
/// # Errors
/// Always.
pub fn pixel_sha256(_address: &str) -> Result<Sha256, CineError> {
    absent().map_err(|source| CineError::Io { doing: "opening the object", source })
}
