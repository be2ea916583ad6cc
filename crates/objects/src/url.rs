//! Addresses of objects.

use std::fmt;
use std::str::FromStr;

use crate::ObjectError;

/// Address of an object, or of all objects whose keys begin alike: `s3://bucket/key`, `file:///folder/key`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectUrl {
    /// The bucket; `None` for the file system.
    bucket: Option<String>,
    key: String,
}

impl ObjectUrl {
    /// Returns true for texts that are meant as an address of an object.
    pub fn is_url(text: &str) -> bool {
        text.starts_with("s3://") || text.starts_with("file://")
    }

    /// Returns the bucket; `None` for the file system.
    pub fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// Returns the key, without a slash before it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns true for the address of a prefix, which ends in a slash or is a bucket alone.
    pub fn is_prefix(&self) -> bool {
        self.key.is_empty() || self.key.ends_with('/')
    }

    /// Returns the address of another key in the same store.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { bucket: self.bucket.clone(), key: key.to_owned() }
    }
}

impl FromStr for ObjectUrl {
    type Err = ObjectError;

    fn from_str(text: &str) -> Result<Self, ObjectError> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(ObjectError::InvalidUrl { problem: "there is no bucket" });
            }
            return Ok(Self { bucket: Some(bucket.to_owned()), key: key.to_owned() });
        }
        let key = text.strip_prefix("file:///").filter(|key| !key.is_empty());
        let key = key.ok_or(ObjectError::InvalidUrl { problem: "neither s3:// nor file:///" })?;
        Ok(Self { bucket: None, key: key.to_owned() })
    }
}

impl fmt::Display for ObjectUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.bucket {
            Some(bucket) => write!(formatter, "s3://{bucket}/{}", self.key),
            None => write!(formatter, "file:///{}", self.key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_printed_as_it_was_read() {
        for text in ["s3://echo/loops/a.dcm", "s3://echo/loops/", "s3://echo/", "file:///srv/loops/a.dcm"] {
            let url: ObjectUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), text);
            assert_eq!(url.is_prefix(), text.ends_with('/'));
        }
        assert!("s3://echo".parse::<ObjectUrl>().unwrap().is_prefix());
        for text in ["s3://", "s3:///a", "file://", "file:///", "https://a/b", "/srv/a.dcm"] {
            assert!(text.parse::<ObjectUrl>().is_err(), "{text}");
        }
    }
}
