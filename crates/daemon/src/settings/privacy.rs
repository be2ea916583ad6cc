//! The table `[privacy]`: as it is written, and as settings.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// File of the key where nothing names another, beside the configuration: a copy of the database must not bring it along.
const DEFAULT_KEY: &str = "echolabel.path-key";

/// Values that the database may not hold in readable form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacySettings {
    /// Paths of files are kept encrypted.
    pub encrypt_paths: bool,
    /// File of the key that encrypts them.
    pub path_key: PathBuf,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Privacy")]
pub(super) struct RawPrivacy {
    /// Keeps the paths of files encrypted in the database, as names of files may hold names of patients.
    pub(super) encrypt_paths: bool,
    /// File of the key that encrypts them; made by `watch` where there is none, beside this file without this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path_key: Option<PathBuf>,
}

impl RawPrivacy {
    /// Relative paths count from `base`.
    pub fn resolve(self, base: &Path) -> PrivacySettings {
        let path_key = self.path_key.unwrap_or_else(|| PathBuf::from(DEFAULT_KEY));
        PrivacySettings { encrypt_paths: self.encrypt_paths, path_key: base.join(path_key) }
    }
}

impl From<&PrivacySettings> for RawPrivacy {
    fn from(settings: &PrivacySettings) -> Self {
        let PrivacySettings { encrypt_paths, path_key } = settings.clone();
        Self { encrypt_paths, path_key: Some(path_key) }
    }
}
