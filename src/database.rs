//! The database that the settings name, and the form in which it keeps paths.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use daemon::Settings;
use daemon::settings::PrivacySettings;
use store::{DatabaseLocation, PathForm, PathKey, Store, StoreError};

/// A lab's database: where it is, and how it is opened.
#[derive(Debug, Clone)]
pub struct Database {
    location: DatabaseLocation,
    paths: PathForm,
}

impl Database {
    /// Returns the database of the settings, to be read or written beside the daemon.
    ///
    /// # Errors
    /// Paths are encrypted by the settings, and their key cannot be read.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let PrivacySettings { encrypt_paths, path_key } = &settings.privacy;
        let paths = match (encrypt_paths, read_key(path_key)?) {
            (true, Some(key)) => PathForm::encrypted(key),
            (true, None) => anyhow::bail!("privacy.path_key: there is no file {}", path_key.display()),
            (false, key) => PathForm::plain(key),
        };
        Ok(Self { location: settings.database.clone(), paths })
    }

    /// Returns the database of the settings, to be made where it is missing; likewise the key of its paths.
    ///
    /// # Errors
    /// Paths are encrypted by the settings, and their key can neither be read nor made.
    pub fn new_or_existing(settings: &Settings) -> anyhow::Result<Self> {
        let PrivacySettings { encrypt_paths, path_key } = &settings.privacy;
        if *encrypt_paths && read_key(path_key)?.is_none() {
            let key = PathKey::random().context("no random numbers")?;
            files::write(path_key, format!("{}\n", key.to_text()).as_bytes(), files::Access::Group).with_context(
                || {
                    let file = path_key.display();
                    format!("privacy.path_key: cannot make {file}; `openssl rand -hex 64 > {file}` makes one too")
                },
            )?;
        }
        Self::new(settings)
    }

    /// Opens it to write.
    ///
    /// # Errors
    /// As for [`Store::open`] and [`Store::with_paths`].
    pub fn open(&self) -> Result<Store, StoreError> {
        Store::open(&self.location)?.with_paths(self.paths.clone())
    }

    /// Opens it to read.
    ///
    /// # Errors
    /// As for [`Store::open_read_only`] and [`Store::with_paths`].
    pub fn open_read_only(&self) -> Result<Store, StoreError> {
        Store::open_read_only(&self.location)?.with_paths(self.paths.clone())
    }

    /// Opens it for the one daemon, with every path in the form that the settings name.
    ///
    /// # Errors
    /// As for [`Store::open_for_daemon`] and [`Store::rewrite_paths`].
    pub fn open_for_daemon(&self) -> Result<Store, StoreError> {
        let store = Store::open_for_daemon(&self.location)?.with_paths(self.paths.clone())?;
        store.rewrite_paths()?;
        Ok(store)
    }
}

/// Reads a key; `None` where there is no file.
fn read_key(file: &Path) -> anyhow::Result<Option<PathKey>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("privacy.path_key: cannot read {}", file.display())),
    };
    let key = PathKey::from_text(&text);
    key.with_context(|| format!("privacy.path_key: {} does not hold 128 hexadecimal digits", file.display())).map(Some)
}
