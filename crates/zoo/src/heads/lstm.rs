use candle_core::Tensor;
use nn::{Linear, Lstm, LstmLayer};

use super::ClipNetwork;
use crate::Result;
use crate::weights::Weights;

/// The sizes of a long short-term memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LstmConfig {
    /// Channels in.
    pub width_in: usize,
    /// Cells a direction.
    pub cells: usize,
    /// Layers, 1 to 3 in the named heads.
    pub layers: usize,
    /// True if the clip is read backwards as well.
    pub bidirectional: bool,
}

impl LstmConfig {
    /// As many cells as channels, but at most the 1000 of the reference system.
    pub fn usual(width_in: usize, layers: usize, bidirectional: bool) -> Self {
        Self { width_in, cells: width_in.min(1000), layers, bidirectional }
    }

    /// Channels out.
    pub fn width_out(&self) -> usize {
        if self.bidirectional { 2 * self.cells } else { self.cells }
    }
}

/// A long short-term memory; its last step stands for the clip, as in the reference system's CNN-LSTM.
///
/// [B, T, C] to [B, 1, cells], or [B, 1, 2 * cells] in both directions. The backward half of the last step has seen one
/// frame only; that is the reference's definition.
pub struct LstmHead {
    lstm: Lstm,
}

impl LstmHead {
    /// Reads `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, the same with `_reverse`, and so on for each
    /// layer.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: LstmConfig, weights: &Weights<'_>) -> Result<Self> {
        let directions: &[&str] = if config.bidirectional { &["", "_reverse"] } else { &[""] };
        let read = |layer: usize, direction: &str| -> Result<LstmLayer> {
            let width_in = if layer == 0 { config.width_in } else { config.width_out() };
            let linear = |kind: &str, width_in: usize| -> Result<Linear> {
                let weight =
                    weights.tensor(&format!("weight_{kind}_l{layer}{direction}"), &[4 * config.cells, width_in])?;
                let bias = weights.tensor(&format!("bias_{kind}_l{layer}{direction}"), &[4 * config.cells])?;
                Ok(Linear::new(&weight, Some(bias))?)
            };
            Ok(LstmLayer::new(linear("ih", width_in)?, linear("hh", config.cells)?, config.cells))
        };
        let layers =
            (0..config.layers).map(|layer| directions.iter().map(|direction| read(layer, direction)).collect());
        Ok(Self { lstm: Lstm::new(layers.collect::<Result<_>>()?) })
    }

    /// The states of every step: [B, T, C] to [B, T, width_out].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn states(&self, spatial: &Tensor) -> Result<Tensor> {
        Ok(self.lstm.forward(spatial)?)
    }
}

impl ClipNetwork for LstmHead {
    fn temporal(&self, spatial: &Tensor) -> Result<Tensor> {
        let states = self.states(spatial)?;
        Ok(states.narrow(1, states.dim(1)?.saturating_sub(1), 1)?)
    }
}
