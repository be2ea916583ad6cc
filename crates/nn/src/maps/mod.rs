//! Feature maps that are computed layer by layer, traced and then run as one network, or trained through.
//!
//! An encoder is written once, over [`FeatureMaps`]. Eager maps run its layers on Candle: the reference, and the path
//! of GPUs. Traced maps record the same layers as a graph for the CPU runtime, which runs them many times faster because no
//! map between two layers ever becomes a tensor. Training maps run on Candle's autograd graph through the layers of
//! [`crate::training`], where batch norms normalize by the batch.

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

use crate::{Activation, NnError, Padding, Result, apply_activation, pool};

/// Feature maps [N, C, H, W] of N frames.
#[derive(Clone)]
pub enum FeatureMaps {
    /// Maps that are computed at once.
    Eager(Tensor),
    /// Node of a graph that is being traced.
    Traced(TracedMaps),
    /// Maps on the autograd graph of a network that is trained.
    Training(TrainingMaps),
}

impl From<Tensor> for FeatureMaps {
    fn from(tensor: Tensor) -> Self {
        Self::Eager(tensor)
    }
}

impl FeatureMaps {
    /// Returns the tensor [N, C, H, W].
    ///
    /// # Errors
    /// [`crate::NnError::NotTraceable`] for traced maps, which have no values, and for training maps, whose channels are last.
    pub fn tensor(&self) -> Result<&Tensor> {
        match self {
            Self::Eager(tensor) => Ok(tensor),
            Self::Traced(_) | Self::Training(_) => Err(NnError::NotTraceable),
        }
    }

    /// Returns channels, rows and columns.
    ///
    /// # Errors
    /// [`NnError::Tensor`] for a tensor without four axes.
    pub fn size(&self) -> Result<(usize, usize, usize)> {
        match self {
            Self::Eager(tensor) => {
                let (_, channels, height, width) = tensor.dims4()?;
                Ok((channels, height, width))
            }
            Self::Traced(traced) => traced.size(),
            Self::Training(training) => training.size(),
        }
    }

    /// Applies ReLU.
    ///
    /// # Errors
    /// [`NnError`] of the implementation, as for every layer.
    pub fn relu(&self) -> Result<Self> {
        Ok(match self {
            Self::Eager(tensor) => Self::Eager(tensor.relu()?),
            Self::Traced(traced) => Self::Traced(traced.activation(Activation::Relu)?),
            Self::Training(training) => Self::Training(training.activation(Activation::Relu)?),
        })
    }

    /// Adds maps of the same size, then applies an activation.
    ///
    /// # Errors
    /// [`NnError`] where sizes or kinds differ.
    pub fn add(&self, other: &Self, activation: Activation) -> Result<Self> {
        match (self, other) {
            (Self::Traced(a), Self::Traced(b)) => Ok(Self::Traced(a.add(b, activation)?)),
            (Self::Training(a), Self::Training(b)) => Ok(Self::Training(a.add(b, activation)?)),
            _ => Ok(Self::Eager(apply_activation(&(self.tensor()? + other.tensor()?)?, activation)?)),
        }
    }

