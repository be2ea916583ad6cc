use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use files::{Access, AtomicFile};
use zoo::ZooError;
use zoo::weights::{SafetensorsFile, TensorSource, fill};

use crate::{Result, TrainError};

/// The numbers that a model learns, by the names that its checkpoint will have.
///
/// A model asks for its tensors as from a file; what was not there yet is made. So a model read from the same variables
/// before every step always sees their newest values, through whatever transposition its layers need.
pub struct Variables {
    seed: u64,
    /// The source of tensors that are not initialized at random.
    start: Option<Box<dyn TensorSource>>,
    /// Parts of the model that do not learn: the first parts of names.
    frozen: Vec<String>,
    made: RefCell<BTreeMap<String, Var>>,
    device: Device,
}

impl Variables {
    /// Variables that begin as random numbers of `seed`.
    pub fn random(seed: u64) -> Self {
        Self { seed, start: None, frozen: Vec::new(), made: RefCell::default(), device: Device::Cpu }
    }

    /// The same on `device`, where they have not been made yet.
    pub fn on(self, device: &Device) -> Self {
        Self { device: device.clone(), ..self }
    }

    /// Variables that begin as the tensors of `start`, where it has them in the shape that is asked for.
    pub fn starting_from(self, start: Box<dyn TensorSource>) -> Self {
        Self { start: Some(start), ..self }
    }

    /// The same without learning in these `parts` of the model: `encoder`, `head`, ...
    pub fn with_frozen(self, parts: &[&str]) -> Self {
        Self { frozen: parts.iter().map(|part| (*part).to_owned()).collect(), ..self }
    }

    /// The variables that an optimizer moves, in the order of their names; running statistics move by themselves.
    pub fn learned(&self) -> Vec<(String, Var)> {
        let made = self.made.borrow();
        let learned = made.iter().filter(|(name, _)| !self.is_frozen(name) && !is_statistic(name));
        learned.map(|(name, variable)| (name.clone(), variable.clone())).collect()
    }

    /// Copies of all tensors as they are now, on the CPU.
    ///
    /// # Errors
    /// The device fails.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let made = self.made.borrow();
        let copy = |(name, variable): (&String, &Var)| {
            Ok((name.clone(), variable.as_tensor().detach().copy()?.to_device(&Device::Cpu)?))
        };
        Ok(Snapshot { tensors: made.iter().map(copy).collect::<Result<_>>()? })
    }

    /// Sets every variable to the tensor of its name in `snapshot`; those that do not exist yet are made.
    ///
    /// # Errors
    /// A tensor has another shape, or the device fails.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<()> {
        let mut made = self.made.borrow_mut();
        for (name, tensor) in &snapshot.tensors {
            match made.get(name) {
                Some(variable) => variable.set(&tensor.to_device(&self.device)?)?,
                None => {
                    made.insert(name.clone(), Var::from_tensor(&tensor.to_device(&self.device)?)?);
                }
            }
        }
        Ok(())
    }

    fn is_frozen(&self, name: &str) -> bool {
        let part = name.split(['.', '/']).next().unwrap_or(name);
        self.frozen.iter().any(|frozen| frozen == part)
    }

    fn make(&self, name: &str, shape: &[usize]) -> zoo::Result<Tensor> {
        match self.start.as_ref().map(|start| start.tensor(name, shape)) {
            None | Some(Err(ZooError::MissingTensor { .. } | ZooError::MisshapenTensor { .. })) => {
                Ok(Tensor::from_vec(initial(self.seed, name, shape), shape, &Device::Cpu)?)
            }
            Some(tensor) => tensor,
        }
    }
}

impl TensorSource for Variables {
    fn description(&self) -> String {
        "variables of a model that learns".to_owned()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> zoo::Result<Tensor> {
        let known = self.made.borrow().get(name).cloned();
        let variable = match known {
            Some(variable) => variable,
            None => {
                let variable = Var::from_tensor(&self.make(name, shape)?.to_device(&self.device)?)?;
                self.made.borrow_mut().insert(name.to_owned(), variable.clone());
                variable
            }
        };
        if variable.dims() != shape {
            return Err(ZooError::MisshapenTensor {
                weights: self.description(),
                tensor: name.to_owned(),
                found: variable.dims().to_vec(),
                expected: shape.to_vec(),
            });
        }
        Ok(if self.is_frozen(name) { variable.as_detached_tensor() } else { variable.as_tensor().clone() })
    }

    fn names(&self) -> Option<Vec<String>> {
        None
    }

    fn sha256(&self) -> String {
        String::new()
    }
}

/// Tensors by name that do not change any more.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    tensors: BTreeMap<String, Tensor>,
}

