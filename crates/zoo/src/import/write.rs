use std::borrow::Cow;
use std::path::{Path, PathBuf};

use checkpoint::Format;
use files::{Access, AtomicFile};
use safetensors::Dtype;
use safetensors::tensor::View;
use serde::Serialize;

use super::Arranged;
use crate::weights::SafetensorsFile;
use crate::{Result, ZooError};

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// The file written.
    pub path: PathBuf,
    /// Its hexadecimal sha256.
    pub sha256: String,
    /// Number of tensors.
    pub tensors: usize,
    /// Number of elements.
    pub elements: usize,
    /// The format that they came in.
    pub format: &'static str,
    /// Number of entries of the file that were left out: optimizer state and counters.
    pub left_out: usize,
}

impl Arranged {
    /// Writes the weights under the model's own names as `path`, a `.safetensors` file of f32 numbers.
    ///
    /// The file appears whole or not at all: it is written beside its place, read back, and then renamed. An error
    /// leaves what was there before as it was. Equal weights are equal bytes, whatever file they came from.
    ///
    /// # Errors
    /// The file cannot be written, or a tensor cannot be read.
    pub fn write(&self, path: &Path) -> Result<Imported> {
        let write_error = |source| ZooError::Write { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(write_error)?;
        let file = AtomicFile::new(path, Access::Umask).map_err(write_error)?;
        let tensors = self
            .needed
            .iter()
            .enumerate()
            .map(|(index, needed)| (needed.name.as_str(), Values { arranged: self, index, shape: &needed.shape }));
        safetensors::serialize_to_file(tensors, None, file.path())
            .map_err(|error| ZooError::Write { path: path.to_owned(), source: std::io::Error::other(error) })?;
        let sha256 = SafetensorsFile::read(file.path())?.digest();
        file.commit().map_err(write_error)?;
        let elements = self.needed.iter().map(|needed| needed.shape.iter().product::<usize>()).sum();
        Ok(Imported {
            path: path.to_owned(),
            sha256,
            tensors: self.needed.len(),
            elements,
            format: words(self.format),
            left_out: self.left_out,
        })
    }
}

/// A format as a person calls it.
fn words(format: Format) -> &'static str {
    match format {
        Format::KerasLegacy => "Keras (HDF5)",
        Format::KerasStore => "Keras (.weights.h5 or .keras)",
        Format::TorchZip => "torch",
        Format::TorchLegacy => "torch before 1.6",
        Format::Safetensors => "safetensors",
    }
}

/// One tensor's numbers, made into bytes only when they are written.
struct Values<'a> {
    arranged: &'a Arranged,
    index: usize,
    shape: &'a [usize],
}

impl View for Values<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.arranged.values(self.index).iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>().into()
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * size_of::<f32>()
    }
}
