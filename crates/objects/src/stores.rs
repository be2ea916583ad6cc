//! The stores of a program.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    Attribute, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, RetryConfig,
};
use tokio::runtime::Runtime;

use crate::error::cause;
use crate::{ObjectError, ObjectReader, ObjectUrl};

/// Tries of a request within the client; who calls tries again later.
const MAX_RETRIES: usize = 3;
/// Time after which a request is not tried again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// Facts that a store keeps of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The object.
    pub url: ObjectUrl,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Time of the last write.
    pub modified: Timestamp,
    /// Tag that is another one for other bytes.
    pub etag: String,
}

/// Clients of object stores, one a bucket, opened when they are first used.
#[derive(Debug)]
pub struct ObjectStores {
    runtime: Runtime,
    settings: Vec<(String, String)>,
    opened: Mutex<HashMap<Option<String>, Arc<dyn ObjectStore>>>,
}

impl ObjectStores {
    /// Takes settings by the names that the tools of AWS read from the environment, such as `AWS_ACCESS_KEY_ID`; others are
    /// passed over.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn new(settings: impl IntoIterator<Item = (String, String)>) -> Result<Self, ObjectError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("objects")
            .enable_all()
            .build()
            .map_err(|error| ObjectError::Configuration { problem: error.to_string() })?;
        // Another part of the program may have chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = settings.into_iter().filter(|(name, _)| name.starts_with("AWS_")).collect();
        Ok(Self { runtime, settings, opened: Mutex::default() })
    }

    /// Returns the objects of a prefix, by key.
    ///
    /// # Errors
    /// The store cannot be listed.
    pub fn list(&self, prefix: &ObjectUrl) -> Result<Vec<ObjectInfo>, ObjectError> {
        let store = self.store(prefix)?;
        let path = Path::parse(prefix.key().trim_end_matches('/')).map_err(object_store::Error::from)?;
        let found: Vec<ObjectMeta> = self.runtime.block_on(store.list(Some(&path)).try_collect())?;
        let mut found: Vec<ObjectInfo> = found.into_iter().map(|meta| info(prefix, meta)).collect();
        found.sort_by(|a, b| a.url.cmp(&b.url));
        Ok(found)
    }

    /// Returns the facts of an object.
    ///
    /// # Errors
    /// There is none, or the store cannot be asked.
    pub fn info(&self, url: &ObjectUrl) -> Result<ObjectInfo, ObjectError> {
        let (store, path) = (self.store(url)?, path(url)?);
        Ok(info(url, self.runtime.block_on(store.head(&path))?))
    }

    /// Opens an object, of which nothing is read yet.
    ///
    /// # Errors
    /// As for [`Self::info`].
    pub fn open(&self, url: &ObjectUrl) -> Result<ObjectReader, ObjectError> {
        let (store, path) = (self.store(url)?, path(url)?);
        let head = GetOptions { head: true, ..GetOptions::default() };
        let found = self.runtime.block_on(store.get_opts(&path, head))?;
        Ok(ObjectReader::new(store, path, found, self.runtime.handle().clone()))
    }

    /// Puts an object unless something has its name; returns false, and changes nothing, where something has.
    ///
    /// `metadata` is kept with it, where the store keeps any: a folder does not.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put_new(
        &self,
        url: &ObjectUrl,
        bytes: Vec<u8>,
        metadata: &[(&'static str, String)],
    ) -> Result<bool, ObjectError> {
        let (store, path) = (self.store(url)?, path(url)?);
        let mut options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        for (name, value) in metadata.iter().filter(|_| url.bucket().is_some()) {
            options.attributes.insert(Attribute::Metadata(Cow::Borrowed(name)), value.clone().into());
        }
        match self.runtime.block_on(store.put_opts(&path, bytes.into(), options)) {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn store(&self, url: &ObjectUrl) -> Result<Arc<dyn ObjectStore>, ObjectError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = url.bucket().map(ToOwned::to_owned);
        if let Some(store) = opened.get(&bucket) {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn ObjectStore> = match &bucket {
            Some(bucket) => Arc::new(self.s3(bucket)?),
            None => Arc::new(LocalFileSystem::new()),
        };
        opened.insert(bucket, Arc::clone(&store));
        Ok(store)
    }

    fn s3(&self, bucket: &str) -> Result<object_store::aws::AmazonS3, ObjectError> {
        let retry = RetryConfig { max_retries: MAX_RETRIES, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_retry(retry);
        for (name, value) in &self.settings {
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value);
            }
        }
        builder.build().map_err(|error| ObjectError::Configuration { problem: cause(&error) })
    }
}

fn path(url: &ObjectUrl) -> Result<Path, ObjectError> {
    Ok(Path::parse(url.key()).map_err(object_store::Error::from)?)
}

fn info(url: &ObjectUrl, meta: ObjectMeta) -> ObjectInfo {
    let modified_ns = meta.last_modified.timestamp_nanos_opt().unwrap_or_default();
    ObjectInfo {
        url: url.with_key(meta.location.as_ref()),
        size_bytes: meta.size,
        modified: Timestamp::from_nanosecond(modified_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH),
        etag: meta.e_tag.unwrap_or_default(),
    }
}
