use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::Deserialize;
use zoo::ZooError;
use zoo::weights::{TensorSource, checksum, fill};

use crate::compare::{Numbers, largest_difference};
use crate::inputs::Input;
use crate::{Check, ParityError, Result, tolerance};

/// More elements than any model here has, fewer than fill a small machine's memory.
const MAX_ELEMENTS: usize = 400_000_000;

/// A reference file of a model; as a source of weights it makes exactly the tensors that it lists.
pub(crate) struct ModelReference {
    path: PathBuf,
    content: Content,
    tensors: HashMap<String, Entry>,
    /// The elements of each tensor that was read.
    read: RefCell<BTreeMap<String, usize>>,
}

#[derive(Deserialize)]
struct Content {
    model: String,
    seed: String,
    framework: String,
    input: Inputs,
    params: Parameters,
    outputs: BTreeMap<String, Numbers>,
    f32_vs_f64: Option<BTreeMap<String, Drift>>,
    tensors: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Inputs {
    One(Input),
    Tagged(BTreeMap<String, Input>),
}

#[derive(Deserialize)]
struct Parameters {
    total: usize,
}

#[derive(Deserialize)]
struct Drift {
    max_abs: f64,
}

#[derive(Clone, Deserialize)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    center: f64,
    half: f64,
    xsum: String,
}

impl ModelReference {
    /// Reads the content of the reference file at `path`.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let content: Content = serde_json::from_slice(bytes)
            .map_err(|error| ParityError::Format { path: path.to_owned(), problem: error.to_string() })?;
        let tensors = content.tensors.iter().map(|entry| (entry.name.clone(), entry.clone())).collect();
        Ok(Self { path: path.to_owned(), content, tensors, read: RefCell::default() })
    }

    /// An error about this file.
    pub(crate) fn problem(&self, problem: String) -> ParityError {
        ParityError::Format { path: self.path.clone(), problem }
    }

    pub(crate) fn model(&self) -> &str {
        &self.content.model
    }

    /// Returns the character that joins the parts of a tensor's name.
    pub(crate) fn separator(&self) -> char {
        if self.is_keras() { '/' } else { '.' }
    }

    fn is_keras(&self) -> bool {
        self.content.framework.starts_with("tensorflow")
    }

    /// The shape of the tensor `name`, for sizes that are not the architecture's own, such as the number of classes.
    pub(crate) fn shape_of(&self, name: &str) -> Result<&[usize]> {
        self.tensors.get(name).map(|entry| entry.shape.as_slice()).ok_or_else(|| self.missing(name).into())
    }

    pub(crate) fn has_tensor(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The inputs, each with the tag that stands in front of its outputs' names.
    pub(crate) fn inputs(&self) -> Result<Vec<(String, Tensor)>> {
        let make = |input: &Input| input.make(&self.content.seed, self.is_keras()).map_err(|text| self.problem(text));
        match &self.content.input {
            Inputs::One(input) => Ok(vec![(String::new(), make(input)?)]),
            Inputs::Tagged(inputs) => inputs.iter().map(|(tag, input)| Ok((format!("{tag}/"), make(input)?))).collect(),
        }
    }

    /// Side of the input images in pixels, where the input is images.
    pub(crate) fn image_side(&self) -> Option<usize> {
        match &self.content.input {
            Inputs::One(input) => input.height(),
            Inputs::Tagged(_) => None,
        }
    }

    pub(crate) fn output_names(&self) -> impl Iterator<Item = &str> {
        self.content.outputs.keys().map(String::as_str)
    }

    /// Compares `ours` with the output `name`.
    pub(crate) fn output_check(&self, name: &str, ours: &Tensor) -> Result<Check> {
        let theirs = self.content.outputs.get(name).ok_or_else(|| self.missing(name))?;
        if ours.dims() != theirs.shape || ours.elem_count() != theirs.data.len() {
            return Err(self.problem(format!("output {name:?} is {:?}, ours is {:?}", theirs.shape, ours.dims())));
        }
        let ours: Vec<f32> = ours.flatten_all()?.to_vec1()?;
        let deviation = largest_difference(ours.into_iter().map(f64::from), theirs.singles());
        let drift = self.content.f32_vs_f64.as_ref().and_then(|drift| drift.get(name)).map(|drift| drift.max_abs);
        let facts = tolerance::Facts {
            model: &self.content.model,
            seed: &self.content.seed,
            output: name,
            image_side: self.image_side(),
            drift,
        };
        let tolerance = tolerance::for_output(&facts)
            .ok_or_else(|| self.problem(format!("it does not say the framework's own rounding error of {name:?}")))?;
        Ok(Check { model: self.content.model.clone(), output: name.to_owned(), deviation, tolerance })
    }

    /// Compares the number of elements read with the number of parameters that the framework counts.
    ///
    /// Keras counts the statistics of its norms as parameters, torch does not.
    pub(crate) fn parameter_check(&self) -> Check {
        let statistic = |name: &str| name.ends_with("running_mean") || name.ends_with("running_var");
        let read = self.read.borrow();
        let counted = read.iter().filter(|(name, _)| self.is_keras() || !statistic(name));
        let ours: usize = counted.map(|(_, elements)| elements).sum();
        Check {
            model: self.content.model.clone(),
            output: "parameters".to_owned(),
            deviation: ours.abs_diff(self.content.params.total) as f64,
            tolerance: 0.0,
        }
    }

    fn invalid_tensor(&self, problem: String) -> ZooError {
        ZooError::Format { path: self.path.clone(), format: "reference", problem }
    }

    fn missing(&self, name: &str) -> ZooError {
        ZooError::MissingTensor { weights: self.description(), tensor: name.to_owned() }
    }
}

impl TensorSource for ModelReference {
    fn description(&self) -> String {
        self.path.display().to_string()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> zoo::Result<Tensor> {
        let entry = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        if entry.shape != shape {
            return Err(ZooError::MisshapenTensor {
                weights: self.description(),
                tensor: name.to_owned(),
                found: entry.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        let count = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        let count = count
            .filter(|&count| count <= MAX_ELEMENTS)
            .ok_or_else(|| self.invalid_tensor(format!("tensor {name:?} is too large: {shape:?}")))?;
        let values = fill(&self.content.seed, name, count, entry.center, entry.half);
        if checksum(&values) != entry.xsum {
            return Err(self.invalid_tensor(format!("the formula gives other numbers for tensor {name:?}")));
        }
        self.read.borrow_mut().insert(name.to_owned(), count);
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }

    fn names(&self) -> Option<Vec<String>> {
        Some(self.content.tensors.iter().map(|entry| entry.name.clone()).collect())
    }

    fn sha256(&self) -> String {
        String::new()
    }
}
