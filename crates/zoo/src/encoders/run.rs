use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Tensor};
use nn::{CompiledNetwork, KernelChoice, Maps};

use super::FrameNetwork;
use crate::{Result, ZooError};

/// Networks packed for frames of different sizes that are kept; a pipeline feeds one size.
const MOST_PACKED: usize = 2;

/// A frame network and how it is run: by the CPU kernels, or layer by layer.
pub struct Runner {
    network: Box<dyn FrameNetwork>,
    choice: KernelChoice,
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
        Self { network, choice, packed: Mutex::default() }
    }

    /// The same network, run as `choice` says.
    pub fn with_choice(self, choice: KernelChoice) -> Self {
        Self::new(self.network, choice)
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
        let on_kernels = frames.device().is_cpu() && frames.dtype() == DType::F32;
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
        let network = Arc::new(CompiledNetwork::note::<ZooError>((wanted.height, wanted.width), set, note)?);
        packed.truncate(MOST_PACKED - 1);
        packed.insert(0, (wanted, network.clone()));
        Ok(network)
    }
}

fn layers(network: &dyn FrameNetwork, frames: &Maps, maps: bool) -> Result<Maps> {
    if maps { network.maps(frames) } else { network.vectors(frames) }
}
