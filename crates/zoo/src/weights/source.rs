use std::cell::RefCell;
use std::collections::BTreeSet;

use candle_core::{DType, Device, Tensor};

use crate::ZooError;
use crate::import::TensorOutline;

/// A named collection of tensors.
pub trait TensorSource {
    /// Returns the name of the collection in messages: a file or an initialization.
    fn description(&self) -> String;

    /// The tensor `name` as f32 on the CPU; an error when it is missing or is not of `shape`.
    ///
    /// # Errors
    /// The tensor is missing or is not of `shape`.
    fn tensor(&self, name: &str, shape: &[usize]) -> crate::Result<Tensor>;

    /// All names, or `None` when the source can make any tensor.
    fn names(&self) -> Option<Vec<String>>;

    /// The hexadecimal sha256 that identifies these weights in the database.
    fn sha256(&self) -> String;
}

/// Tensors that torch stores although inference does not need them: a counter of batches in its norms, and tables of
/// positions that follow from the architecture.
pub(crate) const DERIVED: [&str; 3] = ["num_batches_tracked", "relative_position_index", "relative_coords_table"];

/// The tensors that `build` reads, in its order, with their shapes; none of them is real.
///
/// # Errors
/// `build` fails.
pub fn outlines<E: From<ZooError>>(
    build: impl FnOnce(&dyn TensorSource) -> Result<(), E>,
) -> Result<Vec<TensorOutline>, E> {
    let recorder = Recorder::default();
    build(&recorder)?;
    Ok(recorder.read.into_inner())
}

/// Gives out zeros of any shape and remembers what was asked for.
#[derive(Default)]
struct Recorder {
    read: RefCell<Vec<TensorOutline>>,
}

impl TensorSource for Recorder {
    fn description(&self) -> String {
        "outline".to_owned()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> crate::Result<Tensor> {
        self.read.borrow_mut().push(TensorOutline { name: name.to_owned(), shape: shape.to_vec() });
        Ok(Tensor::zeros(shape, DType::F32, &Device::Cpu)?)
    }

    fn names(&self) -> Option<Vec<String>> {
        None
    }

    fn sha256(&self) -> String {
        String::new()
    }
}

/// A place in the tree of tensor names, from which a layer takes its own.
#[derive(Clone)]
pub struct Weights<'a> {
    source: &'a dyn TensorSource,
    device: &'a Device,
    used: &'a RefCell<BTreeSet<String>>,
    prefix: String,
    separator: char,
}

impl<'a> Weights<'a> {
    /// Runs `build` at the root of `source`, then checks that it used every tensor.
    ///
    /// `separator` joins the parts of a name: '.' in torch checkpoints, '/' in Keras ones.
    ///
    /// # Errors
    /// `build` fails, or a tensor of the source was not read.
    pub fn read_all<T, E: From<ZooError>>(
        source: &dyn TensorSource,
        device: &Device,
        separator: char,
        build: impl FnOnce(&Weights<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let used = RefCell::new(BTreeSet::new());
        let root = Weights { source, device, used: &used, prefix: String::new(), separator };
        let built = build(&root)?;
        let used = used.borrow();
        let mut extra: Vec<String> =
            source.names().unwrap_or_default().into_iter().filter(|name| !used.contains(name)).collect();
        extra.retain(|name| !DERIVED.iter().any(|derived| name.ends_with(derived)));
        extra.sort();
        match extra.first() {
            Some(first) => {
                Err(ZooError::ExtraTensors { weights: source.description(), count: extra.len(), first: first.clone() }
                    .into())
            }
            None => Ok(built),
        }
    }

    /// The place one level down.
    pub fn at(&self, part: impl std::fmt::Display) -> Weights<'a> {
        Weights { prefix: self.join(&part.to_string()), ..self.clone() }
    }

    /// The same place with another separator between the parts below it.
    pub fn separated_by(&self, separator: char) -> Weights<'a> {
        Weights { separator, ..self.clone() }
    }

    /// The tensor `name` of `shape`, as f32 on the model's device.
    ///
    /// # Errors
    /// The tensor is missing or is not of `shape`.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> crate::Result<Tensor> {
        let name = self.join(name);
        let tensor = self.source.tensor(&name, shape)?.to_device(self.device)?;
        self.used.borrow_mut().insert(name);
        Ok(tensor)
    }

    /// The device that tensors are put on.
    pub fn device(&self) -> &'a Device {
        self.device
    }

    fn join(&self, part: &str) -> String {
        match (self.prefix.is_empty(), part.is_empty()) {
            (true, _) => part.to_owned(),
            (_, true) => self.prefix.clone(),
            _ => format!("{}{}{part}", self.prefix, self.separator),
        }
    }
}
