//! Weight files of other frameworks as named tensors.
//!
//! This is the only room that parses untrusted weight files. Whatever the bytes, reading ends with tensors or with an
//! error that says what and where; it never panics or hangs, runs nothing that a file contains, and takes no more
//! memory than about eight times the file's length and 1 MiB (`budget.rs` keeps the account).

mod archive;
mod budget;
mod bytes;
mod element;
mod error;
mod hdf5;
mod keras;
mod member;
mod safetensors_file;
mod torch;

use std::path::Path;
use std::{fs, io};

use archive::Archive;
use budget::Budget;
pub use element::Element;
pub use error::CheckpointError;
use error::Fault;
pub use member::read_member;

/// The tensors of a weight file, and what was not taken from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Layout of the file.
    pub format: Format,
    /// The floating tensors, in the order of the file; names are unique.
    pub tensors: Vec<StoredTensor>,
    /// Everything else in the file: optimizer state, integer counters, other mappings.
    pub left_out: Vec<LeftOut>,
}

/// A format of weight files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// HDF5 with `layer_names` and `weight_names`: `.h5` of Keras 2 and 3, a whole model or `save_weights`.
    KerasLegacy,
    /// HDF5 with `vars` groups, alone (`.weights.h5`) or in a zip archive (`.keras`).
    KerasStore,
    /// `torch.save` since 1.6.
    TorchZip,
    /// `torch.save` before 1.6.
    TorchLegacy,
    /// safetensors.
    Safetensors,
}

/// One floating tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTensor {
    /// The name, as the file has it: a path below the weights group without `:0` (Keras legacy), the whole path of the
    /// dataset (Keras store), the key of the state dict (PyTorch; a `module.` stays).
    pub name: String,
    /// The length of each axis, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, row-major; as many as the product of `shape`.
    pub values: Vec<f32>,
    /// Element type of the values in the file.
    pub stored_as: Element,
}

/// Something in a file that is not among its tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name or path.
    pub name: String,
    /// Its nature, which is not that of a floating tensor of the model.
    pub why: String,
}

impl LeftOut {
    fn new(name: impl Into<String>, why: impl Into<String>) -> LeftOut {
        LeftOut { name: name.into(), why: why.into() }
    }
}

/// Reads a weight file; the format is told from its bytes, never from its name.
///
/// # Errors
///
/// Any [`CheckpointError`]. A truncated file is an error, never fewer tensors.
pub fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let bytes = read_regular(path).map_err(|source| CheckpointError::Open { path: path.to_owned(), source })?;
    read_bytes(&bytes, &path.display().to_string())
}

/// Reads a weight file that is in memory; `description` names it in errors.
///
/// # Errors
///
/// Any [`CheckpointError`] but [`CheckpointError::Open`].
pub fn read_bytes(bytes: &[u8], description: &str) -> Result<Checkpoint, CheckpointError> {
    read_any(bytes, &Budget::for_file_of(bytes.len())).map_err(|fault| fault.of_file(description))
}

/// The bytes of a file; a pipe or a device might never end.
fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    fs::read(path)
}

fn read_any(bytes: &[u8], budget: &Budget) -> Result<Checkpoint, Fault> {
    if hdf5::File::is_hdf5(bytes) {
        keras::read(bytes, budget)
    } else if Archive::is_archive(bytes) {
        read_archive(&Archive::open(bytes, budget)?, budget)
    } else if torch::is_legacy(bytes) {
        torch::read_legacy(bytes, budget)
    } else if safetensors_file::is_safetensors(bytes) {
        safetensors_file::read(bytes, budget)
    } else {
        Err(Fault::NotAWeightFile { found: describe(bytes) })
    }
}

/// The entry of a `.keras` archive that holds the weights.
const KERAS_WEIGHTS: &str = "model.weights.h5";

fn read_archive(archive: &Archive, budget: &Budget) -> Result<Checkpoint, Fault> {
    if let Some(weights) = archive.read(KERAS_WEIGHTS, budget)? {
        return keras::read(&weights, budget).map_err(|fault| fault.within(KERAS_WEIGHTS));
    }
    match torch::pickle_entry(archive) {
        Some(pickle) => torch::read_zip(archive, pickle, budget),
        None => {
            let names: Vec<String> = archive.names().take(3).map(|name| name.chars().take(40).collect()).collect();
            let found = format!("a zip archive without {KERAS_WEIGHTS} or data.pkl (it holds {})", names.join(", "));
            Err(Fault::NotAWeightFile { found })
        }
    }
}

/// Describes bytes of no known format.
fn describe(bytes: &[u8]) -> String {
    match bytes {
        [] => "it is empty".to_owned(),
        [0x80, 2..=5, ..] => "a Python pickle that torch.save did not write".to_owned(),
        _ => format!("it starts with \"{}\"", bytes::excerpt(bytes)),
    }
}
