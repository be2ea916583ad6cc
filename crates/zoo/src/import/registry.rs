use std::path::{Path, PathBuf};

use checkpoint::{Checkpoint, LeftOut, StoredTensor};
use serde::{Deserialize, Serialize};

use super::{Arranged, Imported};
use crate::{AnyEncoderName, Encoder, Model, ModelCard, Registry, Result, VideoEncoder, ZooError};

/// The file that weights were imported from; kept beside them, so that a lab can tell years later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOrigin {
    /// Its name, without folders.
    pub file: String,
    /// Its hexadecimal sha256.
    pub sha256: String,
    /// That of the weights that it became.
    pub imported_sha256: String,
}

impl ImportOrigin {
    fn write(&self, path: &Path) -> Result<()> {
        let write_error = |source| ZooError::Write { path: path.to_owned(), source };
        let text = serde_json::to_vec_pretty(self).map_err(|error| write_error(error.into()))?;
        files::write(path, &text, files::Access::Umask).map_err(write_error)
    }
}

/// Leaves out the fully connected layer that makes classes of vectors of `width` numbers, where the file has one such layer: a
/// model that gives only vectors has no place for it.
fn leave_out_classes(checkpoint: &mut Checkpoint, width: usize) {
    let mut layers = checkpoint.tensors.iter().filter_map(|tensor| match tensor.shape.as_slice() {
        [_, vectors] if *vectors == width => tensor.name.strip_suffix("weight"),
        [vectors, _] if *vectors == width => tensor.name.strip_suffix("kernel"),
        _ => None,
    });
    let (Some(layer), None) = (layers.next().map(str::to_owned), layers.next()) else { return };
    let is_of_layer =
        |name: &str| name.strip_prefix(&layer).is_some_and(|part| ["weight", "kernel", "bias"].contains(&part));
    let (left_out, tensors) =
        std::mem::take(&mut checkpoint.tensors).into_iter().partition(|tensor| is_of_layer(&tensor.name));
    checkpoint.tensors = tensors;
    let note = |tensor: StoredTensor| LeftOut { name: tensor.name, why: "the layer of classes".to_owned() };
    checkpoint.left_out.extend(Vec::into_iter(left_out).map(note));
}

fn origin_path(weights: &Path) -> PathBuf {
    weights.with_extension("origin.json")
}

impl Registry {
    /// Imports the weight file `file` as the weights of the model `name`; one that was there is replaced.
    ///
    /// A zip archive of the authors that holds the weights among other files is read as far as that file.
    ///
    /// `sha256` is the digest that the file must have, in hexadecimal digits.
    ///
    /// # Errors
    /// The model is not known or takes no file, or the file is damaged or another model's; nothing is written then.
    pub fn import(&self, name: &str, file: &Path, sha256: Option<&str>) -> Result<Imported> {
        let card = self.card(name)?;
        let target = self.weights_path(card).ok_or_else(|| ZooError::TakesNoFile { model: name.to_owned() })?;
        let read_error = |source| ZooError::Read { path: file.to_owned(), source };
        let found = files::sha256(file).map_err(read_error)?.to_string();
        if let Some(expected) = sha256.filter(|expected| !expected.eq_ignore_ascii_case(&found)) {
            return Err(ZooError::Digest { path: file.to_owned(), found, expected: expected.to_owned() });
        }
        let member = card.published.as_ref().and_then(|published| published.member.as_deref());
        let inside = member.map(|member| checkpoint::read_member(file, member)).transpose()?.flatten();
        let mut checkpoint = match inside {
            Some(checkpoint) => checkpoint,
            None => checkpoint::read(file)?,
        };
        if card.label_set.is_none() {
            let width = match card.encoder {
                AnyEncoderName::Frames(encoder) => Encoder::width(encoder),
                AnyEncoderName::Clips(encoder) => VideoEncoder::width(encoder),
            };
            leave_out_classes(&mut checkpoint, width);
        }
        let arranged = Arranged::new(file, checkpoint, Model::tensors(card)?)?;
        let imported = arranged.write(&target)?;
        let source = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let origin = ImportOrigin { file: source, sha256: found, imported_sha256: imported.sha256.clone() };
        origin.write(&origin_path(&target))?;
        Ok(imported)
    }

    /// Returns the file that the weights of `card` were imported from, where that is known of the weights that are
    /// here now.
    pub fn import_origin(&self, card: &ModelCard) -> Option<ImportOrigin> {
        let target = self.weights_path(card)?;
        let origin: ImportOrigin = serde_json::from_slice(&std::fs::read(origin_path(&target)).ok()?).ok()?;
        (files::sha256(&target).ok()?.to_string() == origin.imported_sha256).then_some(origin)
    }

    /// The folder for files that were fetched to be imported.
    pub fn downloads(&self) -> PathBuf {
        self.folder().join("downloads")
    }
}
