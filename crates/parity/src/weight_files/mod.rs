//! Reference files of weight-file formats: tiny real files of other frameworks, with what their models computed.
//!
//! Each is imported as any file is, its tensors are compared with the formula's, and the network is run.

mod keras_network;
mod torch_network;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use checkpoint::{Checkpoint, Element};
use serde::Deserialize;
use zoo::import::{Arranged, TensorOutline};
use zoo::weights::{Weights, checksum, outlines};

use crate::compare::{Numbers, largest_difference};
use crate::inputs::Input;
use crate::{Check, ParityError, Result};

/// Largest differences allowed (references' README: Xception's features and softmax, the temporal heads' logits).
const FEATURES_TOLERANCE: f64 = 5e-5;
const LOGITS_TOLERANCE: f64 = 2e-5;
const SOFTMAX_TOLERANCE: f64 = 2e-6;

/// Half precision is compared by the angle between the logits and by which is largest.
const HALF_ANGLE_TOLERANCE: f64 = 1e-3;

/// The content of the JSON file: tensors of the weight files beside it, and the outputs of their networks.
#[derive(Deserialize)]
struct Content {
    seed: String,
    input: Input,
    outputs: BTreeMap<String, Numbers>,
    tensors: Vec<Entry>,
    /// Keras: the layout of each file, by its name.
    layouts: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    /// Torch: what the views of one storage are.
    strided_views: Option<StridedViews>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    xsum: String,
}

#[derive(Deserialize)]
struct StridedViews {
    row: Vec<f32>,
    tail_first: f32,
    transposed_row0: Vec<f32>,
    empty_shape: Vec<usize>,
}

/// Returns true if the JSON file describes weight files.
pub(crate) fn is_weight_reference(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Content>(bytes)
        .is_ok_and(|content| content.layouts.is_some() || content.strided_views.is_some())
}

/// Imports every file beside the JSON file at `path` that it describes, and compares it.
pub(crate) fn verify(path: &Path) -> Result<Vec<Check>> {
    let invalid = |problem: String| ParityError::Format { path: path.to_owned(), problem };
    let bytes = std::fs::read(path).map_err(|source| ParityError::Read { path: path.to_owned(), source })?;
    let content: Content = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let files: Vec<PathBuf> = match &content.layouts {
        Some(layouts) => layouts.keys().map(|name| folder.join(name)).filter(|path| path.is_file()).collect(),
        None => torch_files(folder, &stem)?,
    };
    if files.is_empty() {
        return Err(invalid("no weight file lies beside it".to_owned()));
    }
    let mut checks = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let checkpoint = checkpoint::read(file)?;
        let half = checkpoint.tensors.iter().any(|tensor| tensor.stored_as == Element::F16);
        if !half {
            checks.push(tensors_check(&name, &content, &checkpoint));
        }
        let arranged = Arranged::new(file, checkpoint, needed(&content, &name)?)?;
        for (output, ours) in run(&content, &arranged, &name)? {
            let theirs = content.outputs.get(output).ok_or_else(|| invalid(format!("it has no output {output:?}")))?;
            checks.push(output_check(&name, output, (&ours, theirs), half).map_err(invalid)?);
        }
    }
    if let Some(views) = &content.strided_views {
        checks.extend(strided_checks(&folder.join("torch_strided_views.pth"), views)?);
    }
    Ok(checks)
}

/// Torch's description names no files: they are those whose names begin as its own.
fn torch_files(folder: &Path, stem: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>());
    let mut files = entries.map_err(|source| ParityError::Read { path: folder.to_owned(), source })?;
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(stem) && (name.ends_with(".pth") || name.ends_with(".pt"))
    });
    files.sort();
    Ok(files)
}

impl Content {
    fn is_keras(&self) -> bool {
        self.layouts.is_some()
    }

    /// The length of the last layer's bias.
    fn classes(&self) -> usize {
        self.tensors.last().and_then(|entry| entry.shape.first().copied()).unwrap_or_default()
    }
}

/// Keras' encoder files end before the last layer.
fn is_encoder(file: &str) -> bool {
    file.contains("encoder")
}

/// The tensors that the network of `file` needs.
fn needed(content: &Content, file: &str) -> Result<Vec<TensorOutline>> {
    outlines(|source| Weights::read_all(source, &Device::Cpu, '.', |weights| read(content, weights, file).map(drop)))
}

