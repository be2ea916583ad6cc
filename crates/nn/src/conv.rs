use candle_core::Tensor;

use crate::depthwise::{depthwise, has_depthwise};
use crate::epilogue::bias_activation;
use crate::half::Weight;
use crate::maps::TracedConvolution;
use crate::training::{Convolution, TrainableNorm};
use crate::{Activation, BatchNorm, FeatureMaps, NnError, Padding, Result};

/// Two-dimensional convolution with its bias and activation.
#[derive(Debug, Clone)]
pub struct Conv2d {
    weight: Weight,
    bias: Option<Weight>,
    /// Norm that is not folded in, because it is trained.
    norm: Option<TrainableNorm>,
    stride: usize,
    groups: usize,
    activation: Activation,
}

impl Conv2d {
    /// Creates a convolution from `weight` [out, in / groups, kh, kw] and an optional `bias` [out].
    pub fn new(weight: Tensor, bias: Option<Tensor>, stride: usize, groups: usize) -> Self {
        let (weight, bias) = (Weight::new(weight), bias.map(Weight::new));
        Self { weight, bias, norm: None, stride, groups, activation: Activation::Identity }
    }

    /// Adds `bias` [out] to the output; comes before [`Self::with_norm`].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn with_bias(self, bias: Tensor) -> Result<Self> {
        let out = self.weight.single().dim(0)?;
        if bias.elem_count() != out {
            let problem = format!("a bias of {} after a convolution to {out}", bias.elem_count());
            return Err(NnError::Shape { layer: "conv2d", problem });
        }
        Ok(Self { bias: Some(Weight::new(bias)), ..self })
    }

    /// Folds the batch norm that follows into weight and bias, or keeps it beside them where its statistics are
    /// variables.
    ///
    /// # Errors
    /// The norm has another number of channels, or the device fails.
    pub fn with_norm(self, norm: &BatchNorm) -> Result<Self> {
        let (channels, out) = (norm.weight.elem_count(), self.weight.single().dim(0)?);
        if channels != out {
            let problem = format!("a norm of {channels} channels after a convolution to {out}");
            return Err(NnError::Shape { layer: "conv2d", problem });
        }
        if let Some(norm) = norm.trainable()? {
            return Ok(Self { norm: Some(norm), ..self });
        }
        let (scale, shift) = norm.scale_and_shift()?;
        let weight = self.weight.single().broadcast_mul(&scale.reshape((out, 1, 1, 1))?)?;
        let bias = match &self.bias {
            Some(bias) => ((bias.single() * &scale)? + shift)?,
            None => shift,
        };
        Ok(Self { weight: Weight::new(weight), bias: Some(Weight::new(bias)), ..self })
    }

    /// Applies `activation` to the output.
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// Returns true if its weights are variables.
    pub(crate) fn is_trainable(&self) -> bool {
        self.weight.single().track_op()
    }

    /// Returns true for a 1x1 kernel.
    pub(crate) fn is_pointwise(&self) -> bool {
        matches!(self.weight.single().dims(), [_, _, 1, 1])
    }

    /// Convolves `x` [N, in, H, W] to [N, out, H', W'].
    ///
    /// # Errors
    /// [`NnError::NoGradient`] for a layer that is trained, which takes [`FeatureMaps::Training`].
    pub fn forward(&self, x: &Tensor, padding: Padding) -> Result<Tensor> {
        self.must_be_folded()?;
        let weight = &self.weight.like(x)?;
        let bias = self.bias.as_ref().map(|bias| bias.like(x)).transpose()?;
        let (out, in_per_group, kernel_height, kernel_width) = weight.dims4()?;
        if in_per_group == 1 && self.groups == out && self.groups > 1 && has_depthwise(x) {
            if self.is_trainable() || bias.as_ref().is_some_and(Tensor::track_op) {
                return Err(NnError::NoGradient { layer: "conv2d" });
            }
            return depthwise(x, (weight, bias.as_ref()), (self.stride, padding), self.activation);
        }
        let pointwise = kernel_height == 1 && kernel_width == 1 && self.groups == 1;
        let y = if pointwise && padding == Padding::symmetric(0) {
            pointwise_product(&every_nth_pixel(x, self.stride)?, weight)?
        } else if padding == Padding::symmetric(padding.top) {
            x.conv2d(weight, padding.top, self.stride, 1, self.groups)?
        } else {
            let padded =
                x.pad_with_zeros(2, padding.top, padding.bottom)?.pad_with_zeros(3, padding.left, padding.right)?;
            padded.conv2d(weight, 0, self.stride, 1, self.groups)?
        };
        bias_activation(&y, bias.as_ref(), self.activation)
    }

    /// Convolves maps of `in` channels to maps of `out` channels.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn over(&self, maps: &FeatureMaps, padding: Padding) -> Result<FeatureMaps> {
        match maps {
            FeatureMaps::Eager(x) => Ok(FeatureMaps::Eager(self.forward(x, padding)?)),
            FeatureMaps::Training(training) => {
                let convolution = Convolution { stride: self.stride, padding, groups: self.groups };
                let after = (self.bias.as_ref().map(Weight::single), self.norm.as_ref());
                Ok(FeatureMaps::Training(training.convolution(
                    self.weight.single(),
                    &convolution,
                    after,
                    self.activation,
                )?))
            }
            FeatureMaps::Traced(traced) => Ok(FeatureMaps::Traced(traced.convolution(&self.to_traced(padding)?)?)),
        }
    }

    /// Returns the layer as the CPU runtime takes it.
    ///
    /// # Errors
    /// [`NnError::Shape`] for groups of several channels, which the runtime lacks.
    pub(crate) fn to_traced(&self, padding: Padding) -> Result<TracedConvolution<'_>> {
        self.must_be_folded()?;
        let depthwise = self.groups > 1;
        let weight = self.weight.single();
        if depthwise && (weight.dim(1)? != 1 || self.groups != weight.dim(0)?) {
            let problem = format!("{} groups, which the CPU kernels do not have", self.groups);
            return Err(NnError::Shape { layer: "conv2d", problem });
        }
        Ok(TracedConvolution {
            weight,
            bias: self.bias.as_ref().map(Weight::single),
            stride: self.stride,
            padding,
            depthwise,
            activation: self.activation,
        })
    }

    fn must_be_folded(&self) -> Result<()> {
        match self.norm {
            Some(_) => Err(NnError::NoGradient { layer: "conv2d" }),
            None => Ok(()),
        }
    }

    /// Convolves with TensorFlow's "same" padding.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn over_same(&self, maps: &FeatureMaps) -> Result<FeatureMaps> {
        let (_, height, width) = maps.size()?;
        let kernel = self.weight.single().dim(2)?;
        self.over(maps, Padding::same(height, width, kernel, self.stride))
    }
}

