use runtime::{InputRange, InstructionSet, Observer};

use super::{FeatureMaps, compiled};
use crate::{NnError, Result};

/// Layers that note the range of what each convolution reads, for a network of bytes.
pub struct ObservedNetwork {
    observer: Observer,
}

impl ObservedNetwork {
    /// Notes down what `layers` does to frames of 3 x `height` x `width`.
    pub fn note<E: From<NnError>>(
        (height, width): (usize, usize),
        set: InstructionSet,
        layers: impl FnOnce(&FeatureMaps) -> std::result::Result<FeatureMaps, E>,
    ) -> std::result::Result<Self, E> {
        let (builder, output) = compiled::note((3, height, width), layers)?;
        Ok(Self { observer: builder.observe(output, set).map_err(NnError::from)? })
    }

    /// Looks at frames [N, 3, H, W].
    pub fn look(&mut self, frames: &[f32]) -> Result<()> {
        Ok(self.observer.run(frames)?)
    }

    /// The range of each convolution's input so far, in the order of the layers.
    pub fn ranges(&self) -> Vec<InputRange> {
        self.observer.ranges()
    }
}
