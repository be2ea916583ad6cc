use crate::simd::CHANNEL_GROUP;
use crate::{Result, RuntimeError};

/// Shape of a map: channels, rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapShape {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl MapShape {
    /// Creates the shape of so many channels, rows and columns.
    pub fn new(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }

    /// Returns rows times columns.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Returns the numbers of a frame.
    pub fn numbers(&self) -> usize {
        self.channels * self.pixels()
    }

    /// Returns the channels with their padding.
    pub(crate) fn padded_channels(&self) -> usize {
        self.channels.next_multiple_of(CHANNEL_GROUP)
    }
}

/// Padding around a map under a window, in pixels: zeros, or minus infinity for a maximum. All sides differ, because
/// TensorFlow's "same" is asymmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns on the left.
    pub left: usize,
    /// Columns on the right.
    pub right: usize,
}

impl Padding {
    /// Pads each side by as many pixels, as PyTorch does.
    pub const fn symmetric(each_side: usize) -> Self {
        Self { top: each_side, bottom: each_side, left: each_side, right: each_side }
    }

    /// Pads as TensorFlow's and Keras' "same": the output has `ceil(input / stride)` rows and columns, and an odd pixel of
    /// padding goes below and to the right.
    pub fn same(height: usize, width: usize, kernel: usize, stride: usize) -> Self {
        let total =
            |length: usize| (length.div_ceil(stride).saturating_sub(1) * stride + kernel).saturating_sub(length);
        let (rows, columns) = (total(height), total(width));
        Self { top: rows / 2, bottom: rows - rows / 2, left: columns / 2, right: columns - columns / 2 }
    }
}

/// Square window that slides over a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the window.
    pub kernel: usize,
    /// Rows and columns from one position to the next.
    pub stride: usize,
    /// Padding around the map.
    pub padding: Padding,
}

impl Window {
    /// Creates a window of one pixel.
    pub fn pointwise() -> Self {
        Self { kernel: 1, stride: 1, padding: Padding::default() }
    }

    /// Creates a window with as much padding on each side.
    pub fn symmetric(kernel: usize, stride: usize, each_side: usize) -> Self {
        Self { kernel, stride, padding: Padding::symmetric(each_side) }
    }

    /// Returns rows and columns of the output over a map of `input`'s size. `layer` names the layer in the error.
    pub(crate) fn output(&self, layer: &'static str, input: MapShape) -> Result<(usize, usize)> {
        let Self { kernel, stride, padding } = *self;
        let shape = |problem: String| RuntimeError::Shape { layer, problem };
        if kernel == 0 || stride == 0 {
            return Err(shape(format!("a window of kernel {kernel} and stride {stride}")));
        }
        if [padding.top, padding.bottom, padding.left, padding.right].iter().any(|&side| side >= kernel) {
            return Err(shape(format!("padding {padding:?} is not below the kernel {kernel}")));
        }
        let length = |length: usize| (length >= kernel).then(|| (length - kernel) / stride + 1);
        let height = length(input.height + padding.top + padding.bottom);
        let width = length(input.width + padding.left + padding.right);
        height.zip(width).ok_or_else(|| shape(format!("a window of {kernel} does not fit into {input:?}")))
    }
}

/// Window that slides over the frames of a clip, one pixel of each frame at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemporalWindow {
    /// Frames of the window.
    pub kernel: usize,
    /// Frames from one position to the next.
    pub stride: usize,
    /// Frames of zeros before the first and after the last.
    pub padding: usize,
    /// Rows and columns from one pixel that is read to the next.
    pub spatial_stride: usize,
}

impl TemporalWindow {
    /// Returns frames, rows and columns of the output over so many frames of `input`'s size. `layer` names the layer in the error.
    pub(crate) fn output(
        &self,
        layer: &'static str,
        frames: usize,
        input: MapShape,
    ) -> Result<(usize, (usize, usize))> {
        let Self { kernel, stride, padding, spatial_stride } = *self;
        let length = frames + 2 * padding;
        if kernel == 0 || stride == 0 || spatial_stride == 0 || padding >= kernel || length < kernel {
            return Err(RuntimeError::Shape { layer, problem: format!("{self:?} over {frames} frames") });
        }
        let size = (input.height.div_ceil(spatial_stride), input.width.div_ceil(spatial_stride));
        Ok(((length - kernel) / stride + 1, size))
    }

    /// Returns the frames of a clip under the window of one output frame, and how many of the window's are before the first.
    pub(crate) fn under(&self, output_frame: usize, frames: usize) -> (std::ops::Range<usize>, usize) {
        let start = output_frame * self.stride;
        let end = (start + self.kernel - self.padding).min(frames);
        (start.saturating_sub(self.padding)..end, self.padding.saturating_sub(start))
    }
}
