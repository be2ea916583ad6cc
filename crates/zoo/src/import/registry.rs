use std::path::{Path, PathBuf};

use super::{Arranged, Imported};
use crate::weights::file_sha256;
use crate::{Model, Registry, Result, ZooError};

impl Registry {
    /// Imports the weight file `file` as the weights of the model `name`; one that was there is replaced.
    ///
    /// `sha256` is the digest that the file must have, in hexadecimal digits. Errors: the model is not known or takes no
    /// file, or the file is damaged or another model's; nothing is written then.
    pub fn import(&self, name: &str, file: &Path, sha256: Option<&str>) -> Result<Imported> {
        let card = self.card(name)?;
        let target = self.weights_path(card).ok_or_else(|| ZooError::TakesNoFile { model: name.to_owned() })?;
        let found = file_sha256(file)?;
        if let Some(expected) = sha256.filter(|expected| !expected.eq_ignore_ascii_case(&found)) {
            return Err(ZooError::Digest { path: file.to_owned(), found, expected: expected.to_owned() });
        }
        let arranged = Arranged::read(file, Model::tensors(card)?)?;
        let file_name = file.file_name().unwrap_or_default().to_string_lossy();
        arranged.write(&target, &format!("{file_name}, sha256 {found}"))
    }

    /// The folder for files that were fetched to be imported.
    pub fn downloads(&self) -> PathBuf {
        self.folder().join("downloads")
    }
}
