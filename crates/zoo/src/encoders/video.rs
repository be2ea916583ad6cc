//! Clip to vector: networks that see frames together from their first layers on.

use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{D, DType, Tensor};
use nn::{Clips, CompiledNetwork, Conv3d, Geometry3d, InstructionSet, KernelChoice, TrainingContext};

use super::VideoEncoderName;
use super::framework::Framework;
use crate::weights::Weights;
use crate::{Result, ZooError};

/// A network that turns clips into feature maps and into vectors.
pub trait VideoNetwork: Send + Sync {
    /// Maps clips of three colors with values in 0 to 1 to feature maps.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    fn maps(&self, clips: &Clips) -> Result<Clips>;

    /// Makes vectors [B, C] of the feature maps [B, T', C, h, w]; their mean unless the network has another way.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    fn vectors(&self, maps: &Tensor) -> Result<Tensor> {
        Ok(maps.flatten_from(3)?.mean(D::Minus1)?.mean(1)?)
    }
}

/// The sizes of a video encoder, which know how to read its network from the names of its framework.
pub trait VideoConfig {
    /// Reads the network from weights whose root holds the checkpoint's own names.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn VideoNetwork>>;

    /// Returns the length of the vector that stands for a clip.
    fn vector_width(&self) -> usize;
}

/// A video encoder of any architecture.
pub struct VideoEncoder {
    network: Box<dyn VideoNetwork>,
    choice: KernelChoice,
    /// Packed for clips of the last size; a pipeline feeds one.
    packed: Mutex<Option<Packed>>,
}

/// A packed network, and frames, rows and columns of its clips.
type Packed = ([usize; 3], Arc<CompiledNetwork>);

impl VideoEncoder {
    /// Reads the encoder `name` from weights whose root holds the checkpoint's own names.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(name: VideoEncoderName, weights: &Weights<'_>) -> Result<Self> {
        let network = name.config().network(weights)?;
        Ok(Self { network, choice: KernelChoice::detect()?, packed: Mutex::default() })
    }

    /// The same encoder, run on a CPU as `choice` says.
    pub fn with_kernels(self, choice: KernelChoice) -> Self {
        Self { choice, packed: Mutex::default(), ..self }
    }

    /// The length of the vector that stands for a clip.
    pub fn width(name: VideoEncoderName) -> usize {
        name.config().vector_width()
    }

    /// Encodes clips [B, T, 3, H, W] with values in 0 to 1 as vectors [B, width].
    ///
    /// The reference system reshapes [B, T, C, H, W] to [B, C, T, H, W], which mixes frames and colors; here the axes
    /// keep their meaning.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, clips: &Tensor) -> Result<Tensor> {
        let &[_, frames, 3, height, width] = clips.dims() else {
            return Err(ZooError::InputShape { expected: "clips [B, T, 3, H, W]", found: clips.dims().to_vec() });
        };
        let on_kernels = clips.device().is_cpu() && clips.dtype() == DType::F32;
        let maps = match self.choice {
            KernelChoice::Kernels(set) if on_kernels => self.packed(set, [frames, height, width])?.forward(clips)?,
            _ => self.network.maps(&Clips::new(clips)?)?.tensor()?,
        };
        self.network.vectors(&maps)
    }

    /// Encodes clips [B, T, 3, H, W] as vectors [B, width] on Candle's graph, so that tensors that are variables get
    /// their gradients.
    pub(crate) fn forward_training(&self, clips: &Tensor, context: &Rc<TrainingContext>) -> Result<Tensor> {
        self.network.vectors(&self.network.maps(&Clips::training(clips, context)?)?.tensor()?)
    }

    /// The network packed for clips of this size; the first call for a size packs it.
    fn packed(&self, set: InstructionSet, size: [usize; 3]) -> Result<Arc<CompiledNetwork>> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, network)) = packed.as_ref()
            && *known == size
        {
            return Ok(network.clone());
        }
        let [frames, height, width] = size;
        let note = |clips: &Clips| self.network.maps(clips);
        let network = Arc::new(CompiledNetwork::trace_clips::<ZooError>(frames, (height, width), set, note)?);
        *packed = Some((size, network.clone()));
        Ok(network)
    }
}

/// Epsilon of the batch norms in both networks.
const NORM_EPS: f64 = 1e-5;

/// The sizes of a 3D convolution.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConvSizes3d {
    /// Channels in and out.
    pub widths: (usize, usize),
    /// Frames and pixels that the kernel spans.
    pub kernel: (usize, usize),
    pub geometry: Geometry3d,
}

/// A convolution without bias with the norm that follows it folded in; the places are theirs.
pub(super) fn conv_norm(places: (&Weights<'_>, &Weights<'_>), sizes: ConvSizes3d) -> Result<Conv3d> {
    let ((width_in, width_out), (time, space)) = (sizes.widths, sizes.kernel);
    let kernel = places.0.tensor("weight", &[width_out, width_in, time, space, space])?;
    let norm = Framework::Torch.batch_norm(places.1, width_out, NORM_EPS)?;
    Ok(Conv3d::new(&kernel, sizes.geometry)?.with_norm(&norm)?)
}
