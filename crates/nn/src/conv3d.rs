use std::rc::Rc;

use candle_core::Tensor;

use crate::maps::TracedMaps;
use crate::packed_conv::PackedConv;
use crate::{
    Activation, BatchNorm, Clips, Conv2d, FeatureMaps, KernelChoice, NnError, Padding, Result, TrainingContext,
    TrainingMaps,
};

/// Strides and zero padding of a three-dimensional convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry3d {
    /// Frames from one output to the next.
    pub temporal_stride: usize,
    /// Pixels from one output to the next, in both directions.
    pub spatial_stride: usize,
    /// Frames of zeros before the first and after the last.
    pub temporal_padding: usize,
    /// Pixels of zeros on every side.
    pub spatial_padding: usize,
}

impl Geometry3d {
    /// Stride 1 and the padding with which a kernel of odd sizes keeps frames and pixels.
    pub const fn keeping(temporal_kernel: usize, spatial_kernel: usize) -> Self {
        Self {
            temporal_stride: 1,
            spatial_stride: 1,
            temporal_padding: temporal_kernel / 2,
            spatial_padding: spatial_kernel / 2,
        }
    }
}

/// A convolution over frames, rows and columns.
///
/// Neighboring frames are laid side by side as channels, so that one two-dimensional convolution does the work.
#[derive(Debug, Clone)]
pub struct Conv3d {
    conv: PackedConv,
    temporal_kernel: usize,
    geometry: Geometry3d,
}

