use std::cell::RefCell;
use std::rc::Rc;

use candle_core::Tensor;
use runtime::{Convolution, Map, NetworkBuilder, TemporalConvolution, TemporalWindow, Window};

use crate::{Activation, Padding, Result};

/// One place in a network that is being traced down.
#[derive(Clone)]
pub struct TracedMaps {
    sheet: Rc<RefCell<NetworkBuilder>>,
    map: Map,
}

impl TracedMaps {
    /// The frames at the head of a blank sheet.
    pub(super) fn head_of(builder: NetworkBuilder, map: Map) -> Self {
        Self { sheet: Rc::new(RefCell::new(builder)), map }
    }

    /// The sheet itself, if nobody else still writes on it, and the place on it.
    pub(super) fn finish(self) -> Option<(NetworkBuilder, Map)> {
        let map = self.map;
        Rc::into_inner(self.sheet).map(|sheet| (sheet.into_inner(), map))
    }

    pub(super) fn size(&self) -> Result<(usize, usize, usize)> {
        let shape = self.sheet.borrow().shape(self.map)?;
        Ok((shape.channels, shape.height, shape.width))
    }

    /// Frames of a clip.
    pub(crate) fn frames(&self) -> Result<usize> {
        Ok(self.sheet.borrow().frames(self.map)?)
    }

    pub(super) fn activation(&self, activation: Activation) -> Result<Self> {
        self.traced(|sheet| sheet.activation(self.map, activation.into()))
    }

    pub(super) fn add(&self, other: &Self, activation: Activation) -> Result<Self> {
        self.traced(|sheet| sheet.add(self.map, other.map, activation.into()))
    }

    pub(super) fn concatenate(&self, other: &Self) -> Result<Self> {
        self.traced(|sheet| sheet.concatenate(&[self.map, other.map]))
    }

    pub(super) fn scale(&self, gates: &Self) -> Result<Self> {
        self.traced(|sheet| sheet.scale(self.map, gates.map))
    }

    pub(super) fn global_average(&self) -> Result<Self> {
        self.traced(|sheet| sheet.global_average(self.map))
    }

    pub(super) fn max_pool(&self, kernel: usize, stride: usize, padding: Padding) -> Result<Self> {
        self.traced(|sheet| sheet.max_pool(self.map, Window { kernel, stride, padding: padding.into() }))
    }

    pub(super) fn average_pool_2x2(&self) -> Result<Self> {
        self.traced(|sheet| sheet.average_pool(self.map, 2, 2))
    }

    pub(super) fn prepend_token(&self, terms: &Tensor) -> Result<Self> {
        let terms = numbers(terms)?;
        self.traced(|sheet| sheet.prepend_token(self.map, &terms))
    }

    pub(super) fn pixels(&self, first: usize, size: (usize, usize)) -> Result<Self> {
        self.traced(|sheet| sheet.pixels(self.map, first, size))
    }

    /// Attention between pixels.
    pub(crate) fn attention(&self, attention: runtime::Attention<'_>) -> Result<Self> {
        self.traced(|sheet| sheet.attention(self.map, attention))
    }

    /// A convolution with weights as [`crate::Conv2d`] keeps them; `depthwise` for one filter a channel.
    pub(crate) fn convolution(&self, layer: &TracedConvolution<'_>) -> Result<Self> {
        let weight = numbers(layer.weight)?;
        let bias = layer.bias.map(numbers).transpose()?.unwrap_or_default();
        let convolution = Convolution {
            weight: &weight,
            bias: &bias,
            channels_out: layer.weight.dim(0)?,
            window: Window { kernel: layer.weight.dim(2)?, stride: layer.stride, padding: layer.padding.into() },
            activation: layer.activation.into(),
        };
        self.traced(|sheet| match layer.depthwise {
            true => sheet.depthwise(self.map, convolution),
            false => sheet.convolution(self.map, convolution),
        })
    }

    /// A convolution over time with weights [out, kernel * in, 1, 1], the channels of one frame after those of another.
    pub(crate) fn temporal_convolution(&self, layer: &TracedConvolution<'_>, window: TemporalWindow) -> Result<Self> {
        let weight = numbers(layer.weight)?;
        let bias = layer.bias.map(numbers).transpose()?.unwrap_or_default();
        let (channels_out, activation) = (layer.weight.dim(0)?, layer.activation.into());
        let convolution = TemporalConvolution { weight: &weight, bias: &bias, channels_out, window, activation };
        self.traced(|sheet| sheet.temporal_convolution(self.map, convolution))
    }

    /// A factor and a term for each channel, then an activation.
    pub(crate) fn affine(&self, scale: &Tensor, shift: &Tensor, activation: Activation) -> Result<Self> {
        let (scale, shift) = (numbers(scale)?, numbers(shift)?);
        self.traced(|sheet| sheet.affine(self.map, &scale, &shift, activation.into()))
    }

    /// The channels of each pixel brought to mean 0 and variance 1, then scaled and shifted.
    pub(crate) fn layer_norm(&self, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Self> {
        let (weight, bias) = (numbers(weight)?, numbers(bias)?);
        self.traced(|sheet| sheet.layer_norm(self.map, &weight, &bias, eps as f32))
    }

    fn traced(&self, note: impl FnOnce(&mut NetworkBuilder) -> runtime::Result<Map>) -> Result<Self> {
        let map = note(&mut self.sheet.borrow_mut())?;
        Ok(Self { sheet: self.sheet.clone(), map })
    }
}

/// A convolution to be traced down.
pub(crate) struct TracedConvolution<'a> {
    /// [out, in, kernel, kernel], or [channels, 1, kernel, kernel].
    pub weight: &'a Tensor,
    /// [out].
    pub bias: Option<&'a Tensor>,
    pub stride: usize,
    pub padding: Padding,
    pub depthwise: bool,
    pub activation: Activation,
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

impl From<Activation> for runtime::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Identity => Self::Identity,
            Activation::Relu => Self::Relu,
            Activation::Silu => Self::Silu,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Gelu => Self::Gelu,
        }
    }
}

impl From<Padding> for runtime::Padding {
    fn from(Padding { top, left, bottom, right }: Padding) -> Self {
        Self { top, bottom, left, right }
    }
}
