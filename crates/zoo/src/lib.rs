//! Encoders, temporal heads, fusion, weights and the registry of models.
//!
//! A model is an encoder (frame to vector), a head (clip of vectors to temporal vectors), a fusion of the two, and a
//! classifier; or an encoder of whole clips and a classifier. A new encoder is one file in `encoders/`, a new head one file in `heads/`; both are named in `names.rs`.
//! The crate `parity` checks that an architecture gives the numbers of the framework that it comes from.
//!
//! Invariants: weights are read by the tensor names of the checkpoint they come from; a missing, extra or misshapen
//! tensor is an error that names it; no file of images is read here and no view is decided.

mod architecture;
mod card;
mod classifier;
mod encoders;
mod error;
mod folder;
mod fusion;
mod heads;
pub mod import;
mod label_set;
pub mod losses;
mod model;
mod names;
mod preparation;
mod probability_calibration;
mod quantization;
mod registry;
mod shipped;
mod transformer;
pub mod weights;

pub use architecture::Architecture;
pub use card::{ClipFrames, ModelCard, Published, Task};
pub use classifier::Classifier;
pub use encoders::{
    ConvNext, ConvNextConfig, ConvSizes, DenseNet, DenseNetConfig, EfficientNet, EfficientNetConfig, Encoder,
    EncoderName, Expansion, FrameConfig, FrameNetwork, Framework, ImageNetLogits, ImageNetLogitsConfig, KineticsLogits,
    KineticsLogitsConfig, R2Plus1d, R2Plus1dConfig, ResNet, ResNetConfig, SlowResNet, SlowResNetConfig, Stage, SwinV2,
    SwinV2Config, VideoConfig, VideoEncoder, VideoEncoderName, VideoNetwork, VisionTransformer, VitConfig, Xception,
    XceptionConfig,
};
pub use error::ZooError;
pub use fusion::{Alpha, Fusion, Gate, StackedGate};
pub use heads::{
    AttentionHead, ClipNetwork, Conv1dHead, Conv3dHead, DilatedHead, Head, LstmConfig, LstmHead, R2Plus1dHead,
    TransformerHead,
};
pub use label_set::{CodeMatch, Crosswalk, Groups, LabelSet, View, ViewCodes};
pub use model::{Model, ModelOutput};
pub use names::{AnyEncoderName, FusionName, HeadName};
pub use preparation::{Color, Crop, Normalize, Preparation, Resize};
pub use probability_calibration::ProbabilityCalibration;
pub use quantization::{CalibrationFrames, QuantizationError, QuantizationRanges, map_dtype};
pub use registry::Registry;

/// Result of this crate's operations.
pub type Result<T> = std::result::Result<T, ZooError>;