impl Conv3d {
    /// A convolution from `weight` [out, in, kt, kh, kw], torch's layout, without bias.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn new(weight: &Tensor, geometry: Geometry3d) -> Result<Self> {
        let (out, width_in, temporal_kernel, height, width) = weight.dims5()?;
        let flat = weight.permute((0, 2, 1, 3, 4))?.contiguous()?;
        let flat = flat.reshape((out, temporal_kernel * width_in, height, width))?;
        let conv = Conv2d::new(flat, None, geometry.spatial_stride, 1);
        let conv = PackedConv::new(conv, Padding::symmetric(geometry.spatial_padding), KernelChoice::detect()?);
        Ok(Self { conv, temporal_kernel, geometry })
    }

    /// Folds the batch norm that follows into the weight.
    ///
    /// # Errors
    /// The norm has another number of channels, or the device fails.
    pub fn with_norm(self, norm: &BatchNorm) -> Result<Self> {
        Ok(Self { conv: self.conv.with_norm(norm)?, ..self })
    }

    /// Applies `activation` to the output.
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { conv: self.conv.with_activation(activation), ..self }
    }

    /// Convolves clips of `in` channels to clips of `out` channels. The CPU runtime convolves over pixels or over time,
    /// not over both at once.
    ///
    /// # Errors
    /// [`NnError::Shape`] where kernel and clip do not fit, or the runtime lacks the layer.
    pub fn over(&self, clips: &Clips) -> Result<Clips> {
        match &clips.maps {
            FeatureMaps::Eager(_) => Clips::new(&self.convolved(&clips.tensor()?, |x| self.conv.layer_by_layer(x))?),
            _ if self.is_spatial() => clips.each_frame(|maps| self.conv.over(maps)),
            FeatureMaps::Training(training) => self.over_training(training, clips.frames),
            FeatureMaps::Traced(traced) => self.over_traced(traced),
        }
    }

    fn over_traced(&self, traced: &TracedMaps) -> Result<Clips> {
        let Geometry3d { temporal_stride: stride, temporal_padding: padding, spatial_stride, .. } = self.geometry;
        if !self.conv.is_pointwise() {
            let problem = "a window over pixels and time, which the CPU kernels do not have".to_owned();
            return Err(NnError::Shape { layer: "conv3d", problem });
        }
        let window = runtime::TemporalWindow { kernel: self.temporal_kernel, stride, padding, spatial_stride };
        Clips::traced(self.conv.temporal(traced, window)?)
    }

    /// Maps of `frames` frames a clip, channels last, through the layers that have gradients.
    fn over_training(&self, training: &TrainingMaps, frames: usize) -> Result<Clips> {
        let (all, height, width, channels) = training.channels_last().dims4()?;
        let mut frames_out = frames;
        let neighbors = training.through(|maps| {
            let clips = maps.reshape((all / frames, frames, height, width, channels))?;
            let clips = self.neighbors_as_channels(&clips, 4)?;
            frames_out = clips.dim(1)?;
            Ok(clips.flatten(0, 1)?)
        })?;
        Ok(Clips { maps: self.conv.over(&FeatureMaps::Training(neighbors))?, frames: frames_out })
    }

    /// Convolves `x` [B, T, in, H, W] to [B, T', out, H', W'], by the CPU kernels if they are chosen
    /// (`ECHOLABEL_KERNELS`).
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.convolved(x, |x| self.conv.forward(x))
    }

    /// Convolves as [`Self::forward`], on Candle's autograd graph; the output is of the type of `x`.
    ///
    /// # Errors
    /// As for [`Self::forward`].
    pub fn forward_training(&self, x: &Tensor, context: &Rc<TrainingContext>) -> Result<Tensor> {
        Ok(self.over(&Clips::training(x, context)?)?.tensor()?.to_dtype(x.dtype())?)
    }

    fn is_spatial(&self) -> bool {
        let Geometry3d { temporal_stride, temporal_padding, .. } = self.geometry;
        self.temporal_kernel == 1 && temporal_stride == 1 && temporal_padding == 0
    }

    fn convolved(&self, x: &Tensor, convolve: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let x = self.neighbors_as_channels(x, 2)?;
        let (batch, frames, channels, height, width) = x.dims5()?;
        let x = x.reshape((batch * frames, channels, height, width))?;
        let y = convolve(&x)?;
        let (_, out, height, width) = y.dims4()?;
        Ok(y.reshape((batch, frames, out, height, width))?)
    }

    /// Maps [B, T, ..., C, ...] to [B, T', ..., kt * C, ...], where the channels are axis `channels`.
    fn neighbors_as_channels(&self, x: &Tensor, channels: usize) -> Result<Tensor> {
        let Geometry3d { temporal_stride: stride, temporal_padding: padding, .. } = self.geometry;
        if self.is_spatial() {
            return Ok(x.clone());
        }
        let padded = x.pad_with_zeros(1, padding, padding)?;
        let length = padded.dim(1)?;
        let Some(last_start) = length.checked_sub(self.temporal_kernel) else {
            let problem = format!("a kernel of {} frames does not fit a clip of {length}", self.temporal_kernel);
            return Err(NnError::Shape { layer: "conv3d", problem });
        };
        let neighbors = (0..self.temporal_kernel).map(|tap| {
            let frames: Vec<u32> = (tap..=last_start + tap).step_by(stride).map(|frame| frame as u32).collect();
            padded.index_select(&Tensor::new(frames, x.device())?, 1)
        });
        Ok(Tensor::cat(&neighbors.collect::<candle_core::Result<Vec<_>>>()?, channels)?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::seeded;
    use crate::training::finite_differences::{assert_gradients, largest_difference};

    #[test]
    fn equals_a_plain_loop() {
        let geometry = Geometry3d { temporal_stride: 2, spatial_stride: 1, temporal_padding: 1, spatial_padding: 1 };
        let (frames, height, width) = (5, 4, 3);
        let x = seeded::normal(1, (1, frames, 2, height, width), DType::F32);
        let weight = seeded::normal(2, (3, 2, 3, 3, 3), DType::F32);
        let y = Conv3d::new(&weight, geometry).unwrap().forward(&x).unwrap();
        assert_eq!(y.dims(), [1, 3, 3, height, width]);
        let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let (pixels, taps, ours) = (flat(&x), flat(&weight), flat(&y));
        for (index, value) in ours.iter().enumerate() {
            let (column, row) = (index % width, index / width % height);
            let (channel, frame) = (index / (width * height) % 3, index / (width * height * 3));
            let mut expected = 0.0;
            for tap in 0..2 * 27 {
                let (dx, dy, dt, from) = (tap % 3, tap / 3 % 3, tap / 9 % 3, tap / 27);
                let (t, y, x) = (2 * frame + dt, row + dy, column + dx);
                let inside = (1..=frames).contains(&t) && (1..=height).contains(&y) && (1..=width).contains(&x);
                if inside {
                    let pixel = (((t - 1) * 2 + from) * height + y - 1) * width + x - 1;
                    expected += pixels[pixel] * taps[channel * 54 + tap];
                }
            }
            assert!((value - expected).abs() < 1e-4, "{index}: {value} {expected}");
        }
    }

    #[test]
    fn while_it_learns_it_gives_the_same_and_gradients_are_those_of_finite_differences() {
        let context = TrainingContext::training(0);
        let keeping = Geometry3d::keeping(3, 1);
        for (kernel, geometry) in [
            ([3, 1, 1], keeping),
            ([3, 1, 1], Geometry3d { temporal_stride: 2, spatial_stride: 2, ..keeping }),
            ([3, 3, 3], Geometry3d { temporal_stride: 2, ..Geometry3d::keeping(3, 3) }),
            ([1, 3, 3], Geometry3d { spatial_stride: 2, ..Geometry3d::keeping(1, 3) }),
            ([1, 1, 1], Geometry3d { temporal_stride: 2, spatial_stride: 2, ..Geometry3d::keeping(1, 1) }),
        ] {
            let x = seeded::normal(1, (2, 5, 2, 4, 3), DType::F64);
            let weight = seeded::normal(2, [[3, 2].as_slice(), &kernel].concat(), DType::F64);
            let convolved =
                |inputs: &[Tensor]| Conv3d::new(&inputs[1], geometry)?.forward_training(&inputs[0], &context);
            let plain = Conv3d::new(&weight, geometry).unwrap().over(&Clips::new(&x).unwrap()).unwrap();
            let difference =
                largest_difference(&convolved(&[x.clone(), weight.clone()]).unwrap(), &plain.tensor().unwrap());
            assert!(difference < 1e-12, "{kernel:?}: {difference}");
            assert_gradients(&[&x, &weight], convolved);
        }
    }

    #[test]
    fn a_clip_shorter_than_the_kernel_is_refused() {
        let weight = Tensor::ones((1, 1, 3, 1, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
        let geometry = Geometry3d { temporal_padding: 0, ..Geometry3d::keeping(3, 1) };
        let x = Tensor::ones((1, 2, 1, 4, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(Conv3d::new(&weight, geometry).unwrap().forward(&x).is_err());
    }
}