impl Snapshot {
    /// Tensors by name.
    pub fn from_tensors(tensors: BTreeMap<String, Tensor>) -> Self {
        Self { tensors }
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.tensors
    }

    /// The tensors whose names `keeps` accepts.
    pub fn only(mut self, keeps: impl Fn(&str) -> bool) -> Self {
        self.tensors.retain(|name, _| keeps(name));
        self
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// The file cannot be read or is not safetensors.
    pub fn read(path: &Path) -> Result<Self> {
        let file = SafetensorsFile::read(path)?;
        let all = candle_core::safetensors::load(path, &Device::Cpu)?;
        let names = file.names().unwrap_or_default();
        let tensors = names.into_iter().filter_map(|name| all.get(&name).map(|tensor| (name, tensor.clone())));
        Ok(Self {
            tensors: tensors.map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F32)?))).collect::<Result<_>>()?,
        })
    }

    /// Writes a safetensors file of half precision, as weights ship.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_half(&self, path: &Path) -> Result<()> {
        self.write(path, DType::F16)
    }

    /// Writes a safetensors file of `dtype`; another file of that name is replaced only when this one is whole.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path, dtype: DType) -> Result<()> {
        let tensors = self.tensors.iter().map(|(name, tensor)| Ok((name.clone(), tensor.to_dtype(dtype)?)));
        let tensors = tensors.collect::<Result<std::collections::HashMap<_, _>>>()?;
        let failed = |source| TrainError::File { path: path.to_owned(), source };
        let file = AtomicFile::new(path, Access::Umask).map_err(failed)?;
        candle_core::safetensors::save(&tensors, file.path())?;
        file.commit().map_err(failed)
    }
}

impl TensorSource for Snapshot {
    fn description(&self) -> String {
        "weights of a training run".to_owned()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> zoo::Result<Tensor> {
        let tensor = self
            .tensors
            .get(name)
            .ok_or_else(|| ZooError::MissingTensor { weights: self.description(), tensor: name.to_owned() })?;
        if tensor.dims() != shape {
            return Err(ZooError::MisshapenTensor {
                weights: self.description(),
                tensor: name.to_owned(),
                found: tensor.dims().to_vec(),
                expected: shape.to_vec(),
            });
        }
        Ok(tensor.clone())
    }

    fn names(&self) -> Option<Vec<String>> {
        Some(self.tensors.keys().cloned().collect())
    }

    fn sha256(&self) -> String {
        String::new()
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit(['.', '/']).next().unwrap_or(name)
}

/// Returns true for a norm's running mean or variance.
pub(crate) fn is_statistic(name: &str) -> bool {
    matches!(last_part(name), "running_mean" | "running_var" | "moving_mean" | "moving_variance")
}

/// Initializes a tensor: norms as identity, biases 0 but for one, kernels uniform with the deviation of He et al.
/// (ICCV 2015), fully connected layers uniform as torch's.
fn initial(seed: u64, name: &str, shape: &[usize]) -> Vec<f32> {
    let count = shape.iter().product();
    let last = last_part(name);
    let constant = |value: f32| vec![value; count];
    let fan_in = |axes: &[usize]| axes.iter().product::<usize>().max(1) as f64;
    let he = |fan_in: f64| fill(&format!("train {seed}"), name, count, 0.0, (6.0 / fan_in).sqrt());
    match last {
        "running_var" | "moving_variance" | "gamma" => constant(1.0),
        "layer_scale" => constant(1e-6),
        "logit_scale" => constant(10f32.ln()),
        "alpha" => constant(0.0),
        "class_token" => constant(0.0),
        "pos_embedding" => fill(&format!("train {seed}"), name, count, 0.0, 0.02 * 3f64.sqrt()),
        "depthwise_kernel" => he(fan_in(&shape[..2])),
        "kernel" | "pointwise_kernel" => he(fan_in(&shape[..shape.len().saturating_sub(1)])),
        // Swin's bias of patches, as torchvision has it. Were it zero too, black patches would be tokens of zeros, the
        // slopes of whose norms multiply from block to block: 10^15 for the first layer of Swin V2 Base.
        _ if name.ends_with("features.0.0.bias") => {
            fill(&format!("train {seed}"), name, count, 0.0, fan_in(&[3, 4, 4]).recip().sqrt())
        }
        _ if last.contains("bias") || last == "beta" || last.ends_with("mean") => constant(0.0),
        _ if shape.len() <= 1 => constant(1.0),
        _ if shape.len() == 2 => fill(&format!("train {seed}"), name, count, 0.0, fan_in(&shape[1..]).recip().sqrt()),
        _ => he(fan_in(&shape[1..])),
    }
}
