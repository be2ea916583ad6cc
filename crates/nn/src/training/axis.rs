//! Geometry of convolution and pooling: the positions of an axis that a sliding window links.

use candle_core::Result;

use crate::Padding;

/// One tap of the kernel and the position that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) tap: usize,
    pub(super) source: usize,
}

/// A window that slides along one axis; taps that fall outside are simply not linked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) length: usize,
    pub(super) out_length: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) before: usize,
}

impl Axis {
    fn new(length: usize, kernel: usize, stride: usize, (before, after): (usize, usize)) -> Result<Self> {
        if kernel == 0 || stride == 0 {
            candle_core::bail!("a window of kernel {kernel} and stride {stride}");
        }
        match (length + before + after).checked_sub(kernel) {
            Some(rest) => Ok(Self { length, out_length: rest / stride + 1, kernel, stride, before }),
            None => candle_core::bail!("a kernel of {kernel} does not fit a length of {length} + {before} + {after}"),
        }
    }

    /// The links of each position of the output, to positions of the input.
    pub(super) fn forward(&self) -> Vec<Vec<Link>> {
        let mut links = vec![Vec::with_capacity(self.kernel); self.out_length];
        self.for_each(|tap, source, out| links[out].push(Link { tap, source }));
        links
    }

    /// The links of each position of the input, to the positions of the output that read it.
    pub(super) fn backward(&self) -> Vec<Vec<Link>> {
        let mut links = vec![Vec::with_capacity(self.kernel); self.length];
        self.for_each(|tap, source, out| links[source].push(Link { tap, source: out }));
        links
    }

    fn for_each(&self, mut link: impl FnMut(usize, usize, usize)) {
        for out in 0..self.out_length {
            for tap in 0..self.kernel {
                match (out * self.stride + tap).checked_sub(self.before) {
                    Some(source) if source < self.length => link(tap, source, out),
                    _ => {}
                }
            }
        }
    }
}

/// A window that slides over maps [N, H, W, C].
#[derive(Debug, Clone, Copy)]
pub(super) struct Sliding {
    pub(super) batch: usize,
    pub(super) channels: usize,
    pub(super) rows: Axis,
    pub(super) columns: Axis,
}

impl Sliding {
    pub(super) fn new(
        (batch, height, width, channels): (usize, usize, usize, usize),
        (kernel_height, kernel_width): (usize, usize),
        stride: usize,
        padding: Padding,
    ) -> Result<Self> {
        Ok(Self {
            batch,
            channels,
            rows: Axis::new(height, kernel_height, stride, (padding.top, padding.bottom))?,
            columns: Axis::new(width, kernel_width, stride, (padding.left, padding.right))?,
        })
    }

    /// The shape of the output, with `channels`.
    pub(super) fn output_shape(&self, channels: usize) -> (usize, usize, usize, usize) {
        (self.batch, self.rows.out_length, self.columns.out_length, channels)
    }

    /// The shape of the input.
    pub(super) fn input_shape(&self) -> (usize, usize, usize, usize) {
        (self.batch, self.rows.length, self.columns.length, self.channels)
    }
}