/// Returns the pixels that a 1x1 kernel of this stride reads.
fn every_nth_pixel(x: &Tensor, stride: usize) -> Result<Tensor> {
    if stride == 1 {
        return Ok(x.clone());
    }
    let mut kept = x.clone();
    for axis in [2, 3] {
        let positions: Vec<u32> = (0..x.dim(axis)? as u32).step_by(stride).collect();
        kept = kept.index_select(&Tensor::new(positions, x.device())?, axis)?;
    }
    Ok(kept)
}

/// Computes a 1x1 convolution as a matrix product: [out, in] times [N, in, H * W].
fn pointwise_product(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let out = weight.dim(0)?;
    let weight = weight.reshape((out, channels))?.broadcast_left(batch)?;
    let product = weight.matmul(&x.contiguous()?.reshape((batch, channels, height * width))?)?;
    Ok(product.reshape((batch, out, height, width))?)
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::seeded;
    use crate::training::NormSettings;

    fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
    }

    #[test]
    fn same_padding_is_that_of_tensorflow() {
        assert_eq!(Padding::same(109, 109, 3, 2), Padding::symmetric(1));
        assert_eq!(Padding::same(28, 28, 3, 2), Padding { top: 0, left: 0, bottom: 1, right: 1 });
        assert_eq!(Padding::same(19, 19, 3, 1), Padding::symmetric(1));
    }

    #[test]
    fn a_strided_pointwise_convolution_equals_candles() {
        let x = seeded::normal(1, (2, 4, 7, 6), DType::F32);
        let weight = seeded::normal(2, (3, 4, 1, 1), DType::F32);
        let theirs = x.conv2d(&weight, 0, 2, 1, 1).unwrap();
        let ours = Conv2d::new(weight, None, 2, 1).forward(&x, Padding::symmetric(0)).unwrap();
        assert_eq!(ours.dims(), theirs.dims());
        assert!(largest_difference(&ours, &theirs) < 1e-5);
    }

    #[test]
    fn folding_the_norm_changes_nothing() {
        let x = seeded::normal(1, (2, 4, 6, 5), DType::F32);
        let weight = seeded::normal(2, (8, 4, 1, 1), DType::F32);
        let vector = |seed, mean: f64| seeded::uniform(seed, 8, DType::F32).affine(0.8, mean - 0.4).unwrap();
        let norm = BatchNorm {
            weight: vector(3, 1.0),
            bias: vector(4, 0.0),
            mean: vector(5, 0.0),
            variance: vector(6, 1.0),
            settings: NormSettings::KERAS,
        };
        let folded = Conv2d::new(weight.clone(), None, 1, 1).with_norm(&norm).unwrap();
        let plain = Conv2d::new(weight, None, 1, 1).forward(&x, Padding::symmetric(0)).unwrap();
        let (scale, shift) = norm.scale_and_shift().unwrap();
        let plain = plain
            .broadcast_mul(&scale.reshape((1, 8, 1, 1)).unwrap())
            .unwrap()
            .broadcast_add(&shift.reshape((1, 8, 1, 1)).unwrap())
            .unwrap();
        assert!(largest_difference(&folded.forward(&x, Padding::symmetric(0)).unwrap(), &plain) < 1e-5);
    }
}
