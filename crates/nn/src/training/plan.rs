//! Arithmetic of convolution and of its gradients, by the algorithm that suits the shapes.

use candle_core::{Result, Tensor};

use super::axis::Sliding;
use super::depthwise;
use super::settings::Convolution;
use super::unfold::{Channels, fold, unfold};
use crate::Padding;

/// Algorithm of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    /// One matrix product over all pixels.
    Pointwise,
    /// One filter per channel.
    Depthwise,
    /// Unfolded (im2col) to a matrix product per group.
    Unfolded { groups: usize },
}

/// A convolution of known shapes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) sliding: Sliding,
    pub(super) out_channels: usize,
    algorithm: Algorithm,
}

impl Plan {
    pub(super) fn new(x: &Tensor, weight: &Tensor, convolution: &Convolution) -> Result<Self> {
        let (_, _, _, channels) = x.dims4()?;
        let (out_channels, in_per_group, kernel_height, kernel_width) = weight.dims4()?;
        let Convolution { stride, padding, groups } = *convolution;
        if groups == 0 || in_per_group * groups != channels || !out_channels.is_multiple_of(groups) {
            candle_core::bail!("weight {:?} in {groups} groups over {channels} channels", weight.shape());
        }
        let sliding = Sliding::new(x.dims4()?, (kernel_height, kernel_width), stride, padding)?;
        let single_tap = kernel_height == 1 && kernel_width == 1 && stride == 1 && padding == Padding::symmetric(0);
        let algorithm = match groups {
            1 if single_tap => Algorithm::Pointwise,
            _ if groups == channels && out_channels == channels => Algorithm::Depthwise,
            groups => Algorithm::Unfolded { groups },
        };
        Ok(Self { sliding, algorithm, out_channels })
    }

    /// Positions of the window in the whole batch.
    fn positions(&self) -> usize {
        self.sliding.batch * self.sliding.rows.out_length * self.sliding.columns.out_length
    }

    fn taps(&self) -> usize {
        self.sliding.rows.kernel * self.sliding.columns.kernel
    }

    /// The output [N, H', W', out]; nothing is recorded.
    pub(super) fn product(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let shape = self.sliding.output_shape(self.out_channels);
        match self.algorithm {
            Algorithm::Depthwise => depthwise::convolve(x, &self.depthwise_taps(weight)?, &self.sliding),
            Algorithm::Pointwise => {
                let pixels = x.reshape((self.positions(), self.sliding.channels))?;
                pixels.matmul(&self.filters(weight)?.t()?)?.reshape(shape)
            }
            Algorithm::Unfolded { groups } => {
                let filters = self.filters(weight)?;
                let out = self.out_channels / groups;
                let outputs: Vec<Tensor> = (0..groups)
                    .map(|group| {
                        let unfolded = unfold(x, &self.sliding, self.group_channels(group, groups))?;
                        unfolded.matmul(&filters.narrow(0, group * out, out)?.t()?)
                    })
                    .collect::<Result<_>>()?;
                Tensor::cat(&outputs, 1)?.reshape(shape)
            }
        }
    }

    /// The gradients of the input and the weight from that of the output.
    pub(super) fn gradients(&self, x: &Tensor, weight: &Tensor, gradient: &Tensor) -> Result<(Tensor, Tensor)> {
        let (x, gradient) = (&x.detach(), &gradient.contiguous()?);
        let weight = &weight.detach();
        match self.algorithm {
            Algorithm::Depthwise => {
                let taps = depthwise::tap_gradient(x, gradient, &self.sliding)?;
                let x_gradient = depthwise::input_gradient(gradient, &self.depthwise_taps(weight)?, &self.sliding)?;
                Ok((x_gradient, taps.t()?.reshape(weight.shape())?))
            }
            Algorithm::Pointwise => {
                let pixels = x.reshape((self.positions(), self.sliding.channels))?;
                let gradient = gradient.reshape((self.positions(), self.out_channels))?;
                let weight_gradient = gradient.t()?.matmul(&pixels)?;
                let x_gradient = gradient.matmul(&self.filters(weight)?)?;
                Ok((x_gradient.reshape(x.shape())?, weight_gradient.reshape(weight.shape())?))
            }
            Algorithm::Unfolded { groups } => self.unfolded_gradients(x, weight, gradient, groups),
        }
    }

    fn unfolded_gradients(
        &self,
        x: &Tensor,
        weight: &Tensor,
        gradient: &Tensor,
        groups: usize,
    ) -> Result<(Tensor, Tensor)> {
        let filters = self.filters(weight)?;
        let gradient = gradient.reshape((self.positions(), self.out_channels))?;
        let out = self.out_channels / groups;
        let (mut x_gradients, mut filter_gradients) = (Vec::new(), Vec::new());
        for group in 0..groups {
            let channels = self.group_channels(group, groups);
            let gradient = gradient.narrow(1, group * out, out)?.contiguous()?;
            let unfolded = unfold(x, &self.sliding, channels)?;
            filter_gradients.push(gradient.t()?.matmul(&unfolded)?);
            let unfolded_gradient = gradient.matmul(&filters.narrow(0, group * out, out)?)?;
            x_gradients.push(fold(&unfolded_gradient, &self.sliding, channels)?);
        }
        let (_, in_per_group, kernel_height, kernel_width) = weight.dims4()?;
        let weight_gradient = Tensor::cat(&filter_gradients, 0)?
            .reshape((self.out_channels, kernel_height, kernel_width, in_per_group))?
            .permute((0, 3, 1, 2))?
            .contiguous()?;
        Ok((Tensor::cat(&x_gradients, 3)?, weight_gradient))
    }

    fn group_channels(&self, group: usize, groups: usize) -> Channels {
        let count = self.sliding.channels / groups;
        Channels { first: group * count, count }
    }

    /// The weight [C, 1, kh, kw] as [kh * kw, C], so that a tap of all channels is one run of memory.
    fn depthwise_taps(&self, weight: &Tensor) -> Result<Tensor> {
        weight.reshape((self.out_channels, self.taps()))?.t()?.contiguous()
    }

    /// The weight [out, in, kh, kw] as [out, kh * kw * in], in the order of an unfolded row.
    fn filters(&self, weight: &Tensor) -> Result<Tensor> {
        let inputs = weight.elem_count() / self.out_channels;
        weight.permute((0, 2, 3, 1))?.contiguous()?.reshape((self.out_channels, inputs))
    }
}