type Run = Box<dyn Fn(&Tensor) -> Result<Vec<(&'static str, Tensor)>>>;

fn read(content: &Content, weights: &Weights<'_>, file: &str) -> Result<Run> {
    match (content.is_keras(), is_encoder(file)) {
        (true, true) => keras_network::read(weights, None),
        (true, false) => keras_network::read(weights, Some(content.classes())),
        (false, _) => torch_network::read(weights, content.classes()),
    }
}

fn run(content: &Content, arranged: &Arranged, file: &str) -> Result<Vec<(&'static str, Tensor)>> {
    let input = content.input.make(&content.seed, content.is_keras());
    let input = input.map_err(|problem| ParityError::Format { path: file.into(), problem })?;
    let network = Weights::read_all(arranged, &Device::Cpu, '.', |weights| read(content, weights, file))?;
    network(&input)
}

/// Counts the tensors of the description that are not in the file, bit for bit; those of a last layer may be absent.
fn tensors_check(file: &str, content: &Content, checkpoint: &Checkpoint) -> Check {
    let here: Vec<String> = checkpoint.tensors.iter().map(|tensor| checksum(&tensor.values)).collect();
    let last_layer = |entry: &&Entry| is_encoder(file) && entry.name.contains("dense");
    let expected = content.tensors.iter().filter(|entry| !last_layer(entry));
    let absent = expected.filter(|entry| !here.contains(&entry.xsum)).count();
    Check { model: file.to_owned(), output: "tensors".to_owned(), deviation: absent as f64, tolerance: 0.0 }
}

fn output_check(
    file: &str,
    output: &str,
    (ours, theirs): (&Tensor, &Numbers),
    half: bool,
) -> std::result::Result<Check, String> {
    let found = ours.flatten_all().and_then(|ours| ours.to_vec1::<f32>()).map_err(|error| error.to_string())?;
    if ours.dims() != theirs.shape || found.len() != theirs.data.len() {
        return Err(format!("output {output:?} is {:?}, ours is {:?}", theirs.shape, ours.dims()));
    }
    let difference = || largest_difference(found.iter().map(|&value| f64::from(value)), theirs.singles());
    let (deviation, tolerance) = match (half, output) {
        (true, _) => (angle(&found, &theirs.data), HALF_ANGLE_TOLERANCE),
        (_, "softmax") => (difference(), SOFTMAX_TOLERANCE),
        (_, "features") => (difference(), FEATURES_TOLERANCE),
        _ => (difference(), LOGITS_TOLERANCE),
    };
    Ok(Check { model: file.to_owned(), output: output.to_owned(), deviation, tolerance })
}

/// One minus the cosine between two vectors; 2, the most there is, where they disagree on the largest number.
fn angle(ours: &[f32], theirs: &[f64]) -> f64 {
    let largest = |values: &mut dyn Iterator<Item = f64>| {
        values.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
    };
    let ours: Vec<f64> = ours.iter().map(|&value| f64::from(value)).collect();
    if largest(&mut ours.iter().copied()) != largest(&mut theirs.iter().copied()) {
        return 2.0;
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    1.0 - dot(&ours, theirs) / (dot(&ours, &ours) * dot(theirs, theirs)).sqrt()
}

/// Tensors that share a storage, begin inside it, or run through it another way.
fn strided_checks(path: &Path, views: &StridedViews) -> Result<Vec<Check>> {
    let checkpoint = checkpoint::read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let values = |tensor: &str, count: usize| -> Option<Vec<f32>> {
        let found = checkpoint.tensors.iter().find(|found| found.name == tensor)?;
        Some(found.values.iter().take(count).copied().collect())
    };
    let expected =
        [("row", views.row.clone()), ("tail", vec![views.tail_first]), ("transposed", views.transposed_row0.clone())];
    let mut checks: Vec<Check> = expected
        .into_iter()
        .map(|(tensor, expected)| {
            let wrong = values(tensor, expected.len()).as_ref() != Some(&expected);
            check(&name, tensor, wrong)
        })
        .collect();
    let empty = checkpoint.tensors.iter().find(|tensor| tensor.name == "empty");
    checks.push(check(&name, "empty", empty.is_none_or(|empty| empty.shape != views.empty_shape)));
    Ok(checks)
}

fn check(file: &str, output: &str, wrong: bool) -> Check {
    Check { model: file.to_owned(), output: output.to_owned(), deviation: f64::from(u8::from(wrong)), tolerance: 0.0 }
}

#[cfg(test)]
mod tests;
