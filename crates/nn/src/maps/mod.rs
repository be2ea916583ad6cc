//! Feature maps that are computed layer by layer, traced down and then run as one network, or learned from.
//!
//! An encoder is written once, over [`FeatureMaps`]. Given numbers, its layers are Candle's: the definition, and the path of
//! GPUs. Given a blank sheet, the same code notes its layers down for the CPU kernels, which run them many times faster
//! because no map between two layers ever becomes a tensor. Given frames to learn from, it runs on Candle's graph through
//! the layers of [`crate::training`], and batch norms are norms of the batch again.

mod compiled;
mod observed;
mod traced;
mod training;

use candle_core::Tensor;

pub use compiled::{CompiledNetwork, KernelChoice};
pub use observed::ObservedNetwork;
pub(crate) use traced::TracedConvolution;
pub use traced::TracedMaps;
pub use training::{TrainingContext, TrainingMaps};

use crate::{Activation, Padding, Result, pool};

/// Feature maps [N, C, H, W] of N frames.
#[derive(Clone)]
pub enum FeatureMaps {
    /// Numbers.
    Eager(Tensor),
    /// A place in a network that is being traced down.
    Traced(TracedMaps),
    /// Numbers on the graph of a network that learns.
    Training(TrainingMaps),
}

impl From<Tensor> for FeatureMaps {
    fn from(tensor: Tensor) -> Self {
        Self::Eager(tensor)
    }
}

impl FeatureMaps {
    /// The numbers [N, C, H, W]; an error while a network is only traced down, or on maps with channels last.
    pub fn tensor(&self) -> Result<&Tensor> {
        match self {
            Self::Eager(tensor) => Ok(tensor),
            Self::Traced(_) | Self::Training(_) => Err(crate::NnError::OnlyTraced),
        }
    }

    /// Channels, rows and columns.
    pub fn size(&self) -> Result<(usize, usize, usize)> {
        match self {
            Self::Eager(tensor) => {
                let (_, channels, height, width) = tensor.dims4()?;
                Ok((channels, height, width))
            }
            Self::Traced(traced) => traced.size(),
            Self::Training(learned) => learned.size(),
        }
    }

    /// The larger of each number and zero.
    pub fn relu(&self) -> Result<Self> {
        Ok(match self {
            Self::Eager(tensor) => Self::Eager(tensor.relu()?),
            Self::Traced(traced) => Self::Traced(traced.activation(Activation::Relu)?),
            Self::Training(learned) => Self::Training(learned.activation(Activation::Relu)?),
        })
    }

    /// The sum of two maps of one size, then an activation.
    pub fn add(&self, other: &Self, activation: Activation) -> Result<Self> {
        match (self, other) {
            (Self::Traced(a), Self::Traced(b)) => Ok(Self::Traced(a.add(b, activation)?)),
            (Self::Training(a), Self::Training(b)) => Ok(Self::Training(a.add(b, activation)?)),
            _ => Ok(Self::Eager(activation.forward(&(self.tensor()? + other.tensor()?)?)?)),
        }
    }

