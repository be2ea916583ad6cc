use candle_core::Tensor;
use nn::training::NormSettings;
use nn::{BatchNorm, Conv2d, FeatureMaps, LayerNorm, Linear, Padding};

use crate::Result;
use crate::weights::Weights;

/// Whose checkpoint a network is read from: the two differ in names, layouts, padding and constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framework {
    /// torchvision: kernels [out, in, kh, kw], padding symmetric.
    Torch,
    /// `keras.applications`: kernels [kh, kw, in, out], an odd pixel of padding goes below and to the right.
    Keras,
}

/// The sizes of a convolution with a square kernel.
#[derive(Debug, Clone, Copy)]
pub struct ConvSizes {
    /// Input channels.
    pub width_in: usize,
    /// Output channels.
    pub width_out: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Stride in both directions.
    pub stride: usize,
    /// Groups of channels that do not mix.
    pub groups: usize,
}

impl ConvSizes {
    /// Returns the sizes of a convolution whose channels all mix.
    pub const fn new(width_in: usize, width_out: usize, kernel: usize, stride: usize) -> Self {
        Self { width_in, width_out, kernel, stride, groups: 1 }
    }

    /// Returns the sizes of a depthwise convolution: one filter a channel.
    pub const fn depthwise(width: usize, kernel: usize, stride: usize) -> Self {
        Self { width_in: width, width_out: width, kernel, stride, groups: width }
    }
}

impl Framework {
    /// Returns the root of the framework's own names: Keras joins their parts by '/'.
    pub(super) fn root<'a>(self, weights: &Weights<'a>) -> Weights<'a> {
        match self {
            Self::Torch => weights.clone(),
            Self::Keras => weights.separated_by('/'),
        }
    }

    /// Reads the convolution at `weights`, without bias.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn conv(self, weights: &Weights<'_>, sizes: ConvSizes) -> Result<Conv2d> {
        let ConvSizes { width_in, width_out, kernel, stride, groups } = sizes;
        let weight = match self {
            Self::Torch => weights.tensor("weight", &[width_out, width_in / groups, kernel, kernel])?,
            Self::Keras => {
                let stored = weights.tensor("kernel", &[kernel, kernel, width_in / groups, width_out])?;
                stored.permute((3, 2, 0, 1))?.contiguous()?
            }
        };
        Ok(Conv2d::new(weight, None, stride, groups))
    }

    /// The convolution at `weights`, with bias.
    pub(super) fn conv_bias(self, weights: &Weights<'_>, sizes: ConvSizes) -> Result<Conv2d> {
        Ok(self.conv(weights, sizes)?.with_bias(weights.tensor("bias", &[sizes.width_out])?)?)
    }

    /// Reads the batch norm of `width` channels at `weights`.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn batch_norm(self, weights: &Weights<'_>, width: usize, eps: f64) -> Result<BatchNorm> {
        let [weight, bias, mean, variance] = match self {
            Self::Torch => ["weight", "bias", "running_mean", "running_var"],
            Self::Keras => ["gamma", "beta", "moving_mean", "moving_variance"],
        };
        let vector = |name: &str| weights.tensor(name, &[width]);
        Ok(BatchNorm {
            weight: vector(weight)?,
            bias: vector(bias)?,
            mean: vector(mean)?,
            variance: vector(variance)?,
            settings: NormSettings { eps, ..self.norm_settings() },
        })
    }

    /// Returns the rule by which the framework's norms move their running statistics.
    pub(super) fn norm_settings(self) -> NormSettings {
        match self {
            Self::Torch => NormSettings::TORCH,
            Self::Keras => NormSettings::KERAS,
        }
    }

    /// The layer norm of `width` numbers at `weights`.
    pub(super) fn layer_norm(self, weights: &Weights<'_>, width: usize, eps: f64) -> Result<LayerNorm> {
        let [weight, bias] = match self {
            Self::Torch => ["weight", "bias"],
            Self::Keras => ["gamma", "beta"],
        };
        Ok(LayerNorm::new(weights.tensor(weight, &[width])?, weights.tensor(bias, &[width])?, eps))
    }

    /// The fully connected layer at `weights`, its kernel [in, out] and bias [out].
    pub(super) fn kernel_and_bias(self, weights: &Weights<'_>, sizes: (usize, usize)) -> Result<(Tensor, Tensor)> {
        let (width_in, width_out) = sizes;
        let kernel = match self {
            Self::Torch => weights.tensor("weight", &[width_out, width_in])?.t()?.contiguous()?,
            Self::Keras => weights.tensor("kernel", &[width_in, width_out])?,
        };
        Ok((kernel, weights.tensor("bias", &[width_out])?))
    }

    /// The fully connected layer at `weights`, from and to these widths.
    pub(super) fn linear(self, weights: &Weights<'_>, sizes: (usize, usize)) -> Result<Linear> {
        let (kernel, bias) = self.kernel_and_bias(weights, sizes)?;
        Ok(Linear::from_input_major(kernel, Some(bias)))
    }

    /// The padding with which a convolution over `x` gives its size divided by `stride`.
    pub(super) fn padding(self, x: &FeatureMaps, kernel: usize, stride: usize) -> Result<Padding> {
        let (_, height, width) = x.size()?;
        Ok(match self {
            Self::Torch => Padding::symmetric(kernel / 2),
            Self::Keras => Padding::same(height, width, kernel, stride),
        })
    }
}
