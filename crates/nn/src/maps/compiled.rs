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
    multiply_adds: u64,
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
        const COLOURS: usize = 3;
        let (height, width) = size;
        let (mut builder, output) = note((COLOURS, height, width), layers)?;
        if let Some(ranges) = ranges
            && builder.quantise(ranges).map_err(NnError::from)? == 0
        {
            return Err(NnError::NothingToQuantise.into());
        }
        Ok(Self::packed(builder, output, set)?)
    }

    /// The same in single precision for maps of any channels, rows and columns in place of frames.
    pub(crate) fn note_maps<E: From<NnError>>(
        shape: (usize, usize, usize),
        set: InstructionSet,
        layers: impl FnOnce(&Maps) -> std::result::Result<Maps, E>,
    ) -> std::result::Result<Self, E> {
        let (builder, output) = note(shape, layers)?;
        Ok(Self::packed(builder, output, set)?)
    }

    fn packed(builder: NetworkBuilder, output: Map, set: InstructionSet) -> Result<Self> {
        let multiply_adds = builder.multiply_adds();
        Ok(Self { network: builder.finish(output, set)?, multiply_adds })
    }

    /// Multiply-adds of the convolutions for one frame.
    pub fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }

    /// Maps frames [N, 3, H, W] on the CPU, f32, to the last layer's maps [N, C, h, w].
    pub fn forward(&self, frames: &Tensor) -> Result<Tensor> {
        if frames.track_op() {
            return Err(NnError::Learns { layer: "packed network" });
        }
        Ok(frames.contiguous()?.apply_op1_no_bwd(&RunNetwork(&self.network))?)
    }
}

/// What `layers` does to maps of these channels, rows and columns, noted down.
pub(super) fn note<E: From<NnError>>(
    (channels, height, width): (usize, usize, usize),
    layers: impl FnOnce(&Maps) -> std::result::Result<Maps, E>,
) -> std::result::Result<(NetworkBuilder, Map), E> {
    let (builder, frames) = NetworkBuilder::new(MapShape::new(channels, height, width)).map_err(NnError::from)?;
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
