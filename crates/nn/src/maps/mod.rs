//! Feature maps that are either computed layer by layer or noted down and then run as one network.
//!
//! An encoder is written once, over [`Maps`]. Given numbers, its layers are Candle's: the definition, and the path of
//! training and of GPUs. Given a blank sheet, the same code notes its layers down for the CPU kernels, which run them many
//! times faster because no map between two layers ever becomes a tensor.

mod compiled;
mod noted;
mod observed;

use candle_core::Tensor;

pub use compiled::{CompiledNetwork, KernelChoice};
pub(crate) use noted::NotedConvolution;
pub use noted::NotedMaps;
pub use observed::ObservedNetwork;

use crate::{Activation, Padding, Result, pool};

/// Feature maps [N, C, H, W] of N frames.
#[derive(Clone)]
pub enum Maps {
    /// Numbers.
    Computed(Tensor),
    /// A place in a network that is being noted down.
    Noted(NotedMaps),
}

impl From<Tensor> for Maps {
    fn from(tensor: Tensor) -> Self {
        Self::Computed(tensor)
    }
}

impl Maps {
    /// The numbers; an error while a network is only noted down.
    pub fn tensor(&self) -> Result<&Tensor> {
        match self {
            Self::Computed(tensor) => Ok(tensor),
            Self::Noted(_) => Err(crate::NnError::OnlyNoted),
        }
    }

    /// Channels, rows and columns.
    pub fn size(&self) -> Result<(usize, usize, usize)> {
        match self {
            Self::Computed(tensor) => {
                let (_, channels, height, width) = tensor.dims4()?;
                Ok((channels, height, width))
            }
            Self::Noted(noted) => noted.size(),
        }
    }

    /// The larger of each number and zero.
    pub fn relu(&self) -> Result<Self> {
        Ok(match self {
            Self::Computed(tensor) => Self::Computed(tensor.relu()?),
            Self::Noted(noted) => Self::Noted(noted.activation(Activation::Relu)?),
        })
    }

    /// The sum of two maps of one size, then an activation.
    pub fn add(&self, other: &Self, activation: Activation) -> Result<Self> {
        match (self, other) {
            (Self::Noted(a), Self::Noted(b)) => Ok(Self::Noted(a.add(b, activation)?)),
            _ => Ok(Self::Computed(activation.forward(&(self.tensor()? + other.tensor()?)?)?)),
        }
    }

    /// The channels of both, one after the other.
    pub fn concatenate(&self, other: &Self) -> Result<Self> {
        match (self, other) {
            (Self::Noted(a), Self::Noted(b)) => Ok(Self::Noted(a.concatenate(b)?)),
            _ => Ok(Self::Computed(Tensor::cat(&[self.tensor()?, other.tensor()?], 1)?)),
        }
    }

    /// Each channel multiplied by the number that `gates`, maps of one pixel, have for it.
    pub fn scale(&self, gates: &Self) -> Result<Self> {
        match (self, gates) {
            (Self::Noted(maps), Self::Noted(gates)) => Ok(Self::Noted(maps.scale(gates)?)),
            _ => Ok(Self::Computed(self.tensor()?.broadcast_mul(gates.tensor()?)?)),
        }
    }

    /// The mean of each channel: maps of one pixel, [N, C, 1, 1].
    pub fn global_average(&self) -> Result<Self> {
        match self {
            Self::Computed(tensor) => {
                let (batch, channels, _, _) = tensor.dims4()?;
                Ok(Self::Computed(pool::global_average(tensor)?.reshape((batch, channels, 1, 1))?))
            }
            Self::Noted(noted) => Ok(Self::Noted(noted.global_average()?)),
        }
    }

    /// The largest number of each `kernel` x `kernel` window; pixels outside the image never win.
    pub fn max_pool(&self, kernel: usize, stride: usize, padding: Padding) -> Result<Self> {
        Ok(match self {
            Self::Computed(tensor) => Self::Computed(pool::max_pool(tensor, kernel, stride, padding)?),
            Self::Noted(noted) => Self::Noted(noted.max_pool(kernel, stride, padding)?),
        })
    }

    /// The mean of windows of 2 x 2 without overlap; an odd last row or column is dropped.
    pub fn average_pool_2x2(&self) -> Result<Self> {
        Ok(match self {
            Self::Computed(tensor) => Self::Computed(pool::average_pool_2x2(tensor)?),
            Self::Noted(noted) => Self::Noted(noted.average_pool_2x2()?),
        })
    }
}
