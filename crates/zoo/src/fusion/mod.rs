//! Spatial and temporal features to one.

mod alpha;
mod gate;

use candle_core::Tensor;

pub use alpha::Alpha;
pub use gate::{Gate, StackedGate};

use crate::weights::Weights;
use crate::{FusionName, Result, ZooError};

/// The fusion of spatial and temporal features.
pub enum Fusion {
    /// Spatial features only.
    Spatial,
    /// Temporal features only.
    Temporal,
    /// Their sum.
    Sum,
    /// A learned mix, the same for every input.
    Alpha(Alpha),
    /// An input-dependent convex mix.
    Gate(Gate),
    /// Both in a row, each weighed by a gate.
    StackedGate(StackedGate),
    /// The values of that gate alone.
    GateClassified(StackedGate),
}

impl Fusion {
    /// Reads the fusion `name` for spatial and temporal features of these widths.
    ///
    /// Only `spatial` and `temporal` work where the widths differ.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(name: FusionName, spatial_width: usize, temporal_width: usize, weights: &Weights<'_>) -> Result<Self> {
        let picks_one = matches!(name, FusionName::Spatial | FusionName::Temporal);
        if spatial_width != temporal_width && !picks_one {
            return Err(ZooError::Widths { fusion: name, spatial: spatial_width, temporal: temporal_width });
        }
        let width = spatial_width;
        Ok(match name {
            FusionName::Spatial => Self::Spatial,
            FusionName::Temporal => Self::Temporal,
            FusionName::Sum => Self::Sum,
            FusionName::AlphaScalar => Self::Alpha(Alpha::read(1, weights)?),
            FusionName::AlphaVector => Self::Alpha(Alpha::read(width, weights)?),
            FusionName::Gate => Self::Gate(Gate::read(width, weights)?),
            FusionName::GateStacked => Self::StackedGate(StackedGate::read(width, weights)?),
            FusionName::GateClassified => Self::GateClassified(StackedGate::read(width, weights)?),
        })
    }

    /// Channels of the fused features.
    pub fn width(name: FusionName, spatial_width: usize, temporal_width: usize) -> usize {
        if name == FusionName::Temporal { temporal_width } else { spatial_width }
    }

    /// Joins spatial features [B, T, C] and temporal features [B, T, C] or [B, 1, C] to [B, T, C], the gates of stacked
    /// features to [B, 2 T, C].
    ///
    /// `temporal` alone stays as it is, of whatever width.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        match self {
            Self::Spatial => return Ok(spatial.clone()),
            Self::Temporal => return Ok(temporal.clone()),
            _ => {}
        }
        // One step that stands for the clip belongs to every frame of it.
        let temporal = &temporal.broadcast_as(spatial.shape())?.contiguous()?;
        Ok(match self {
            Self::Spatial | Self::Temporal | Self::Sum => (spatial + temporal)?,
            Self::Alpha(alpha) => alpha.forward(spatial, temporal)?,
            Self::Gate(gate) => gate.forward(spatial, temporal)?,
            Self::StackedGate(gate) => gate.forward(spatial, temporal)?,
            Self::GateClassified(gate) => gate.gates(spatial, temporal)?,
        })
    }
}
