//! An object, read by ranges.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cine::ReadAt;
use object_store::path::Path;
use object_store::{Attribute, Attributes, GetOptions, GetRange, GetResult, ObjectStore};
use tokio::runtime::Handle;

use crate::ObjectError;

/// Bytes that a first read fetches: most headers end before, so that opening a loop costs one request.
const START_BYTES: u64 = 16 << 10;
/// Smaller reads fetch so much, since the next ones are mostly beside them.
const SMALL_BYTES: u64 = 4 << 10;
/// Ranges of small reads that are kept.
const MAX_KEPT: usize = 64;

/// The bytes of an object as they were when it was opened; another object that got its name is an error.
#[derive(Debug)]
pub struct ObjectReader {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size_bytes: u64,
    etag: Option<String>,
    attributes: Attributes,
    runtime: Handle,
    kept: Mutex<VecDeque<(u64, Bytes)>>,
    fetched_bytes: AtomicU64,
}

impl ObjectReader {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, path: Path, found: GetResult, runtime: Handle) -> Self {
        let (kept, fetched_bytes) = (Mutex::default(), AtomicU64::new(0));
        let GetResult { meta, attributes, .. } = found;
        Self { store, path, size_bytes: meta.size, etag: meta.e_tag, attributes, runtime, kept, fetched_bytes }
    }

    /// Returns what was put with the object under a name.
    pub fn metadata(&self, name: &'static str) -> Option<&str> {
        self.attributes.get(&Attribute::Metadata(Cow::Borrowed(name))).map(AsRef::as_ref)
    }

    /// Returns the number of bytes that were fetched so far.
    pub fn fetched_bytes(&self) -> u64 {
        self.fetched_bytes.load(Ordering::Relaxed)
    }

    fn fetch(&self, range: Range<u64>) -> Result<Bytes, ObjectError> {
        let options =
            GetOptions { range: Some(GetRange::Bounded(range)), if_match: self.etag.clone(), ..GetOptions::default() };
        let bytes = self.runtime.block_on(async { self.store.get_opts(&self.path, options).await?.bytes().await })?;
        self.fetched_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    /// Returns what is kept at `offset`.
    fn kept(&self, offset: u64) -> Option<Bytes> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find_map(|(start, bytes)| {
            let inside = usize::try_from(offset.checked_sub(*start)?).ok()?;
            (inside < bytes.len()).then(|| bytes.slice(inside..))
        })
    }

    fn keep(&self, start: u64, bytes: Bytes) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MAX_KEPT {
            kept.pop_front();
        }
        kept.push_back((start, bytes));
    }
}

impl ReadAt for ObjectReader {
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.size_bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let end = offset.saturating_add(buffer.len() as u64).min(self.size_bytes);
        if offset >= end {
            return Ok(0);
        }
        let bytes = match self.kept(offset) {
            Some(kept) => kept,
            None => {
                let least = if offset < START_BYTES { START_BYTES } else { SMALL_BYTES };
                let range = offset..end.max(offset.saturating_add(least)).min(self.size_bytes);
                let is_small = end - offset < least;
                let bytes = self.fetch(range)?;
                if is_small {
                    self.keep(offset, bytes.clone());
                }
                bytes
            }
        };
        let mut count = 0;
        for (to, from) in buffer.iter_mut().zip(&bytes) {
            *to = *from;
            count += 1;
        }
        if count == 0 {
            return Err(ObjectError::Replaced.into());
        }
        Ok(count)
    }
}
