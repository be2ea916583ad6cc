use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};
use kernels::{InputRange, InstructionSet, KERNELS_VARIABLE, Map, MapShape, Network, NetworkBuilder};

use super::Maps;
use super::noted::NotedMaps;
use crate::{NnError, Result};

/// What runs an encoder on a CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelChoice {
    /// Candle's layers one by one.
    Plain,
    /// The kernels of one instruction set.
    Kernels(InstructionSet),
}

impl KernelChoice {
    /// What `ECHOLABEL_KERNELS` asks for: `plain`, `avx512`, `avx2` or `portable`; without it the fastest kernels.
    pub fn detect() -> Result<Self> {
        match std::env::var(KERNELS_VARIABLE) {
            Ok(name) if name == "plain" => Ok(Self::Plain),
            _ => Ok(Self::Kernels(InstructionSet::detect()?)),
        }
    }
}

/// Layers that run as one on the CPU, packed for frames of one size.
pub struct CompiledNetwork {
    network: Network,
}

impl CompiledNetwork {
    /// Notes down what `layers` does to frames of 3 x `height` x `width` and packs it for `set`: in single precision or,
    /// given the range of each convolution's input, with products of bytes wherever they are possible.
    pub fn note<E: From<NnError>>(
        size: (usize, usize),
        set: InstructionSet,
        ranges: Option<&[InputRange]>,
        layers: impl FnOnce(&Maps) -> std::result::Result<Maps, E>,
    ) -> std::result::Result<Self, E> {
        let (mut builder, output) = note(size, layers)?;
        if let Some(ranges) = ranges
            && builder.quantise(ranges).map_err(NnError::from)? == 0
        {
            return Err(NnError::NothingToQuantise.into());
        }
        Ok(Self { network: builder.finish(output, set).map_err(NnError::from)? })
    }

    /// Maps frames [N, 3, H, W] on the CPU, f32, to the last layer's maps [N, C, h, w].
    pub fn forward(&self, frames: &Tensor) -> Result<Tensor> {
        Ok(frames.contiguous()?.apply_op1_no_bwd(&RunNetwork(&self.network))?)
    }
}

/// What `layers` does to frames of 3 x `height` x `width`, noted down.
pub(super) fn note<E: From<NnError>>(
    (height, width): (usize, usize),
    layers: impl FnOnce(&Maps) -> std::result::Result<Maps, E>,
) -> std::result::Result<(NetworkBuilder, Map), E> {
    const COLOURS: usize = 3;
    let (builder, frames) = NetworkBuilder::new(MapShape::new(COLOURS, height, width)).map_err(NnError::from)?;
    let frames = Maps::Noted(NotedMaps::frames(builder, frames));
    let output = layers(&frames)?;
    drop(frames);
    let Maps::Noted(output) = output else { return Err(NnError::OnlyNoted.into()) };
    output.finish().ok_or_else(|| NnError::OnlyNoted.into())
}

struct RunNetwork<'a>(&'a Network);

impl CustomOp1 for RunNetwork<'_> {
    fn name(&self) -> &'static str {
        "encoder"
    }

    fn cpu_fwd(&self, frames: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let count = layout.dims().first().copied().unwrap_or(0);
        let frames = &frames.as_slice::<f32>()?[layout.start_offset()..][..layout.shape().elem_count()];
        let output = self.0.output_shape();
        let mut maps = vec![0f32; count * output.numbers()];
        let threads = rayon::current_num_threads();
        self.0.run(frames, count, &mut maps, threads).map_err(candle_core::Error::wrap)?;
        Ok((CpuStorage::F32(maps), (count, output.channels, output.height, output.width).into()))
    }
}
