use candle_core::Tensor;
use nn::TemporalConv;

use super::ClipNetwork;
use crate::Result;
use crate::weights::Weights;

/// A residual stack over time: x + relu(conv(x)) with dilations 1, 2 and 4.
///
/// With six frames a clip the last convolution already spans all of them. The reference system names a dilated head
/// but never published one; this definition is ours.
pub struct DilatedHead {
    convs: Vec<TemporalConv>,
}

impl DilatedHead {
    const DILATIONS: [usize; 3] = [1, 2, 4];

    /// Reads `convs.{0,1,2}.weight` [C, C, 3] and `.bias` [C].
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(width: usize, weights: &Weights<'_>) -> Result<Self> {
        let read = |(index, dilation): (usize, usize)| -> Result<TemporalConv> {
            let conv = weights.at("convs").at(index);
            let weight = conv.tensor("weight", &[width, width, 3])?;
            Ok(TemporalConv::new(&weight, conv.tensor("bias", &[width])?, dilation)?)
        };
        Ok(Self { convs: Self::DILATIONS.into_iter().enumerate().map(read).collect::<Result<_>>()? })
    }
}

impl ClipNetwork for DilatedHead {
    /// Maps spatial features [B, T, C] to temporal features [B, T, C].
    fn temporal(&self, spatial: &Tensor) -> Result<Tensor> {
        let mut x = spatial.clone();
        for conv in &self.convs {
            x = (&x + conv.forward(&x)?.relu()?)?;
        }
        Ok(x)
    }
}
