use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Tensor};
use nn::{CompiledNetwork, InputRange, KernelChoice, Maps, ObservedNetwork};

use super::FrameNetwork;
use crate::{Result, ZooError};

/// Networks packed for frames of different sizes that are kept; a pipeline feeds one size.
const MOST_PACKED: usize = 2;

/// A frame network and how it is run: by the CPU kernels where they can, else layer by layer.
pub struct Runner {
    network: Box<dyn FrameNetwork>,
    choice: KernelChoice,
    /// The range of each convolution's input, where products are of bytes.
    ranges: Option<Vec<InputRange>>,
    packed: Mutex<Vec<(Wanted, Arc<CompiledNetwork>)>>,
}

/// What a packed network gives, and for which rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    maps: bool,
    height: usize,
    width: usize,
}

impl Runner {
    /// Runs `network` on a CPU as `choice` says.
    pub fn new(network: Box<dyn FrameNetwork>, choice: KernelChoice) -> Self {
        Self { network, choice, ranges: None, packed: Mutex::default() }
    }

    /// The same network, run as `choice` says.
    pub fn with_choice(self, choice: KernelChoice) -> Self {
        Self::new(self.network, choice)
    }

    /// The same network in int8, given the ranges that an observer of it has seen; an error where it does not run by the
    /// CPU kernels.
    pub fn quantised(self, ranges: Vec<InputRange>) -> Result<Self> {
        self.kernels()?;
        Ok(Self { ranges: Some(ranges), packed: Mutex::default(), ..self })
    }

    /// An observer of the network on frames of 3 x height x width, as far as its maps or its vectors.
    pub fn observer(&self, size: (usize, usize), maps: bool) -> Result<ObservedNetwork> {
        let set = self.kernels()?;
        ObservedNetwork::note(size, set, |frames| layers(self.network.as_ref(), frames, maps))
    }

    /// The instruction set, where the network runs by the CPU kernels.
    fn kernels(&self) -> Result<nn::InstructionSet> {
        match self.choice {
            KernelChoice::Kernels(set) if self.network.can_be_noted() => Ok(set),
            KernelChoice::Kernels(_) => Err(ZooError::NotQuantisable { reason: "its encoder does not run by them" }),
            KernelChoice::Plain => Err(ZooError::NotQuantisable { reason: "ECHOLABEL_KERNELS turns them off" }),
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

    fn run(&self, frames: &Tensor, maps: bool) -> Result<Tensor> {
        let [_, 3, height, width] = *frames.dims() else {
            return Err(ZooError::InputShape { expected: "frames [N, 3, H, W]", found: frames.dims().to_vec() });
        };
        let on_kernels = frames.device().is_cpu() && frames.dtype() == DType::F32 && self.network.can_be_noted();
        if self.ranges.is_some() && !on_kernels {
            return Err(ZooError::NotQuantisable { reason: "the frames are not on the CPU" });
        }
        match self.choice {
            KernelChoice::Kernels(_) if on_kernels => {
                Ok(self.packed(Wanted { maps, height, width })?.forward(frames)?)
            }
            _ => Ok(layers(self.network.as_ref(), &frames.clone().into(), maps)?.tensor()?.clone()),
        }
    }

    /// The network packed for frames of this size; the first call for a size packs it.
    fn packed(&self, wanted: Wanted) -> Result<Arc<CompiledNetwork>> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, network)) = packed.iter().find(|(known, _)| *known == wanted) {
            return Ok(network.clone());
        }
        let KernelChoice::Kernels(set) = self.choice else { return Err(nn::NnError::OnlyNoted.into()) };
        let note = |frames: &Maps| layers(self.network.as_ref(), frames, wanted.maps);
        let size = (wanted.height, wanted.width);
        let network = Arc::new(CompiledNetwork::note::<ZooError>(size, set, self.ranges.as_deref(), note)?);
        packed.truncate(MOST_PACKED - 1);
        packed.insert(0, (wanted, network.clone()));
        Ok(network)
    }
}

fn layers(network: &dyn FrameNetwork, frames: &Maps, maps: bool) -> Result<Maps> {
    if maps { network.maps(frames) } else { network.vectors(frames) }
}
