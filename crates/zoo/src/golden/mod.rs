//! Golden files: numbers of the original frameworks, re-made with our layers, losses and resizing.
//!
//! A golden file says how its inputs (and weights) are made by formula, and what the original framework computed from
//! them. So parity is checked without trained weights, for any seed, image size, clip length, batch or temperature. There
//! are files of models, of losses, of resizing (with safetensors files of whole images beside them) and of the formula.

mod compare;
mod file;
mod heads;
mod inputs;
mod losses;
mod models;
mod resize;
mod shipped;
mod source;
mod thesis;
mod tolerance;
mod vectors;
mod weight_files;

use std::path::{Path, PathBuf};

use candle_core::Device;

pub use inputs::{image_u8, sector_u8};

use crate::weights::Weights;
use crate::{Architecture, Result, ZooError};
use file::GoldenFile;
use source::{Kind, Source};

/// How one output of one golden file compares.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The model that the file describes, or what else it is about: `losses`, `resize`, ...
    pub model: String,
    /// The output's name in the file, or `parameters` for the number of trained elements that were read.
    pub output: String,
    /// The largest difference over all elements: of losses relative to the largest element, else absolute; not a number
    /// for an output that is not covered here.
    pub deviation: f64,
    /// The largest difference allowed.
    pub tolerance: f64,
}

impl Check {
    fn new(model: &str, output: String, deviation: f64, tolerance: f64) -> Self {
        Self { model: model.to_owned(), output, deviation, tolerance }
    }

    /// A check that never passes, for something in a file that nothing here re-makes.
    fn not_covered(model: &str, output: &str) -> Self {
        Self::new(model, format!("{output}: not covered"), f64::NAN, 0.0)
    }

    /// Whether the output is as close as it must be; a deviation that is not a number is not.
    pub fn passes(&self) -> bool {
        self.deviation <= self.tolerance
    }
}

/// Runs the golden file at `path`, or every one in that folder, on the CPU and compares every output that it lists.
///
/// A large deviation is not an error but a [`Check`] that does not pass, and so is a loss or a way of resizing that is not
/// known here. Errors: a file cannot be read or is no golden file, the model is unknown, the tensors listed are not those
/// that the architecture reads, or a folder holds none.
/// To go on after an error in a folder, call this for each of its [`model_files`].
pub fn verify(path: &Path) -> Result<Vec<Check>> {
    if !path.is_dir() {
        return verify_file(path);
    }
    let files = model_files(path)?;
    if files.is_empty() {
        let problem = "it holds no golden file".to_owned();
        return Err(ZooError::Format { path: path.to_owned(), format: "golden", problem });
    }
    let checks = files.iter().map(|file| verify_file(file)).collect::<Result<Vec<_>>>()?;
    Ok(checks.into_iter().flatten().collect())
}

/// Runs the golden files that come with the program about the parts of `architecture`.
///
/// Large outputs are part of them, so this takes seconds. Errors: as for [`verify`].
pub fn verify_parts(architecture: &Architecture) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for (name, content) in shipped::about(architecture) {
        checks.extend(verify_model(&GoldenFile::parse(Path::new(name), content)?)?);
    }
    Ok(checks)
}

fn verify_file(path: &Path) -> Result<Vec<Check>> {
    let source = Source::read(path)?;
    match source.kind() {
        Some(Kind::Losses) => losses::verify(&source),
        Some(Kind::Resize) => resize::verify(&source),
        Some(Kind::Vectors) => vectors::verify(&source),
        Some(Kind::Weights) => weight_files::verify(path),
        // What is no golden file at all is best named by reading it as the most usual one.
        Some(Kind::Model) | None => verify_model(&GoldenFile::parse(path, source.bytes())?),
    }
}

fn verify_model(file: &GoldenFile) -> Result<Vec<Check>> {
    let outputs = Weights::read_all(file, &Device::Cpu, file.separator(), |weights| {
        let model = models::read(file, weights)?;
        let mut outputs = Vec::new();
        for (tag, input) in file.inputs()? {
            let named = model(&input)?;
            outputs.extend(named.into_iter().map(|(name, tensor)| (format!("{tag}{name}"), tensor)));
        }
        Ok(outputs)
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

/// The golden files in `path`: itself if it is a file, else every one in the folder and the folders below it.
///
/// Files of models, losses, resizing and of the formula are; other JSON files are left out. The list is sorted.
pub fn model_files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let entries = || -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    for entry in entries().map_err(|source| ZooError::Read { path: path.to_owned(), source })? {
        if entry.is_dir() {
            found.extend(model_files(&entry)?);
        } else if entry.extension().is_some_and(|extension| extension == "json")
            && Source::read(&entry)?.kind().is_some()
        {
            found.push(entry);
        }
    }
    found.sort();
    Ok(found)
}
