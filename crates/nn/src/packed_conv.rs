use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Tensor};
use runtime::TemporalWindow;

use crate::maps::TracedMaps;
use crate::{Activation, BatchNorm, CompiledNetwork, Conv2d, FeatureMaps, KernelChoice, NnError, Padding, Result};

/// Convolution of larger windows, run by the CPU kernels where they are chosen; 1x1 ones are a product of Candle's, which
/// needs no other layout.
#[derive(Clone)]
pub(crate) struct PackedConv {
    conv: Conv2d,
    padding: Padding,
    choice: KernelChoice,
    /// Packed for maps of the last size; a pipeline feeds one.
    packed: Arc<Mutex<Option<Packed>>>,
}

/// A packed convolution, and channels, rows and columns of its maps.
type Packed = ((usize, usize, usize), Arc<CompiledNetwork>);

impl PackedConv {
    /// Runs `conv` with this padding as `choice` says.
    pub(crate) fn new(conv: Conv2d, padding: Padding, choice: KernelChoice) -> Self {
        Self { conv, padding, choice, packed: Arc::default() }
    }

    pub(crate) fn with_norm(self, norm: &BatchNorm) -> Result<Self> {
        Ok(Self::new(self.conv.with_norm(norm)?, self.padding, self.choice))
    }

    pub(crate) fn with_activation(self, activation: Activation) -> Self {
        Self::new(self.conv.with_activation(activation), self.padding, self.choice)
    }

    pub(crate) fn is_pointwise(&self) -> bool {
        self.conv.is_pointwise()
    }

    /// Convolves maps of any kind, eager ones by Candle.
    pub(crate) fn over(&self, maps: &FeatureMaps) -> Result<FeatureMaps> {
        self.conv.over(maps, self.padding)
    }

    /// Convolves a tensor [N, in, H, W] by Candle.
    pub(crate) fn layer_by_layer(&self, x: &Tensor) -> Result<Tensor> {
        self.conv.forward(x, self.padding)
    }

    /// Traces a 1x1 convolution of neighboring frames side by side.
    pub(crate) fn temporal(&self, maps: &TracedMaps, window: TemporalWindow) -> Result<TracedMaps> {
        maps.temporal_convolution(&self.conv.to_traced(self.padding)?, window)
    }

    /// Convolves `x` [N, in, H, W] to [N, out, H', W'].
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let KernelChoice::Kernels(set) = self.choice else { return self.conv.forward(x, self.padding) };
        if self.conv.is_trainable()
            || x.track_op()
            || self.conv.is_pointwise()
            || !x.device().is_cpu()
            || x.dtype() != DType::F32
        {
            return self.conv.forward(x, self.padding);
        }
        let (_, channels, height, width) = x.dims4()?;
        let size = (channels, height, width);
        let network = {
            let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
            match packed.as_ref() {
                Some((known, network)) if *known == size => network.clone(),
                _ => {
                    let layer = |maps: &FeatureMaps| self.conv.over(maps, self.padding);
                    let network = Arc::new(CompiledNetwork::trace_maps::<NnError>(size, set, layer)?);
                    *packed = Some((size, network.clone()));
                    network
                }
            }
        };
        network.forward(x)
    }
}

impl std::fmt::Debug for PackedConv {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { conv, padding, choice, .. } = self;
        formatter
            .debug_struct("PackedConv")
            .field("conv", conv)
            .field("padding", padding)
            .field("choice", choice)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded;

    #[test]
    fn kernels_of_every_set_give_what_candle_gives_for_maps_of_any_size() {
        let weight = seeded::normal(1, (5, 4, 3, 3), DType::F32).affine(0.3, 0.0).unwrap();
        let bias = seeded::normal(2, 5, DType::F32);
        let conv = Conv2d::new(weight, Some(bias), 2, 1).with_activation(Activation::Relu);
        let run_as = |choice| PackedConv::new(conv.clone(), Padding::symmetric(1), choice);
        let plain = run_as(KernelChoice::Plain);
        for set in runtime::InstructionSet::available() {
            let packed = run_as(KernelChoice::Kernels(set));
            for (height, width) in [(9, 7), (6, 12), (9, 7)] {
                let x = seeded::normal(3, (3, 4, height, width), DType::F32);
                let (ours, theirs) = (packed.forward(&x).unwrap(), plain.forward(&x).unwrap());
                assert_eq!(ours.dims(), theirs.dims());
                let difference = (ours - theirs).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
                assert!(difference < 1e-5, "{set:?}: {difference}");
            }
        }
    }
}
