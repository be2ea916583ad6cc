//! Parity with other frameworks: numbers that TensorFlow, PyTorch, Pillow and OpenCV computed, computed again by the
//! layers, losses and resizing of this workspace.
//!
//! A reference file says how its inputs and weights are made by a formula, and what the original framework computed
//! from them. So parity is checked without trained weights, for any seed, image size, clip length, batch or
//! temperature. There are files of models, of losses, of resizing (with safetensors files of whole images beside them)
//! and of the formula. They lie in `fixtures/golden`, named as their format is; `echolabel models verify` is the
//! command.

mod check;
mod compare;
mod echo_prime;
mod eleven_views;
mod embedded;
mod error;
mod heads;
mod inputs;
mod losses;
mod model_reference;
mod models;
mod reference_file;
mod resize;
mod tolerance;
mod vectors;
mod weight_files;

use std::path::{Path, PathBuf};

use candle_core::Device;
use zoo::Architecture;
use zoo::weights::Weights;

pub use check::Check;
pub use error::{ParityError, Result};
pub use inputs::{image_u8, sector_u8};

use model_reference::ModelReference;
use reference_file::{ReferenceFile, ReferenceKind};

/// Runs the reference file at `path`, or every one in that folder, on the CPU and compares every output that it lists.
///
/// A large deviation is not an error but a [`Check`] that does not pass, and so is a loss or a way of resizing that is
/// not known here. To go on after an error in a folder, call this for each of its [`model_files`].
///
/// # Errors
/// A file cannot be read or is no reference file, the model is unknown, the tensors listed are not those that the
/// architecture reads, or a folder holds none.
pub fn verify(path: &Path) -> Result<Vec<Check>> {
    if !path.is_dir() {
        return verify_file(path);
    }
    let files = reference_files(path)?;
    if files.is_empty() {
        let problem = "it holds no reference file".to_owned();
        return Err(ParityError::Format { path: path.to_owned(), problem });
    }
    let checks = files.iter().map(|file| verify_file(file)).collect::<Result<Vec<_>>>()?;
    Ok(checks.into_iter().flatten().collect())
}

/// Runs the reference files that come with the program about the parts of `architecture`.
///
/// Large outputs are part of them, so this takes seconds.
///
/// # Errors
/// As for [`verify`].
pub fn verify_parts(architecture: &Architecture) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for (name, content) in embedded::for_architecture(architecture) {
        checks.extend(verify_model(&ModelReference::parse(Path::new(name), content)?)?);
    }
    Ok(checks)
}

fn verify_file(path: &Path) -> Result<Vec<Check>> {
    let source = ReferenceFile::read(path)?;
    match source.kind() {
        Some(ReferenceKind::Losses) => losses::verify(&source),
        Some(ReferenceKind::Resize) => resize::verify(&source),
        Some(ReferenceKind::EchoPrime) => echo_prime::verify(&source),
        Some(ReferenceKind::Vectors) => vectors::verify(&source),
        Some(ReferenceKind::Weights) => weight_files::verify(path),
        // What is no reference file at all is best named by reading it as the most usual one.
        Some(ReferenceKind::Model) | None => verify_model(&ModelReference::parse(path, source.bytes())?),
    }
}

fn verify_model(file: &ModelReference) -> Result<Vec<Check>> {
    let outputs = Weights::read_all(file, &Device::Cpu, file.separator(), |weights| {
        let model = models::read(file, weights)?;
        let mut outputs = Vec::new();
        for (tag, input) in file.inputs()? {
            let named = model(&input)?;
            outputs.extend(named.into_iter().map(|(name, tensor)| (format!("{tag}{name}"), tensor)));
        }
        Ok::<_, ParityError>(outputs)
    })?;
    let mut checks = vec![file.parameter_check()];
    for name in file.output_names() {
        let (_, ours) = outputs
            .iter()
            .find(|(ours, _)| ours == name)
            .ok_or_else(|| file.problem(format!("output {name:?} is not one that {} gives", file.model())))?;
        checks.push(file.output_check(name, ours)?);
    }
    Ok(checks)
}

/// Lists the reference files in `path`: itself if it is a file, else every one in the folder and the folders below it.
///
/// JSON files of another kind are left out. The list is sorted.
///
/// # Errors
/// A folder or a JSON file cannot be read.
pub fn reference_files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for file in files::walk(&[path.to_owned()], files::Links::Follow, |_| true) {
        let file = file.map_err(|unread| ParityError::Read { path: unread.path, source: unread.error })?;
        if file.extension().is_some_and(|extension| extension == "json") && ReferenceFile::read(&file)?.kind().is_some()
        {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}
