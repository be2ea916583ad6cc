use std::cell::RefCell;
use std::rc::Rc;

use candle_core::Tensor;
use runtime::{Convolution, Map, NetworkBuilder, TemporalConvolution, TemporalWindow, Window};

use crate::{Activation, Padding, Result};

/// Node of a graph that is being traced.
#[derive(Clone)]
pub struct TracedMaps {
    graph: Rc<RefCell<NetworkBuilder>>,
    map: Map,
}

impl TracedMaps {
    /// Starts a trace at a node of a graph: its input.
    pub(super) fn new(builder: NetworkBuilder, map: Map) -> Self {
        Self { graph: Rc::new(RefCell::new(builder)), map }
    }

    /// Returns the graph and this node of it, unless another handle of the graph is left.
    pub(super) fn finish(self) -> Option<(NetworkBuilder, Map)> {
        let map = self.map;
        Rc::into_inner(self.graph).map(|graph| (graph.into_inner(), map))
    }

    pub(super) fn size(&self) -> Result<(usize, usize, usize)> {
        let shape = self.graph.borrow().shape(self.map)?;
        Ok((shape.channels, shape.height, shape.width))
    }

    /// Returns the frames of a clip.
    pub(crate) fn frames(&self) -> Result<usize> {
        Ok(self.graph.borrow().frames(self.map)?)
    }

    pub(super) fn activation(&self, activation: Activation) -> Result<Self> {
        self.add_node(|graph| graph.activation(self.map, activation))
    }

    pub(super) fn add(&self, other: &Self, activation: Activation) -> Result<Self> {
        self.add_node(|graph| graph.add(self.map, other.map, activation))
    }

    pub(super) fn concatenate(&self, other: &Self) -> Result<Self> {
        self.add_node(|graph| graph.concatenate(&[self.map, other.map]))
    }

    pub(super) fn scale(&self, gates: &Self) -> Result<Self> {
        self.add_node(|graph| graph.scale(self.map, gates.map))
    }

    pub(super) fn global_average(&self) -> Result<Self> {
        self.add_node(|graph| graph.global_average(self.map))
    }

    pub(super) fn max_pool(&self, kernel: usize, stride: usize, padding: Padding) -> Result<Self> {
        self.add_node(|graph| graph.max_pool(self.map, Window { kernel, stride, padding }))
    }

    pub(super) fn average_pool_2x2(&self) -> Result<Self> {
        self.add_node(|graph| graph.average_pool(self.map, 2, 2))
    }

    pub(super) fn prepend_token(&self, terms: &Tensor) -> Result<Self> {
        let terms = numbers(terms)?;
        self.add_node(|graph| graph.prepend_token(self.map, &terms))
    }

    pub(super) fn pixels(&self, first: usize, size: (usize, usize)) -> Result<Self> {
        self.add_node(|graph| graph.pixels(self.map, first, size))
    }

    /// Adds attention between pixels.
    pub(crate) fn attention(&self, attention: runtime::Attention<'_>) -> Result<Self> {
        self.add_node(|graph| graph.attention(self.map, attention))
    }

    /// Adds a convolution with weights as [`crate::Conv2d`] keeps them; `depthwise` for one filter a channel.
    pub(crate) fn convolution(&self, layer: &TracedConvolution<'_>) -> Result<Self> {
        let weight = numbers(layer.weight)?;
        let bias = layer.bias.map(numbers).transpose()?.unwrap_or_default();
        let convolution = Convolution {
            weight: &weight,
            bias: &bias,
            channels_out: layer.weight.dim(0)?,
            window: Window { kernel: layer.weight.dim(2)?, stride: layer.stride, padding: layer.padding },
            activation: layer.activation,
        };
        self.add_node(|graph| match layer.depthwise {
            true => graph.depthwise(self.map, convolution),
            false => graph.convolution(self.map, convolution),
        })
    }

    /// Adds a temporal convolution with weights [out, kernel * in, 1, 1], the channels of one frame after those of another.
    pub(crate) fn temporal_convolution(&self, layer: &TracedConvolution<'_>, window: TemporalWindow) -> Result<Self> {
        let weight = numbers(layer.weight)?;
        let bias = layer.bias.map(numbers).transpose()?.unwrap_or_default();
        let (channels_out, activation) = (layer.weight.dim(0)?, layer.activation);
        let convolution = TemporalConvolution { weight: &weight, bias: &bias, channels_out, window, activation };
        self.add_node(|graph| graph.temporal_convolution(self.map, convolution))
    }

    /// Adds a factor and a term for each channel, then an activation.
    pub(crate) fn affine(&self, scale: &Tensor, shift: &Tensor, activation: Activation) -> Result<Self> {
        let (scale, shift) = (numbers(scale)?, numbers(shift)?);
        self.add_node(|graph| graph.affine(self.map, &scale, &shift, activation))
    }

    /// Adds a layer norm over the channels of each pixel.
    pub(crate) fn layer_norm(&self, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Self> {
        let (weight, bias) = (numbers(weight)?, numbers(bias)?);
        self.add_node(|graph| graph.layer_norm(self.map, &weight, &bias, eps as f32))
    }

    fn add_node(&self, add: impl FnOnce(&mut NetworkBuilder) -> runtime::Result<Map>) -> Result<Self> {
        let map = add(&mut self.graph.borrow_mut())?;
        Ok(Self { graph: self.graph.clone(), map })
    }
}

/// Convolution that is to be traced.
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
