//! Feature maps of clips, whose frames temporal layers see together.

use std::rc::Rc;

use candle_core::Tensor;

use crate::maps::TracedMaps;
use crate::training::channels_first;
use crate::{Activation, FeatureMaps, Result, TrainingContext, TrainingMaps};

/// Feature maps of clips of T frames each; a network over them is written once, as one over [`FeatureMaps`] is.
#[derive(Clone)]
pub struct Clips {
    /// Maps of all frames of all clips, [B * T, C, H, W].
    pub(crate) maps: FeatureMaps,
    /// Frames of a clip, T.
    pub(crate) frames: usize,
}

impl Clips {
    /// Creates eager maps from clips [B, T, C, H, W].
    ///
    /// # Errors
    /// [`crate::NnError::Tensor`] for clips without five axes.
    pub fn new(clips: &Tensor) -> Result<Self> {
        let (batch, frames, channels, height, width) = clips.dims5()?;
        Ok(Self { maps: clips.reshape((batch * frames, channels, height, width))?.into(), frames })
    }

    /// Creates the input of a network that is trained, from clips [B, T, 3, H, W].
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn training(clips: &Tensor, context: &Rc<TrainingContext>) -> Result<Self> {
        let (batch, frames, channels, height, width) = clips.dims5()?;
        let maps = TrainingMaps::frames(&clips.reshape((batch * frames, channels, height, width))?, context)?;
        Ok(Self { maps: FeatureMaps::Training(maps), frames })
    }

    pub(crate) fn traced(maps: TracedMaps) -> Result<Self> {
        Ok(Self { frames: maps.frames()?, maps: FeatureMaps::Traced(maps) })
    }

    /// Returns the tensor [B, T, C, H, W].
    ///
    /// # Errors
    /// [`crate::NnError::NotTraceable`] for traced maps, which have no values.
    pub fn tensor(&self) -> Result<Tensor> {
        let tensor = match &self.maps {
            FeatureMaps::Training(training) => channels_first(training.channels_last())?,
            maps => maps.tensor()?.clone(),
        };
        let (all, channels, height, width) = tensor.dims4()?;
        Ok(tensor.reshape((all / self.frames, self.frames, channels, height, width))?)
    }

    /// Applies `layer` to each frame independently.
    ///
    /// # Errors
    /// Those of `layer`.
    pub fn each_frame(&self, layer: impl FnOnce(&FeatureMaps) -> Result<FeatureMaps>) -> Result<Self> {
        Ok(Self { maps: layer(&self.maps)?, frames: self.frames })
    }

    /// Adds clips of the same size, then applies an activation.
    ///
    /// # Errors
    /// [`crate::NnError`] where sizes or kinds differ.
    pub fn add(&self, other: &Self, activation: Activation) -> Result<Self> {
        self.each_frame(|maps| maps.add(&other.maps, activation))
    }
}
