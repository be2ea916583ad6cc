//! Feature maps of clips, whose frames some layers see together.

use std::rc::Rc;

use candle_core::Tensor;

use crate::maps::TracedMaps;
use crate::training::channels_first;
use crate::{Activation, FeatureMaps, Result, TrainingContext, TrainingMaps};

/// Feature maps of clips of T frames each; a network over them is written once, as one over [`FeatureMaps`] is.
#[derive(Clone)]
pub struct Clips {
    /// The maps of all frames of all clips, [B * T, C, H, W].
    pub(crate) maps: FeatureMaps,
    /// T.
    pub(crate) frames: usize,
}

impl Clips {
    /// Clips [B, T, C, H, W].
    pub fn of(clips: &Tensor) -> Result<Self> {
        let (batch, frames, channels, height, width) = clips.dims5()?;
        Ok(Self { maps: clips.reshape((batch * frames, channels, height, width))?.into(), frames })
    }

    /// Clips [B, T, 3, H, W] at the head of a network that learns.
    pub fn learned(clips: &Tensor, lesson: &Rc<TrainingContext>) -> Result<Self> {
        let (batch, frames, channels, height, width) = clips.dims5()?;
        let maps = TrainingMaps::frames(&clips.reshape((batch * frames, channels, height, width))?, lesson)?;
        Ok(Self { maps: FeatureMaps::Training(maps), frames })
    }

    pub(crate) fn traced(maps: TracedMaps) -> Result<Self> {
        Ok(Self { frames: maps.frames()?, maps: FeatureMaps::Traced(maps) })
    }

    /// The numbers [B, T, C, H, W]; an error while a network is only traced down.
    pub fn tensor(&self) -> Result<Tensor> {
        let tensor = match &self.maps {
            FeatureMaps::Training(learned) => channels_first(learned.channels_last())?,
            maps => maps.tensor()?.clone(),
        };
        let (all, channels, height, width) = tensor.dims4()?;
        Ok(tensor.reshape((all / self.frames, self.frames, channels, height, width))?)
    }

    /// What `layer` makes of each frame for itself.
    pub fn each_frame(&self, layer: impl FnOnce(&FeatureMaps) -> Result<FeatureMaps>) -> Result<Self> {
        Ok(Self { maps: layer(&self.maps)?, frames: self.frames })
    }

    /// The sum of clips of one size, then an activation.
    pub fn add(&self, other: &Self, activation: Activation) -> Result<Self> {
        self.each_frame(|maps| maps.add(&other.maps, activation))
    }
}
