use std::cell::RefCell;
use std::rc::Rc;

use candle_core::{DType, Tensor};

use crate::training::{
    AverageOver, Convolution, DropGenerator, Mode, TrainableNorm, activate, average_pool, channels_first,
    channels_last, conv2d, conv2d_norm, gate_channels, global_average, max_pool, scale_channels,
};
use crate::{Activation, FeatureMaps, NnError, Padding, Result};

/// What layers need to know while a network learns: how norms behave, and what is left out at random.
#[derive(Debug)]
pub struct TrainingContext {
    mode: Mode,
    /// What maps are made of where not of what the frames are.
    of_maps: Option<DType>,
    drops: RefCell<DropGenerator>,
}

impl TrainingContext {
    /// A step of learning; `seed` decides what dropout and stochastic depth leave out.
    pub fn training(seed: u64) -> Rc<Self> {
        Self::of(Mode::Train, None, seed)
    }

    /// A step of learning with maps of `kind`, half precision for instance; weights and norms stay as they are.
    pub fn training_in(seed: u64, kind: DType) -> Rc<Self> {
        Self::of(Mode::Train, Some(kind), seed)
    }

    /// A look at what was learned: norms use their running statistics and nothing is left out.
    pub fn evaluation() -> Rc<Self> {
        Self::of(Mode::Evaluate, None, 0)
    }

    fn of(mode: Mode, of_maps: Option<DType>, seed: u64) -> Rc<Self> {
        Rc::new(Self { mode, of_maps, drops: RefCell::new(DropGenerator::new(seed)) })
    }

    /// How norms behave.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Leaves out numbers of `x` with probability `rate` while learning.
    pub fn dropout(&self, x: &Tensor, rate: f64) -> Result<Tensor> {
        match self.mode {
            Mode::Train => self.drops.borrow_mut().dropout(x, rate),
            Mode::Evaluate => Ok(x.clone()),
        }
    }

    fn stochastic_depth(&self, x: &Tensor, rate: f64) -> Result<Tensor> {
        match self.mode {
            Mode::Train => self.drops.borrow_mut().stochastic_depth(x, rate),
            Mode::Evaluate => Ok(x.clone()),
        }
    }
}

/// Feature maps on Candle's graph, channels last [N, H, W, C], through layers that have gradients.
#[derive(Clone)]
pub struct TrainingMaps {
    maps: Tensor,
    lesson: Rc<TrainingContext>,
}

impl TrainingMaps {
    /// Frames [N, 3, H, W] at the head of a network that learns.
    pub fn frames(frames: &Tensor, lesson: &Rc<TrainingContext>) -> Result<Self> {
        let maps = channels_last(&frames.to_dtype(lesson.of_maps.unwrap_or(frames.dtype()))?)?;
        Ok(Self { maps, lesson: lesson.clone() })
    }

    /// The numbers, channels last.
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

    pub(super) fn gate(&self, gates: impl FnOnce(&FeatureMaps) -> Result<FeatureMaps>) -> Result<Self> {
        self.followed_by(gate_channels(&self.maps, |means| {
            let (batch, channels) = means.dims2()?;
            let means = Self { maps: means.reshape((batch, 1, 1, channels))?, lesson: self.lesson.clone() };
            match gates(&FeatureMaps::Training(means))? {
                FeatureMaps::Training(gates) => Ok(gates.maps.flatten(1, 3)?),
                _ => Err(NnError::OnlyTraced),
            }
        }))
    }

    pub(super) fn stochastic_depth(&self, rate: f64) -> Result<Self> {
        self.followed_by(self.lesson.stochastic_depth(&self.maps, rate))
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

    /// A convolution by `weight` [out, in / groups, kh, kw], then `bias` and `norm` where there are any.
    pub(crate) fn convolution(
        &self,
        weight: &Tensor,
        convolution: &Convolution,
        (bias, norm): (Option<&Tensor>, Option<&TrainableNorm>),
        activation: Activation,
    ) -> Result<Self> {
        let (maps, mode) = (&self.maps, self.lesson.mode);
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
        self.followed_by(norm.forward(&self.maps, activation, self.lesson.mode))
    }

    /// What `layer` makes of the maps, channels last before and after.
    pub(crate) fn through(&self, layer: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Self> {
        self.followed_by(layer(&self.maps))
    }

    /// What layers of Candle's own make of the maps, channels first in between.
    pub(crate) fn by_plain_layers(
        &self,
        layers: impl FnOnce(&FeatureMaps) -> Result<FeatureMaps>,
    ) -> Result<FeatureMaps> {
        let maps = layers(&FeatureMaps::Eager(channels_first(&self.maps)?))?;
        Ok(FeatureMaps::Training(self.followed_by(channels_last(maps.tensor()?))?))
    }

    fn followed_by(&self, maps: Result<Tensor>) -> Result<Self> {
        Ok(Self { maps: maps?, lesson: self.lesson.clone() })
    }
}
