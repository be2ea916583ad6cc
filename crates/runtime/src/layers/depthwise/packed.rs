use crate::buffer::Buffer;
use crate::shape::Window;
use crate::simd::CHANNEL_GROUP;

/// Weights [kernel, kernel, channels] and bias of a depthwise convolution, channels padded with zeros.
pub(crate) struct PackedDepthwise {
    pub(crate) window: Window,
    pub(crate) channels: usize,
    pub(crate) weights: Buffer,
    pub(crate) bias: Buffer,
}

impl PackedDepthwise {
    /// Packs weights [channels, kernel, kernel].
    pub(crate) fn new(window: Window, channels: usize, weight: &[f32], bias: &[f32]) -> Self {
        let padded = channels.next_multiple_of(CHANNEL_GROUP);
        let taps = window.kernel * window.kernel;
        let mut weights = Buffer::zeroed(taps * padded);
        for (channel, weight) in weight.chunks_exact(taps).enumerate() {
            for (tap, &weight) in weight.iter().enumerate() {
                weights.as_mut_slice()[tap * padded + channel] = weight;
            }
        }
        let mut padded_bias = Buffer::zeroed(padded);
        padded_bias.as_mut_slice()[..bias.len()].copy_from_slice(bias);
        Self { window, channels: padded, weights, bias: padded_bias }
    }

    /// Returns the length of scratch memory that [`super::depthwise_rows`] needs for an output of this width.
    pub(crate) fn scratch(&self, output_width: usize) -> usize {
        self.scratch_with_kept(output_width, CHANNEL_GROUP)
    }

    /// Returns the length of scratch memory where input rows of so many channels are kept from one call to the next.
    pub(crate) fn scratch_with_kept(&self, output_width: usize, channels: usize) -> usize {
        self.window.kernel * self.row_width(output_width) * channels + output_width * CHANNEL_GROUP
    }

    /// Returns the pixels of a padded input row that are used.
    pub(crate) fn row_width(&self, output_width: usize) -> usize {
        (output_width - 1) * self.window.stride + self.window.kernel
    }
}
