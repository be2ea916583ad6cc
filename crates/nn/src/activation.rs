use candle_core::Tensor;

use crate::Result;

/// The non-linearity after a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// None.
    #[default]
    Identity,
    /// max(x, 0).
    Relu,
    /// x * sigmoid(x), also called swish.
    Silu,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// x * Phi(x) with the exact normal distribution, not its tanh approximation.
    Gelu,
}

impl Activation {
    /// Applies the function to every element; the shape stays.
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Identity => x.clone(),
            Self::Relu => x.relu()?,
            Self::Silu => x.silu()?,
            Self::Sigmoid => candle_nn::ops::sigmoid(x)?,
            Self::Gelu => x.gelu_erf()?,
        })
    }

    /// Applies the function to one number.
    pub(crate) fn scalar(self, x: f32) -> f32 {
        match self {
            Self::Identity => x,
            Self::Relu => x.max(0.0),
            Self::Silu => x / (1.0 + (-x).exp()),
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Gelu => 0.5 * x * (1.0 + candle_core::cpu::erf::erf_f32(x * std::f32::consts::FRAC_1_SQRT_2)),
        }
    }
}
