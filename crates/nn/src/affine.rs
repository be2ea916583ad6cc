use candle_core::Tensor;

use crate::depthwise::has_depthwise;
use crate::training::{TrainableNorm, activate};
use crate::{Activation, BatchNorm, Conv2d, FeatureMaps, Padding, Result, apply_activation};

/// Scale and shift of each channel, then an activation: a batch norm that follows no convolution.
#[derive(Debug, Clone)]
pub struct ChannelAffine {
    scale: Tensor,
    shift: Tensor,
    /// Equivalent depthwise 1x1 convolution, which is one pass over the maps.
    conv: Conv2d,
    /// Norm that is trained, if its statistics are variables.
    norm: Option<TrainableNorm>,
    activation: Activation,
}

impl ChannelAffine {
    /// Creates the layer from a batch norm.
    ///
    /// # Errors
    /// [`crate::NnError::Tensor`] for tensors of different lengths.
    pub fn new(norm: &BatchNorm, activation: Activation) -> Result<Self> {
        let (scale, shift) = norm.scale_and_shift()?;
        let channels = scale.elem_count();
        let scale = scale.reshape((channels, 1, 1, 1))?;
        let conv = Conv2d::new(scale.clone(), Some(shift.clone()), 1, channels).with_activation(activation);
        Ok(Self { scale, shift, conv, norm: norm.trainable()?, activation })
    }

    /// Maps `x` [N, C, H, W] to the same shape.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if has_depthwise(x) {
            return self.conv.forward(x, Padding::symmetric(0));
        }
        let row = (1, self.shift.elem_count(), 1, 1);
        let row = |numbers: &Tensor| numbers.to_dtype(x.dtype())?.reshape(row);
        apply_activation(&x.broadcast_mul(&row(&self.scale)?)?.broadcast_add(&row(&self.shift)?)?, self.activation)
    }

    /// Applies the layer to maps of any kind.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn over(&self, maps: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(match maps {
            FeatureMaps::Eager(x) => FeatureMaps::Eager(self.forward(x)?),
            FeatureMaps::Training(training) => FeatureMaps::Training(match &self.norm {
                Some(norm) => training.norm(norm, self.activation)?,
                None => {
                    let scale = self.scale.flatten_all()?;
                    let scaled = |x: &Tensor| {
                        x.broadcast_mul(&scale.to_dtype(x.dtype())?)?.broadcast_add(&self.shift.to_dtype(x.dtype())?)
                    };
                    training.through(|x| activate(&scaled(x)?, self.activation))?
                }
            }),
            FeatureMaps::Traced(traced) => {
                FeatureMaps::Traced(traced.affine(&self.scale, &self.shift, self.activation)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::training::NormSettings;

    #[test]
    fn equals_scale_shift_and_relu() {
        let vector = |values: [f32; 2]| Tensor::new(&values, &Device::Cpu).unwrap();
        let norm = BatchNorm {
            weight: vector([2.0, 1.0]),
            bias: vector([1.0, -1.0]),
            mean: vector([0.5, 0.0]),
            variance: vector([4.0, 1.0]),
            settings: NormSettings { eps: 0.0, ..NormSettings::TORCH },
        };
        let x = Tensor::new(&[[[[0.5f32, 2.5]], [[0.5, 3.0]]]], &Device::Cpu).unwrap();
        let y = ChannelAffine::new(&norm, Activation::Relu).unwrap().forward(&x).unwrap();
        assert_eq!(y.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [1.0, 3.0, 0.0, 2.0]);
    }
}
