//! From other frameworks' weight files to a model's own.
//!
//! A model's architecture says which tensors it needs, with their shapes; the file says which it has. Every tensor
//! must find its place, no tensor may be left over, and only then is anything written.

mod arrange;
mod keras;
mod registry;
mod torch;
mod write;

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use checkpoint::{Checkpoint, Format, StoredTensor};

pub use arrange::TensorOutline;
pub use registry::ImportOrigin;
pub use write::Imported;

use crate::weights::{DERIVED, TensorSource};
use crate::{Result, ZooError};
use arrange::Place;

/// A checkpoint whose tensors have found their places in a model; a source of that model's weights.
pub struct Arranged {
    path: PathBuf,
    format: Format,
    needed: Vec<TensorOutline>,
    places: Vec<Place>,
    tensors: Vec<StoredTensor>,
    left_out: usize,
}

impl Arranged {
    /// Reads the weight file at `path` and finds in it every tensor that a model needs.
    ///
    /// `needed` is in the order in which the model reads.
    ///
    /// # Errors
    /// The file cannot be read or is damaged, a tensor is missing, has another shape, fits in two places, or is not the
    /// model's.
    pub fn read(path: &Path, needed: Vec<TensorOutline>) -> Result<Self> {
        Self::new(path, checkpoint::read(path)?, needed)
    }

    /// The same for a checkpoint that was read from `path` before.
    ///
    /// # Errors
    /// A tensor that the model needs is not in the file, or the file holds others.
    pub fn new(path: &Path, checkpoint: Checkpoint, needed: Vec<TensorOutline>) -> Result<Self> {
        let Checkpoint { format, mut tensors, left_out } = checkpoint;
        tensors.retain(|tensor| !DERIVED.iter().any(|derived| tensor.name.ends_with(derived)));
        let stored: Vec<TensorOutline> = tensors
            .iter()
            .map(|tensor| TensorOutline { name: tensor.name.clone(), shape: tensor.shape.clone() })
            .collect();
        let file = path.display().to_string();
        check_framework(&file, format, &needed)?;
        let places = match format {
            Format::KerasLegacy => keras::legacy_places(&file, &stored, &needed)?,
            Format::KerasStore => keras::store_places(&file, &stored, &needed)?,
            Format::TorchZip | Format::TorchLegacy => torch::places(&file, &stored, &needed)?,
            Format::Safetensors => safetensors_places(&file, &stored, &needed)?,
        };
        for tensor in &tensors {
            if tensor.values.iter().any(|value| !value.is_finite()) {
                return Err(ZooError::NotFinite { weights: file, tensor: tensor.name.clone() });
            }
        }
        Ok(Self { path: path.to_owned(), format, needed, places, tensors, left_out: left_out.len() })
    }

    /// The numbers of tensor `index` of those needed, rows and columns as the model has them.
    fn values(&self, index: usize) -> std::borrow::Cow<'_, [f32]> {
        let Place { stored, transposed } = self.places[index];
        let stored = &self.tensors[stored];
        match (transposed, stored.shape.as_slice()) {
            (true, &[rows, columns]) => {
                let at = |index: usize| stored.values[(index % rows) * columns + index / rows];
                (0..rows * columns).map(at).collect::<Vec<_>>().into()
            }
            _ => stored.values.as_slice().into(),
        }
    }
}

/// Refuses a torch file for a model whose encoder is Keras', and the other way round: kernels and padding differ.
fn check_framework(file: &str, format: Format, needed: &[TensorOutline]) -> Result<()> {
    let model_is_keras = needed.iter().any(|tensor| tensor.name.contains('/'));
    let (found, expected) = match format {
        Format::KerasLegacy | Format::KerasStore if !model_is_keras => ("Keras", "torch"),
        Format::TorchZip | Format::TorchLegacy if model_is_keras => ("torch", "Keras"),
        _ => return Ok(()),
    };
    Err(ZooError::WrongFramework { weights: file.to_owned(), found, expected })
}

/// A safetensors file holds a model's own names, or those of the framework that it was converted from.
fn safetensors_places(file: &str, stored: &[TensorOutline], needed: &[TensorOutline]) -> Result<Vec<Place>> {
    let own = |tensor: &TensorOutline| needed.iter().any(|needed| needed.name == tensor.name);
    if stored.iter().any(own) {
        let place = |needed: &TensorOutline| {
            let stored = stored.iter().position(|stored| stored.name == needed.name)?;
            Some(Place { stored, transposed: false })
        };
        return arrange::checked(file, (stored, needed), needed.iter().map(place).collect());
    }
    if stored.iter().any(|tensor| tensor.name.contains('/')) {
        return keras::legacy_places(file, stored, needed);
    }
    torch::places(file, stored, needed)
}

impl TensorSource for Arranged {
    fn description(&self) -> String {
        self.path.display().to_string()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let index = self
            .needed
            .iter()
            .position(|needed| needed.name == name)
            .ok_or_else(|| ZooError::MissingTensor { weights: self.description(), tensor: name.to_owned() })?;
        Ok(Tensor::from_slice(&self.values(index), shape, &Device::Cpu)?)
    }

    fn names(&self) -> Option<Vec<String>> {
        Some(self.needed.iter().map(|tensor| tensor.name.clone()).collect())
    }

    /// Empty: numbers have an identity only once they are written.
    fn sha256(&self) -> String {
        String::new()
    }
}
