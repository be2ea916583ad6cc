use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Tensor};
use nn::training::channels_first;
use nn::{CompiledNetwork, FeatureMaps, InputRange, KernelChoice, ObservedNetwork, TrainingContext, TrainingMaps};

use super::FrameNetwork;
use crate::{Result, ZooError};

/// Networks packed for frames of different sizes that are kept; a pipeline feeds one size.
const MAX_PACKED: usize = 2;

/// A frame network and how it is run: by the CPU kernels, or layer by layer.
pub struct Runner {
    /// `None` once it was packed for good.
    network: Option<Box<dyn FrameNetwork>>,
    choice: KernelChoice,
    /// The range of each convolution's input, where products are of bytes.
    ranges: Option<Vec<InputRange>>,
    packed: Mutex<Vec<(Wanted, Arc<CompiledNetwork>)>>,
}

/// The output of a packed network, and the rows and columns that it is packed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    maps: bool,
    height: usize,
    width: usize,
}

impl Runner {
    /// Runs `network` on a CPU as `choice` says.
    pub fn new(network: Box<dyn FrameNetwork>, choice: KernelChoice) -> Self {
        Self { network: Some(network), choice, ranges: None, packed: Mutex::default() }
    }

    /// Packs the network for frames of `height` x `width` and for nothing else, so that memory holds its weights once.
    ///
    /// Nothing happens where layers are run one by one.
    pub fn pack_for_good(&mut self, maps: bool, (height, width): (usize, usize)) -> Result<()> {
        if matches!(self.choice, KernelChoice::Kernels(_)) {
            self.packed(Wanted { maps, height, width })?;
            self.network = None;
        }
        Ok(())
    }

    /// Multiply-adds of the convolutions for one frame of `height` x `width`; `None` where the kernels do not run it.
    pub fn multiply_adds(&self, maps: bool, (height, width): (usize, usize)) -> Result<Option<u64>> {
        match self.choice {
            KernelChoice::Kernels(_) => Ok(Some(self.packed(Wanted { maps, height, width })?.multiply_adds())),
            KernelChoice::Plain => Ok(None),
        }
    }

    /// The same network, run as `choice` says; it must not have been packed for good.
    pub fn with_choice(self, choice: KernelChoice) -> Self {
        Self { choice, packed: Mutex::default(), ..self }
    }

    /// The same network in int8, given the ranges that an observer of it has seen; an error where it does not run by
    /// the CPU kernels.
    pub fn quantized(self, ranges: Vec<InputRange>) -> Result<Self> {
        self.kernels()?;
        Ok(Self { ranges: Some(ranges), packed: Mutex::default(), ..self })
    }

    /// An observer of the network on frames of 3 x height x width, as far as its maps or its vectors.
    pub fn observer(&self, size: (usize, usize), maps: bool) -> Result<ObservedNetwork> {
        let set = self.kernels()?;
        let network = self.layers_of(&[1, 3, size.0, size.1])?;
        ObservedNetwork::trace(size, set, |frames| layers(network, frames, maps))
    }

    /// The instruction set of the CPU kernels, where layers are not run one by one.
    fn kernels(&self) -> Result<nn::InstructionSet> {
        match self.choice {
            KernelChoice::Kernels(set) => Ok(set),
            KernelChoice::Plain => Err(ZooError::NotQuantizable { reason: "ECHOLABEL_KERNELS turns them off" }),
        }
    }

    /// Maps frames [N, 3, H, W] to vectors [N, C].
    pub fn vectors(&self, frames: &Tensor) -> Result<Tensor> {
        let vectors = self.run(frames, false)?;
        Ok(vectors.flatten_from(1)?)
    }

    /// Maps frames [N, 3, H, W] to feature maps [N, C, h, w].
    pub fn maps(&self, frames: &Tensor) -> Result<Tensor> {
        self.run(frames, true)
    }

    /// Maps frames [N, 3, H, W] to vectors [N, C], or to maps [N, C, h, w], on Candle's graph.
    pub fn forward_training(&self, frames: &Tensor, maps: bool, context: &Rc<TrainingContext>) -> Result<Tensor> {
        let network = self.layers_of(frames.dims())?;
        let frames = FeatureMaps::Training(TrainingMaps::frames(frames, context)?);
        let channels_first = match layers(network, &frames, maps)? {
            FeatureMaps::Training(learned) => channels_first(learned.channels_last())?,
            other => other.tensor()?.clone(),
        };
        Ok(if maps { channels_first } else { channels_first.flatten_from(1)? })
    }

    fn run(&self, frames: &Tensor, maps: bool) -> Result<Tensor> {
        let [_, 3, height, width] = *frames.dims() else {
            return Err(ZooError::InputShape { expected: "frames [N, 3, H, W]", found: frames.dims().to_vec() });
        };
        let on_kernels = frames.device().is_cpu() && frames.dtype() == DType::F32;
        if self.ranges.is_some() && !on_kernels {
            return Err(ZooError::NotQuantizable { reason: "the frames are not on the CPU" });
        }
        match self.choice {
            KernelChoice::Kernels(_) if on_kernels => {
                Ok(self.packed(Wanted { maps, height, width })?.forward(frames)?)
            }
            _ => Ok(layers(self.layers_of(frames.dims())?, &frames.clone().into(), maps)?.tensor()?.clone()),
        }
    }

    /// The layers; an error that names `frames` where the network was packed for others and its layers are gone.
    fn layers_of(&self, frames: &[usize]) -> Result<&dyn FrameNetwork> {
        let expected = "frames [N, 3, H, W] on the CPU, of the size that the network was packed for";
        self.network.as_deref().ok_or_else(|| ZooError::InputShape { expected, found: frames.to_vec() })
    }

    /// The network packed for frames of this size; the first call for a size packs it.
    fn packed(&self, wanted: Wanted) -> Result<Arc<CompiledNetwork>> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, network)) = packed.iter().find(|(known, _)| *known == wanted) {
            return Ok(network.clone());
        }
        let KernelChoice::Kernels(set) = self.choice else { return Err(nn::NnError::NotTraceable.into()) };
        let network = self.layers_of(&[1, 3, wanted.height, wanted.width])?;
        let note = |frames: &FeatureMaps| layers(network, frames, wanted.maps);
        let size = (wanted.height, wanted.width);
        let network = Arc::new(CompiledNetwork::trace::<ZooError>(size, set, self.ranges.as_deref(), note)?);
        packed.truncate(MAX_PACKED - 1);
        packed.insert(0, (wanted, network.clone()));
        Ok(network)
    }
}

fn layers(network: &dyn FrameNetwork, frames: &FeatureMaps, maps: bool) -> Result<FeatureMaps> {
    if maps { network.maps(frames) } else { network.vectors(frames) }
}
