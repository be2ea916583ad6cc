use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};
use runtime::{InputRange, InstructionSet, KERNELS_VARIABLE, Map, MapShape, Network, NetworkBuilder};

use super::FeatureMaps;
use super::traced::TracedMaps;
use crate::{Clips, NnError, Result};

/// Implementation that runs an encoder on a CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelChoice {
    /// Candle's layers one by one.
    Plain,
    /// The kernels of one instruction set.
    Kernels(InstructionSet),
}

impl KernelChoice {
    /// Reads `ECHOLABEL_KERNELS`: `plain`, `avx512`, `avx2`, `neon` or `portable`; without it, the fastest kernels.
    ///
    /// # Errors
    /// [`NnError::Kernels`] for an unknown name or an instruction set that this processor lacks.
    pub fn detect() -> Result<Self> {
        match std::env::var(KERNELS_VARIABLE) {
            Ok(name) if name == "plain" => Ok(Self::Plain),
            _ => Ok(Self::Kernels(InstructionSet::detect()?)),
        }
    }
}

/// Channels of a frame.
const COLORS: usize = 3;

/// Network compiled for the CPU runtime and for frames of one size.
pub struct CompiledNetwork {
    network: Network,
    multiply_adds: u64,
    /// True if frames are an axis of input and output.
    is_temporal: bool,
}

impl CompiledNetwork {
    /// Traces `layers` over frames of 3 x `height` x `width` and compiles the graph for `set`: in single precision or, given
    /// the range of each convolution's input, in int8 wherever that is possible.
    ///
    /// # Errors
    /// An error of `layers`, [`NnError::NotTraceable`], or [`NnError::NothingToQuantize`].
    pub fn trace<E: From<NnError>>(
        size: (usize, usize),
        set: InstructionSet,
        ranges: Option<&[InputRange]>,
        layers: impl FnOnce(&FeatureMaps) -> std::result::Result<FeatureMaps, E>,
    ) -> std::result::Result<Self, E> {
        let (height, width) = size;
        let (mut builder, output) = trace((COLORS, height, width), layers)?;
        if let Some(ranges) = ranges
            && builder.quantize(ranges).map_err(NnError::from)? == 0
        {
            return Err(NnError::NothingToQuantize.into());
        }
        Ok(Self::packed(builder, output, set)?)
    }

    /// Traces `layers` over clips of so many frames of 3 x `height` x `width` and compiles the graph for `set`.
    ///
    /// # Errors
    /// As for [`Self::trace`].
    pub fn trace_clips<E: From<NnError>>(
        frames: usize,
        (height, width): (usize, usize),
        set: InstructionSet,
        layers: impl FnOnce(&Clips) -> std::result::Result<Clips, E>,
    ) -> std::result::Result<Self, E> {
        let shape = MapShape::new(COLORS, height, width);
        let start = NetworkBuilder::for_clips(shape, frames).map_err(NnError::from)?;
        let (builder, output) = trace_from::<E>(start, |maps| Ok(layers(&Clips::traced(maps)?)?.maps))?;
        Ok(Self { is_temporal: true, ..Self::packed(builder, output, set)? })
    }

    /// Traces `layers` over maps of any channels, rows and columns and compiles the graph in single precision.
    pub(crate) fn trace_maps<E: From<NnError>>(
        shape: (usize, usize, usize),
        set: InstructionSet,
        layers: impl FnOnce(&FeatureMaps) -> std::result::Result<FeatureMaps, E>,
    ) -> std::result::Result<Self, E> {
        let (builder, output) = trace(shape, layers)?;
        Ok(Self::packed(builder, output, set)?)
    }

    fn packed(builder: NetworkBuilder, output: Map, set: InstructionSet) -> Result<Self> {
        let multiply_adds = builder.multiply_adds();
        Ok(Self { network: builder.finish(output, set)?, multiply_adds, is_temporal: false })
    }

    /// Returns the multiply-adds of the convolutions for one frame or one clip.
    pub fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }

    /// Maps frames [N, 3, H, W] on the CPU, f32, to the last layer's maps [N, C, h, w], or clips [B, T, 3, H, W] to theirs
    /// [B, T', C, h, w].
    ///
    /// # Errors
    /// [`NnError::NoGradient`] for frames that are part of a graph.
    pub fn forward(&self, frames: &Tensor) -> Result<Tensor> {
        if frames.track_op() {
            return Err(NnError::NoGradient { layer: "compiled network" });
        }
        Ok(frames.contiguous()?.apply_op1_no_bwd(&RunNetwork(self))?)
    }
}

/// Traces `layers` over maps of these channels, rows and columns.
pub(super) fn trace<E: From<NnError>>(
    (channels, height, width): (usize, usize, usize),
    layers: impl FnOnce(&FeatureMaps) -> std::result::Result<FeatureMaps, E>,
) -> std::result::Result<(NetworkBuilder, Map), E> {
    let start = NetworkBuilder::new(MapShape::new(channels, height, width)).map_err(NnError::from)?;
    trace_from(start, |maps| layers(&FeatureMaps::Traced(maps)))
}

fn trace_from<E: From<NnError>>(
    (builder, frames): (NetworkBuilder, Map),
    layers: impl FnOnce(TracedMaps) -> std::result::Result<FeatureMaps, E>,
) -> std::result::Result<(NetworkBuilder, Map), E> {
    let output = layers(TracedMaps::new(builder, frames))?;
    let FeatureMaps::Traced(output) = output else { return Err(NnError::NotTraceable.into()) };
    output.finish().ok_or_else(|| NnError::NotTraceable.into())
}

struct RunNetwork<'a>(&'a CompiledNetwork);

impl CustomOp1 for RunNetwork<'_> {
    fn name(&self) -> &'static str {
        "encoder"
    }

    fn cpu_fwd(&self, frames: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let count = layout.dims().first().copied().unwrap_or(0);
        let frames = &frames.as_slice::<f32>()?[layout.start_offset()..][..layout.shape().elem_count()];
        let CompiledNetwork { network, is_temporal, .. } = self.0;
        let output = network.output_shape();
        let (_, frames_out) = network.clip_frames();
        let mut maps = vec![0f32; count * frames_out * output.numbers()];
        let threads = rayon::current_num_threads();
        network.run(frames, count, &mut maps, threads).map_err(candle_core::Error::wrap)?;
        let size = [output.channels, output.height, output.width];
        let axes = if *is_temporal { vec![count, frames_out] } else { vec![count] };
        let shape = [axes.as_slice(), &size].concat();
        Ok((CpuStorage::F32(maps), shape.into()))
    }
}
