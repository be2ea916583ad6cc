//! Objects of stores, with the settings of the environment.

use std::io;
use std::sync::OnceLock;

use cine::{CineError, ReadAt as _};
use domain::Sha256;
use objects::{ObjectInfo, ObjectReader, ObjectStores, ObjectUrl};

use super::{Digests, FoundObject};

/// Names of the digests that are put with a loop.
const CONTENT_DIGEST: &str = "content-sha256";
const PIXEL_DIGEST: &str = "pixel-sha256";

fn stores() -> io::Result<&'static ObjectStores> {
    static STORES: OnceLock<ObjectStores> = OnceLock::new();
    if let Some(stores) = STORES.get() {
        return Ok(stores);
    }
    // Values of other programs' variables need not be text.
    let variables =
        std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
    let stores = ObjectStores::new(variables)?;
    Ok(STORES.get_or_init(|| stores))
}

/// Returns the objects of a prefix, or the one of that name.
///
/// # Errors
/// The address is none, or the store cannot be asked.
pub fn list(address: &str) -> io::Result<Vec<FoundObject>> {
    let url: ObjectUrl = address.parse()?;
    let found = match url.is_prefix() {
        true => stores()?.list(&url)?,
        false => vec![stores()?.info(&url)?],
    };
    Ok(found.into_iter().map(found_object).collect())
}

fn found_object(info: ObjectInfo) -> FoundObject {
    FoundObject {
        path: info.url.to_string().into(),
        size_bytes: info.size_bytes,
        modified_unix_ns: i64::try_from(info.modified.as_nanosecond()).unwrap_or_default(),
        etag: info.etag,
    }
}

/// Returns the facts of one object.
///
/// # Errors
/// As for [`list`].
pub fn info(address: &str) -> io::Result<FoundObject> {
    Ok(found_object(stores()?.info(&address.parse()?)?))
}

/// Returns the digest of an object: the one that was put with it, else that of its bytes, which are all read then.
///
/// # Errors
/// As for [`list`].
pub fn sha256(address: &str) -> io::Result<Sha256> {
    let object = open(address)?;
    match object.metadata(CONTENT_DIGEST).and_then(|digest| digest.parse().ok()) {
        Some(digest) => Ok(digest),
        None => files::sha256_of(Sequential { bytes: object, position: 0 }),
    }
}

/// Returns the digest of the pixels of a loop, likewise.
///
/// # Errors
/// As for [`list`], and where the object is no loop.
pub fn pixel_sha256(address: &str) -> Result<Sha256, CineError> {
    let object = open(address).map_err(|source| CineError::Io { doing: "opening the object", source })?;
    match object.metadata(PIXEL_DIGEST).and_then(|digest| digest.parse().ok()) {
        Some(digest) => Ok(digest),
        None => cine::pixel_sha256_of(object),
    }
}

/// Reads bytes one after the other.
struct Sequential {
    bytes: ObjectReader,
    position: u64,
}

impl io::Read for Sequential {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read_at(self.position, buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// Opens an object to be read by ranges.
///
/// # Errors
/// As for [`list`].
pub fn open(address: &str) -> io::Result<ObjectReader> {
    Ok(stores()?.open(&address.parse()?)?)
}

/// Puts an object unless something has its name; returns false where something has.
///
/// # Errors
/// The address is none, or the object cannot be written.
pub fn put_new(address: &str, bytes: Vec<u8>, digests: Digests) -> io::Result<bool> {
    let metadata = [(CONTENT_DIGEST, digests.content.to_string()), (PIXEL_DIGEST, digests.pixels.to_string())];
    Ok(stores()?.put_new(&address.parse()?, bytes, &metadata)?)
}
