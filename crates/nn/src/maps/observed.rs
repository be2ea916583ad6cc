use runtime::{InputRange, InstructionSet, Observer};

use super::{FeatureMaps, compiled};
use crate::{NnError, Result};

/// Network that records the range of each convolution's input, for quantization.
pub struct ObservedNetwork {
    observer: Observer,
}

impl ObservedNetwork {
    /// Traces `layers` over frames of 3 x `height` x `width`.
    ///
    /// # Errors
    /// An error of `layers`, or [`NnError::NotTraceable`].
    pub fn trace<E: From<NnError>>(
        (height, width): (usize, usize),
        set: InstructionSet,
        layers: impl FnOnce(&FeatureMaps) -> std::result::Result<FeatureMaps, E>,
    ) -> std::result::Result<Self, E> {
        let (builder, output) = compiled::trace((3, height, width), layers)?;
        Ok(Self { observer: builder.observe(output, set).map_err(NnError::from)? })
    }

    /// Runs on frames [N, 3, H, W] and widens the ranges.
    ///
    /// # Errors
    /// [`NnError::Kernels`] for a part of a frame.
    pub fn observe(&mut self, frames: &[f32]) -> Result<()> {
        Ok(self.observer.run(frames)?)
    }

    /// Returns the range of each convolution's input so far, in the order of the layers.
    pub fn ranges(&self) -> Vec<InputRange> {
        self.observer.ranges()
    }
}
