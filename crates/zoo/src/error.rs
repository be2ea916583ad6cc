use std::path::PathBuf;

use thiserror::Error;

use crate::{FusionName, HeadName, VideoEncoderName};

/// Failures of a model, its weights or the registry.
#[derive(Debug, Error)]
pub enum ZooError {
    /// A layer failed.
    #[error("layer failed")]
    Layer(#[from] nn::NnError),
    /// A tensor operation failed.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
    /// A file of weights or of the registry could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file of weights could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A weight file of another framework could not be read.
    #[error("cannot import")]
    Checkpoint(#[source] Box<checkpoint::CheckpointError>),
    /// The file is not what its name says.
    #[error("{path} is not a valid {format} file: {problem}")]
    Format {
        /// The file.
        path: PathBuf,
        /// The format expected.
        format: &'static str,
        /// The problem.
        problem: String,
    },
    /// The weights lack a tensor that the architecture needs.
    #[error("{weights}: tensor {tensor:?} is missing")]
    MissingTensor {
        /// The source of the weights.
        weights: String,
        /// The tensor's name.
        tensor: String,
    },
    /// A tensor has another shape than the architecture needs.
    #[error("{weights}: tensor {tensor:?} is {found:?}, expected {expected:?}")]
    MisshapenTensor {
        /// The source of the weights.
        weights: String,
        /// The tensor's name.
        tensor: String,
        /// The shape in the weights.
        found: Vec<usize>,
        /// The shape that the architecture needs.
        expected: Vec<usize>,
    },
    /// The weights hold tensors that the architecture does not know, so they are some other model's.
    #[error("{weights}: {count} tensors the architecture does not use, the first is {first:?}")]
    ExtraTensors {
        /// The source of the weights.
        weights: String,
        /// Number of them.
        count: usize,
        /// The first of them in alphabetical order.
        first: String,
    },
    /// A file of one framework for a model of the other.
    #[error("{weights} is a {found} file, but the model's layers are those of {expected}")]
    WrongFramework {
        /// The file.
        weights: String,
        /// The file's framework.
        found: &'static str,
        /// The model's.
        expected: &'static str,
    },
    /// A model that is never trained.
    #[error("{model} is never trained; no file can be imported for it")]
    TakesNoFile {
        /// The model's name in the registry.
        model: String,
    },
    /// A part of a model that fits in more than one place of a file, so that no one can say which is meant.
    #[error("{weights}: {part:?} could be {places}")]
    AmbiguousTensors {
        /// The file.
        weights: String,
        /// The part of the model.
        part: String,
        /// Two places in the file.
        places: String,
    },
    /// The layers of one class are not numbered one after the other, so a layer is missing or was renamed.
    #[error("{weights}: layer {layer:?} is out of the order of its class: one before it is missing or renamed")]
    LayerNumbers {
        /// The file.
        weights: String,
        /// The first layer that is out of order.
        layer: String,
    },
    /// A tensor holds an infinity or no number: training went wrong, or the file is damaged.
    #[error("{weights}: tensor {tensor:?} holds a number that is not finite")]
    NotFinite {
        /// The file.
        weights: String,
        /// The tensor's name in it.
        tensor: String,
    },
    /// A number type that is not a floating-point one.
    #[error("{weights}: tensor {tensor:?} holds {found}, expected floating-point numbers")]
    TensorType {
        /// The source of the weights.
        weights: String,
        /// The tensor's name.
        tensor: String,
        /// The type found.
        found: String,
    },
    /// No model, label set, encoder, head or fusion of that name exists.
    #[error("unknown {kind} {name:?}; known: {known}")]
    UnknownName {
        /// The kind of name.
        kind: &'static str,
        /// The name.
        name: String,
        /// The names that exist, comma separated.
        known: String,
    },
    /// The model is known but its weights are not on this machine.
    #[error(
        "the weights of {model} are not here: expected {path}. `echolabel models show {model}` says how to get them"
    )]
    WeightsAbsent {
        /// The model's name in the registry.
        model: String,
        /// The path at which the file is expected.
        path: PathBuf,
    },
    /// The model has no calibration, without which it cannot run in int8.
    #[error("{model} has no calibration for int8: expected {path}. `echolabel models quantize {model}` makes one")]
    QuantizationAbsent {
        /// The model's name in the registry.
        model: String,
        /// The path at which the file is expected.
        path: PathBuf,
    },
    /// The classifier has layers before its last one.
    #[error("the model's classifier has several layers; only the last layer of a classifier of one can be replaced")]
    DeepClassifier,
    /// The calibration was made with other weights than are here now.
    #[error(
        "the calibration for int8 was made with weights of sha256 {found}, those here are {expected}. `echolabel models \
         quantize {model}` makes a new one"
    )]
    QuantizationOfOtherWeights {
        /// The model that it was made for.
        model: String,
        /// The digest in the calibration.
        found: String,
        /// The digest of the weights.
        expected: String,
    },
    /// Int8 is for what the CPU kernels run.
    #[error("the model cannot run in int8, which only the CPU kernels do: {reason}")]
    NotQuantizable {
        /// The reason why they do not run it.
        reason: &'static str,
    },
    /// The file's digest differs from the registry's.
    #[error("{path} is damaged or another version: its sha256 is {found}, the registry says {expected}")]
    Digest {
        /// The file.
        path: PathBuf,
        /// The digest found.
        found: String,
        /// The digest expected.
        expected: String,
    },
    /// Spatial and temporal features that cannot be fused.
    #[error("fusion {fusion} needs features of one width, got spatial {spatial} and temporal {temporal}; use temporal")]
    Widths {
        /// The fusion.
        fusion: FusionName,
        /// Channels of the spatial features.
        spatial: usize,
        /// Channels of the temporal features.
        temporal: usize,
    },
    /// A head or a fusion after an encoder that has looked at the whole clip already.
    #[error("encoder {encoder} sees whole clips: it takes head none and fusion spatial, not {head} and {fusion}")]
    ClipEncoder {
        /// The encoder.
        encoder: VideoEncoderName,
        /// The head.
        head: HeadName,
        /// The fusion.
        fusion: FusionName,
    },
    /// A model that gives only vectors was asked for classes.
    #[error("the model has no layer of classes")]
    NoClasses,
    /// A head that looks at feature maps cannot stand behind a projection of vectors.
    #[error("head {head} looks at feature maps, so the model can have no bottleneck")]
    BottleneckOfMaps {
        /// The head.
        head: HeadName,
    },
    /// Half precision was asked of a model whose encoder has none.
    #[error("its encoder sees whole clips, which run in f32 only, not in {precision}")]
    NoHalf {
        /// The requested precision.
        precision: domain::Precision,
    },
    /// An image tensor or clip does not have the shape that the model takes.
    #[error("the model takes {expected}, got {found:?}")]
    InputShape {
        /// The shape taken, in words.
        expected: &'static str,
        /// The shape given.
        found: Vec<usize>,
    },
    /// A loss cannot be computed of what it was given.
    #[error("{loss}: {problem}")]
    Loss {
        /// The loss.
        loss: &'static str,
        /// The problem.
        problem: String,
    },
}

impl From<checkpoint::CheckpointError> for ZooError {
    fn from(error: checkpoint::CheckpointError) -> Self {
        Self::Checkpoint(Box::new(error))
    }
}