    /// Concatenates along the channels.
    ///
    /// # Errors
    /// [`NnError`] where sizes or kinds differ.
    pub fn concatenate(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::Traced(a), Self::Traced(b)) => Ok(Self::Traced(a.concatenate(b)?)),
            (Self::Training(a), Self::Training(b)) => Ok(Self::Training(a.concatenate(b)?)),
            _ => Ok(Self::Eager(Tensor::cat(&[self.tensor()?, other.tensor()?], 1)?)),
        }
    }

    /// Multiplies each channel by the number that `gates`, maps of one pixel, have for it.
    ///
    /// # Errors
    /// [`NnError`] where channels or kinds differ.
    pub fn scale(&self, gates: &Self) -> Result<Self> {
        match (self, gates) {
            (Self::Traced(maps), Self::Traced(gates)) => Ok(Self::Traced(maps.scale(gates)?)),
            (Self::Training(maps), Self::Training(gates)) => Ok(Self::Training(maps.scale(gates)?)),
            _ => Ok(Self::Eager(self.tensor()?.broadcast_mul(gates.tensor()?)?)),
        }
    }

    /// Multiplies each channel by the output of `gates` for the channels' means: squeeze-and-excitation.
    ///
    /// Means and gates are maps of one pixel, [N, C, 1, 1].
    ///
    /// # Errors
    /// [`NnError`] of `gates`, or where channels differ.
    pub fn gate(&self, gates: impl FnOnce(&Self) -> Result<Self>) -> Result<Self> {
        match self {
            Self::Training(training) => {
                Ok(Self::Training(training.gate(|means| match gates(&Self::Training(means))? {
                    Self::Training(gates) => Ok(gates),
                    _ => Err(NnError::NotTraceable),
                })?))
            }
            _ => self.scale(&gates(&self.global_average()?)?),
        }
    }

    /// Drops these maps of a residual branch for a whole frame with probability `rate`, in training only.
    ///
    /// # Errors
    /// [`NnError::Shape`] for a rate outside [0, 1).
    pub fn stochastic_depth(&self, rate: f64) -> Result<Self> {
        match self {
            Self::Training(training) => Ok(Self::Training(training.stochastic_depth(rate)?)),
            _ => Ok(self.clone()),
        }
    }

    /// Averages each channel: maps of one pixel, [N, C, 1, 1].
    ///
    /// # Errors
    /// As for [`Self::relu`].
    pub fn global_average(&self) -> Result<Self> {
        match self {
            Self::Eager(tensor) => {
                let (batch, channels, _, _) = tensor.dims4()?;
                Ok(Self::Eager(pool::global_average(tensor)?.reshape((batch, channels, 1, 1))?))
            }
            Self::Traced(traced) => Ok(Self::Traced(traced.global_average()?)),
            Self::Training(training) => Ok(Self::Training(training.global_average()?)),
        }
    }

    /// Takes the largest number of each `kernel` x `kernel` window; pixels outside the image never win.
    ///
    /// # Errors
    /// [`NnError`] for a window that does not fit.
    pub fn max_pool(&self, kernel: usize, stride: usize, padding: Padding) -> Result<Self> {
        Ok(match self {
            Self::Eager(tensor) => Self::Eager(pool::max_pool(tensor, kernel, stride, padding)?),
            Self::Traced(traced) => Self::Traced(traced.max_pool(kernel, stride, padding)?),
            Self::Training(training) => Self::Training(training.max_pool(kernel, stride, padding)?),
        })
    }

    /// Prepends a class token to the pixels, all in one row, and adds positional terms. `terms` are [1 + H * W, C].
    ///
    /// # Errors
    /// [`NnError`] for another count of terms.
    pub fn prepend_token(&self, terms: &Tensor) -> Result<Self> {
        match self {
            Self::Eager(tensor) => {
                let (batch, channels, _, _) = tensor.dims4()?;
                let pixels = tensor.flatten_from(2)?.pad_with_zeros(2, 1, 0)?;
                let tokens = pixels.broadcast_add(&terms.t()?.to_dtype(pixels.dtype())?)?;
                Ok(Self::Eager(tokens.reshape((batch, channels, 1, ()))?))
            }
            Self::Traced(traced) => Ok(Self::Traced(traced.prepend_token(terms)?)),
            Self::Training(training) => {
                let layer = |x: &Tensor| Self::Eager(x.clone()).prepend_token(terms)?.tensor().cloned();
                Ok(Self::Training(training.through_channels_first(layer)?))
            }
        }
    }

    /// Takes consecutive pixels from `first` on, as maps of `height` x `width`.
    ///
    /// # Errors
    /// [`NnError`] for pixels beyond the map.
    pub fn pixels(&self, first: usize, (height, width): (usize, usize)) -> Result<Self> {
        match self {
            Self::Eager(tensor) => {
                let (batch, channels, _, _) = tensor.dims4()?;
                let pixels = tensor.flatten_from(2)?.narrow(2, first, height * width)?.contiguous()?;
                Ok(Self::Eager(pixels.reshape((batch, channels, height, width))?))
            }
            Self::Traced(traced) => Ok(Self::Traced(traced.pixels(first, (height, width))?)),
            Self::Training(training) => {
                let layer = |x: &Tensor| Self::Eager(x.clone()).pixels(first, (height, width))?.tensor().cloned();
                Ok(Self::Training(training.through_channels_first(layer)?))
            }
        }
    }

    /// Averages windows of 2 x 2 without overlap; an odd last row or column is dropped.
    ///
    /// # Errors
    /// As for [`Self::relu`].
    pub fn average_pool_2x2(&self) -> Result<Self> {
        Ok(match self {
            Self::Eager(tensor) => Self::Eager(pool::average_pool_2x2(tensor)?),
            Self::Traced(traced) => Self::Traced(traced.average_pool_2x2()?),
            Self::Training(training) => Self::Training(training.average_pool_2x2()?),
        })
    }
}
