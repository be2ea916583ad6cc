//! Form of paths in the database: as they are, or encrypted. Names of files may hold names of patients.

use std::fmt;
use std::path::{Path, PathBuf};

use aes_siv::KeyInit as _;
use aes_siv::siv::Aes256Siv;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

use crate::FileIdentity;

/// Begins an encrypted path. Paths of files are absolute, so none of them begins so.
const MARK: &str = "encrypted:";

/// Paths are padded to a multiple of this, so that their lengths tell little.
const BLOCK_BYTES: usize = 64;

/// Bytes of a key: AES-256-SIV takes two of 32.
const KEY_BYTES: usize = 64;

/// Nothing is authenticated beside the path.
const NO_HEADERS: [&[u8]; 0] = [];

/// A key that encrypts paths. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PathKey([u8; KEY_BYTES]);

impl PathKey {
    /// Returns a new key from the system's random numbers.
    ///
    /// # Errors
    /// The system gives none.
    pub fn random() -> std::io::Result<Self> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// Reads the text of a key, 128 hexadecimal digits; `None` where it is no key.
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Returns the text of the key, for its file.
    pub fn to_text(&self) -> String {
        HEXLOWER_PERMISSIVE.encode(&self.0)
    }

    /// The same path gives the same text: files are looked up by it.
    fn encrypt(&self, path: &Path) -> PathBuf {
        let mut bytes = path_bytes(path);
        bytes.resize(bytes.len().next_multiple_of(BLOCK_BYTES), 0);
        let sealed = Aes256Siv::new(&self.0.into()).encrypt(NO_HEADERS, &bytes);
        format!("{MARK}{}", BASE64URL_NOPAD.encode(&sealed.expect("only too many headers are refused"))).into()
    }

    /// Returns `None` for what another key made.
    fn decrypt(&self, stored: &Path) -> Option<PathBuf> {
        let text = stored.to_str()?.strip_prefix(MARK)?;
        let sealed = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let mut bytes = Aes256Siv::new(&self.0.into()).decrypt(NO_HEADERS, &sealed).ok()?;
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        Some(path_from(bytes))
    }
}

impl fmt::Debug for PathKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PathKey(secret)")
    }
}

/// Form in which a database keeps paths. The default keeps them as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathForm {
    /// Reads encrypted paths, and makes them where `encrypts`.
    key: Option<PathKey>,
    encrypts: bool,
}

impl PathForm {
    /// Returns the form that keeps paths encrypted.
    pub const fn encrypted(key: PathKey) -> Self {
        Self { key: Some(key), encrypts: true }
    }

    /// Returns the form that keeps paths as they are; a key reads those that were encrypted before.
    pub const fn plain(key: Option<PathKey>) -> Self {
        Self { key, encrypts: false }
    }

    /// Returns a path as the database keeps it.
    pub(crate) fn kept(&self, path: &Path) -> PathBuf {
        match &self.key {
            Some(key) if self.encrypts && !is_encrypted(path) => key.encrypt(path),
            _ => path.to_owned(),
        }
    }

    /// Returns the path that the database keeps; the encrypted text where there is no key for it.
    pub(crate) fn revealed(&self, stored: PathBuf) -> PathBuf {
        if !is_encrypted(&stored) {
            return stored;
        }
        self.key.as_ref().and_then(|key| key.decrypt(&stored)).unwrap_or(stored)
    }

    /// Returns a file as the database keeps it.
    pub(crate) fn kept_file(&self, file: &FileIdentity) -> FileIdentity {
        FileIdentity { path: self.kept(&file.path), ..file.clone() }
    }

    /// Returns the file that the database keeps.
    pub(crate) fn revealed_file(&self, file: FileIdentity) -> FileIdentity {
        FileIdentity { path: self.revealed(file.path), ..file }
    }

    pub(crate) const fn encrypts(&self) -> bool {
        self.encrypts
    }

    pub(crate) const fn has_key(&self) -> bool {
        self.key.is_some()
    }
}

/// Returns whether a path is one that the database keeps encrypted.
pub(crate) fn is_encrypted(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.starts_with(MARK))
}

/// Returns the first text of an encrypted path, and the first after all of them.
pub(crate) fn encrypted_range() -> [Vec<u8>; 2] {
    let mut end = MARK.as_bytes().to_owned();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    [MARK.as_bytes().to_owned(), end]
}

#[cfg(unix)]
pub(crate) fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_owned()
}

#[cfg(unix)]
pub(crate) fn path_from(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
pub(crate) fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(not(unix))]
pub(crate) fn path_from(bytes: Vec<u8>) -> PathBuf {
    std::ffi::OsString::from(String::from_utf8_lossy(&bytes).into_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encrypted_path_shows_nothing_and_comes_back() {
        let form = PathForm::encrypted(PathKey::random().unwrap());
        for text in ["/inbox/DOE^JANE/1.dcm", "/inbox/a", &format!("/inbox/{}", "x".repeat(500))] {
            let path = PathBuf::from(text);
            let stored = form.kept(&path);
            assert!(is_encrypted(&stored) && !stored.to_string_lossy().contains("DOE"));
            assert_eq!(form.kept(&path), stored, "files are looked up by it");
            assert_eq!(form.kept(&stored), stored);
            assert_eq!(form.revealed(stored), path);
        }
        let lengths = ["/inbox/a", "/inbox/DOE^JANE"].map(|path| form.kept(Path::new(path)).as_os_str().len());
        assert_eq!(lengths[0], lengths[1]);
    }

    #[test]
    fn another_key_reads_nothing_and_plain_paths_stay() {
        let path = PathBuf::from("/inbox/DOE^JANE/1.dcm");
        let stored = PathForm::encrypted(PathKey::random().unwrap()).kept(&path);
        for other in [PathForm::encrypted(PathKey::random().unwrap()), PathForm::default()] {
            assert_eq!(other.revealed(stored.clone()), stored);
            assert_eq!(other.revealed(path.clone()), path);
        }
        assert_eq!(PathForm::plain(Some(PathKey::random().unwrap())).kept(&path), path);
    }

    #[test]
    fn the_text_of_a_key_is_the_key() {
        let key = PathKey::random().unwrap();
        assert_eq!(PathKey::from_text(&format!("{}\n", key.to_text())), Some(key.clone()));
        assert_eq!(PathKey::from_text(&key.to_text()[2..]), None);
        assert!(!format!("{key:?}").contains(&key.to_text()[..8]));
    }
}