    /// The channels of both, one after the other.
    pub fn concatenate(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::Traced(a), Self::Traced(b)) => Ok(Self::Traced(a.concatenate(b)?)),
            (Self::Training(a), Self::Training(b)) => Ok(Self::Training(a.concatenate(b)?)),
            _ => Ok(Self::Eager(Tensor::cat(&[self.tensor()?, other.tensor()?], 1)?)),
        }
    }

    /// Each channel multiplied by the number that `gates`, maps of one pixel, have for it.
    pub fn scale(&self, gates: &Self) -> Result<Self> {
        match (self, gates) {
            (Self::Traced(maps), Self::Traced(gates)) => Ok(Self::Traced(maps.scale(gates)?)),
            (Self::Training(maps), Self::Training(gates)) => Ok(Self::Training(maps.scale(gates)?)),
            _ => Ok(Self::Eager(self.tensor()?.broadcast_mul(gates.tensor()?)?)),
        }
    }

    /// Each channel multiplied by what `gates` makes of the channels' means: squeeze-and-excitation.
    ///
    /// Means and gates are maps of one pixel, [N, C, 1, 1].
    pub fn gate(&self, gates: impl FnOnce(&Self) -> Result<Self>) -> Result<Self> {
        match self {
            Self::Training(learned) => Ok(Self::Training(learned.gate(gates)?)),
            _ => self.scale(&gates(&self.global_average()?)?),
        }
    }

    /// While a network learns, leaves these maps out for a whole frame with probability `rate`: what a residual branch adds.
    pub fn stochastic_depth(&self, rate: f64) -> Result<Self> {
        match self {
            Self::Training(learned) => Ok(Self::Training(learned.stochastic_depth(rate)?)),
            _ => Ok(self.clone()),
        }
    }

    /// The mean of each channel: maps of one pixel, [N, C, 1, 1].
    pub fn global_average(&self) -> Result<Self> {
        match self {
            Self::Eager(tensor) => {
                let (batch, channels, _, _) = tensor.dims4()?;
                Ok(Self::Eager(pool::global_average(tensor)?.reshape((batch, channels, 1, 1))?))
            }
            Self::Traced(traced) => Ok(Self::Traced(traced.global_average()?)),
            Self::Training(learned) => Ok(Self::Training(learned.global_average()?)),
        }
    }

    /// The largest number of each `kernel` x `kernel` window; pixels outside the image never win.
    pub fn max_pool(&self, kernel: usize, stride: usize, padding: Padding) -> Result<Self> {
        Ok(match self {
            Self::Eager(tensor) => Self::Eager(pool::max_pool(tensor, kernel, stride, padding)?),
            Self::Traced(traced) => Self::Traced(traced.max_pool(kernel, stride, padding)?),
            Self::Training(learned) => Self::Training(learned.max_pool(kernel, stride, padding)?),
        })
    }

    /// The pixels in one row behind one more, with a term for each number of each: a class token and positions. `terms`
    /// are [1 + H * W, C].
    pub fn prepend_token(&self, terms: &Tensor) -> Result<Self> {
        match self {
            Self::Eager(tensor) => {
                let (batch, channels, _, _) = tensor.dims4()?;
                let pixels = tensor.flatten_from(2)?.pad_with_zeros(2, 1, 0)?;
                let tokens = pixels.broadcast_add(&terms.t()?.to_dtype(pixels.dtype())?)?;
                Ok(Self::Eager(tokens.reshape((batch, channels, 1, ()))?))
            }
            Self::Traced(traced) => Ok(Self::Traced(traced.prepend_token(terms)?)),
            Self::Training(learned) => learned.by_plain_layers(|maps| maps.prepend_token(terms)),
        }
    }

    /// Pixels that follow each other from `first` on, as maps of `height` x `width`.
    pub fn pixels(&self, first: usize, (height, width): (usize, usize)) -> Result<Self> {
        match self {
            Self::Eager(tensor) => {
                let (batch, channels, _, _) = tensor.dims4()?;
                let pixels = tensor.flatten_from(2)?.narrow(2, first, height * width)?.contiguous()?;
                Ok(Self::Eager(pixels.reshape((batch, channels, height, width))?))
            }
            Self::Traced(traced) => Ok(Self::Traced(traced.pixels(first, (height, width))?)),
            Self::Training(learned) => learned.by_plain_layers(|maps| maps.pixels(first, (height, width))),
        }
    }

    /// The mean of windows of 2 x 2 without overlap; an odd last row or column is dropped.
    pub fn average_pool_2x2(&self) -> Result<Self> {
        Ok(match self {
            Self::Eager(tensor) => Self::Eager(pool::average_pool_2x2(tensor)?),
            Self::Traced(traced) => Self::Traced(traced.average_pool_2x2()?),
            Self::Training(learned) => Self::Training(learned.average_pool_2x2()?),
        })
    }
}
