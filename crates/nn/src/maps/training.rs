use std::cell::RefCell;
use std::rc::Rc;

use candle_core::{DType, Tensor};

use crate::training::{
    AverageOver, Convolution, DropGenerator, TrainableNorm, TrainingMode, activate, average_pool, channels_first,
    channels_last, conv2d, conv2d_norm, gate_channels, global_average, max_pool, scale_channels,
};
use crate::{Activation, Padding, Result};

/// State of a training step that layers share: the behavior of norms, and the random numbers of dropout.
#[derive(Debug)]
pub struct TrainingContext {
    mode: TrainingMode,
    /// Type of the maps, if it is not that of the frames.
    maps_dtype: Option<DType>,
    drops: RefCell<DropGenerator>,
}

impl TrainingContext {
    /// Starts a training step; `seed` decides what dropout and stochastic depth drop.
    pub fn training(seed: u64) -> Rc<Self> {
        Self::new(TrainingMode::Train, None, seed)
    }

    /// Starts a training step with maps of `kind`, half precision for instance; weights and norms stay as they are.
    pub fn training_in(seed: u64, kind: DType) -> Rc<Self> {
        Self::new(TrainingMode::Train, Some(kind), seed)
    }

    /// Starts an evaluation: norms use their running statistics and nothing is dropped.
    pub fn evaluation() -> Rc<Self> {
        Self::new(TrainingMode::Evaluate, None, 0)
    }

    fn new(mode: TrainingMode, maps_dtype: Option<DType>, seed: u64) -> Rc<Self> {
        Rc::new(Self { mode, maps_dtype, drops: RefCell::new(DropGenerator::new(seed)) })
    }

    /// Returns the behavior of norms.
    pub fn mode(&self) -> TrainingMode {
        self.mode
    }

    /// Drops numbers of `x` with probability `rate`, in training only.
    ///
    /// # Errors
    /// [`crate::NnError::Shape`] for a rate outside [0, 1).
    pub fn dropout(&self, x: &Tensor, rate: f64) -> Result<Tensor> {
        match self.mode {
            TrainingMode::Train => self.drops.borrow_mut().dropout(x, rate),
            TrainingMode::Evaluate => Ok(x.clone()),
        }
    }

    fn stochastic_depth(&self, x: &Tensor, rate: f64) -> Result<Tensor> {
        match self.mode {
            TrainingMode::Train => self.drops.borrow_mut().stochastic_depth(x, rate),
            TrainingMode::Evaluate => Ok(x.clone()),
        }
    }
}

/// Feature maps on Candle's autograd graph, channels last [N, H, W, C].
#[derive(Clone)]
pub struct TrainingMaps {
    maps: Tensor,
    context: Rc<TrainingContext>,
}

impl TrainingMaps {
    /// Creates the input of a network that is trained, from frames [N, 3, H, W].
    ///
    /// # Errors
    /// [`crate::NnError::Tensor`] for frames without four axes.
    pub fn frames(frames: &Tensor, context: &Rc<TrainingContext>) -> Result<Self> {
        let maps = channels_last(&frames.to_dtype(context.maps_dtype.unwrap_or(frames.dtype()))?)?;
        Ok(Self { maps, context: context.clone() })
    }

    /// Returns the tensor, channels last.
    pub fn channels_last(&self) -> &Tensor {
        &self.maps
    }

    pub(super) fn size(&self) -> Result<(usize, usize, usize)> {
        let (_, height, width, channels) = self.maps.dims4()?;
        Ok((channels, height, width))
    }

    pub(super) fn activation(&self, activation: Activation) -> Result<Self> {
        self.followed_by(activate(&self.maps, activation))
    }

    pub(super) fn add(&self, other: &Self, activation: Activation) -> Result<Self> {
        self.followed_by(activate(&(&self.maps + &other.maps)?, activation))
    }

    pub(super) fn concatenate(&self, other: &Self) -> Result<Self> {
        const CHANNELS: usize = 3;
        self.followed_by(Ok(Tensor::cat(&[&self.maps, &other.maps], CHANNELS)?))
    }

    pub(super) fn scale(&self, gates: &Self) -> Result<Self> {
        self.followed_by(scale_channels(&self.maps, &gates.maps.flatten(1, 3)?))
    }

    pub(super) fn gate(&self, gates: impl FnOnce(Self) -> Result<Self>) -> Result<Self> {
        self.followed_by(gate_channels(&self.maps, |means| {
            let (batch, channels) = means.dims2()?;
            let means = Self { maps: means.reshape((batch, 1, 1, channels))?, context: self.context.clone() };
            Ok(gates(means)?.maps.flatten(1, 3)?)
        }))
    }

    pub(super) fn stochastic_depth(&self, rate: f64) -> Result<Self> {
        self.followed_by(self.context.stochastic_depth(&self.maps, rate))
    }

    pub(super) fn global_average(&self) -> Result<Self> {
        let (batch, _, _, channels) = self.maps.dims4()?;
        self.followed_by(Ok(global_average(&self.maps)?.reshape((batch, 1, 1, channels))?))
    }

    pub(super) fn max_pool(&self, kernel: usize, stride: usize, padding: Padding) -> Result<Self> {
        self.followed_by(max_pool(&self.maps, kernel, stride, padding))
    }

    pub(super) fn average_pool_2x2(&self) -> Result<Self> {
        self.followed_by(average_pool(&self.maps, 2, 2, Padding::symmetric(0), AverageOver::Image))
    }

    /// Convolves by `weight` [out, in / groups, kh, kw], then `bias` and `norm` where there are any.
    pub(crate) fn convolution(
        &self,
        weight: &Tensor,
        convolution: &Convolution,
        (bias, norm): (Option<&Tensor>, Option<&TrainableNorm>),
        activation: Activation,
    ) -> Result<Self> {
        let (maps, mode) = (&self.maps, self.context.mode);
        self.followed_by(match (bias, norm) {
            (None, Some(norm)) => conv2d_norm(maps, weight, convolution, norm, activation, mode),
            (bias, norm) => {
                let mut y = conv2d(maps, weight, convolution)?;
                if let Some(bias) = bias {
                    y = y.broadcast_add(&bias.to_dtype(y.dtype())?)?;
                }
                match norm {
                    Some(norm) => norm.forward(&y, activation, mode),
                    None => activate(&y, activation),
                }
            }
        })
    }

    pub(crate) fn norm(&self, norm: &TrainableNorm, activation: Activation) -> Result<Self> {
        self.followed_by(norm.forward(&self.maps, activation, self.context.mode))
    }

    /// Applies `layer` to the maps, channels last before and after.
    pub(crate) fn through(&self, layer: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Self> {
        self.followed_by(layer(&self.maps))
    }

    /// Applies `layer` to the maps with channels first, and puts them last again.
    pub(crate) fn through_channels_first(&self, layer: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Self> {
        self.followed_by(channels_last(&layer(&channels_first(&self.maps)?)?))
    }

    fn followed_by(&self, maps: Result<Tensor>) -> Result<Self> {
        Ok(Self { maps: maps?, context: self.context.clone() })
    }
}
