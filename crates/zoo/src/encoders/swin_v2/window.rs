use candle_core::{Device, Tensor};

use crate::Result;

/// How a map of tokens is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    batch: usize,
    height: usize,
    width: usize,
    /// Side of a window.
    window: usize,
    /// How far the map is rolled up and to the left first, by rows and columns.
    shift: (usize, usize),
}

impl Windows {
    /// Windows over a map [N, H, W, C]; a map that one window covers is not shifted.
    pub(super) fn over(map: &Tensor, window: usize, shift: usize) -> Result<Self> {
        let (batch, height, width, _) = map.dims4()?;
        let along = |length: usize| if window >= length.next_multiple_of(window) { 0 } else { shift };
        Ok(Self { batch, height, width, window, shift: (along(height), along(width)) })
    }

    fn padded(&self) -> (usize, usize) {
        (self.height.next_multiple_of(self.window), self.width.next_multiple_of(self.window))
    }

    /// Windows of one frame.
    pub(super) fn count(&self) -> usize {
        let (height, width) = self.padded();
        (height / self.window) * (width / self.window)
    }

    /// Cuts the map [N, H, W, C] into windows [N * count, window * window, C]; tokens beyond the edge are zero.
    pub(super) fn cut(&self, map: &Tensor) -> Result<Tensor> {
        let (height, width) = self.padded();
        let map = map.pad_with_zeros(1, 0, height - self.height)?.pad_with_zeros(2, 0, width - self.width)?;
        let map = roll(&roll(&map, 1, self.shift.0)?, 2, self.shift.1)?;
        let (rows, columns) = (height / self.window, width / self.window);
        let cut = map.contiguous()?.reshape(vec![self.batch, rows, self.window, columns, self.window, map.dim(3)?])?;
        let cut = cut.permute(vec![0, 1, 3, 2, 4, 5])?.contiguous()?;
        Ok(cut.reshape((self.batch * rows * columns, self.window * self.window, ()))?)
    }

    /// Joins windows to the map again.
    pub(super) fn join(&self, windows: &Tensor) -> Result<Tensor> {
        let (height, width) = self.padded();
        let channels = windows.dim(2)?;
        let (rows, columns) = (height / self.window, width / self.window);
        let map = windows.reshape(vec![self.batch, rows, columns, self.window, self.window, channels])?;
        let map = map.permute(vec![0, 1, 3, 2, 4, 5])?.contiguous()?.reshape((self.batch, height, width, channels))?;
        let map = roll(&roll(&map, 1, (height - self.shift.0) % height)?, 2, (width - self.shift.1) % width)?;
        Ok(map.narrow(1, 0, self.height)?.narrow(2, 0, self.width)?.contiguous()?)
    }

    /// What is added to the scores of one frame's windows, [count, 1, window², window²]: after a shift a window at the edge
    /// holds parts of opposite sides, and those must not see each other. `None` without a shift.
    pub(super) fn mask(&self, device: &Device) -> Result<Option<Tensor>> {
        if self.shift == (0, 0) {
            return Ok(None);
        }
        let (height, width) = self.padded();
        let region = |position: usize, length: usize, shift: usize| {
            usize::from(position >= length - self.window) + usize::from(shift > 0 && position >= length - shift)
        };
        let regions = (0..height * width).map(|index| {
            let (y, x) = (index / width, index % width);
            (3 * region(y, height, self.shift.0) + region(x, width, self.shift.1)) as f32
        });
        let map = Tensor::from_iter(regions, device)?.reshape((1, height, width, 1))?;
        let whole = Self { batch: 1, height, width, shift: (0, 0), ..*self };
        let regions = whole.cut(&map)?.squeeze(2)?.to_vec2::<f32>()?;
        let tokens = self.window * self.window;
        let mut mask = Vec::with_capacity(regions.len() * tokens * tokens);
        for window in &regions {
            for own in window {
                mask.extend(window.iter().map(|other| if own == other { 0f32 } else { -100.0 }));
            }
        }
        Ok(Some(Tensor::from_vec(mask, (regions.len(), 1, tokens, tokens), device)?))
    }
}

/// Moves everything `by` places towards the start of `axis`; what falls off comes in at the end.
fn roll(x: &Tensor, axis: usize, by: usize) -> Result<Tensor> {
    if by == 0 {
        return Ok(x.clone());
    }
    let rest = x.dim(axis)? - by;
    Ok(Tensor::cat(&[x.narrow(axis, by, rest)?, x.narrow(axis, 0, by)?], axis)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_and_joining_changes_nothing() {
        for (height, width, window, shift) in [(7, 7, 8, 4), (14, 14, 8, 4), (16, 24, 8, 4), (9, 4, 4, 2), (8, 8, 4, 0)]
        {
            let map = Tensor::randn(0f32, 1.0, (2, height, width, 3), &Device::Cpu).unwrap();
            let windows = Windows::over(&map, window, shift).unwrap();
            let cut = windows.cut(&map).unwrap();
            assert_eq!(cut.dims(), [2 * windows.count(), window * window, 3]);
            let joined = windows.join(&cut).unwrap();
            let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(flat(&joined), flat(&map), "{height}x{width}");
        }
    }

    #[test]
    fn only_windows_at_the_edge_are_masked() {
        let map = Tensor::zeros((1, 8, 8, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
        let mask = Windows::over(&map, 4, 2).unwrap().mask(&Device::Cpu).unwrap().unwrap();
        let hidden = |window: usize| {
            let values = mask.get(window).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            values.iter().filter(|&&value| value != 0.0).count()
        };
        assert_eq!([hidden(0), hidden(1), hidden(2), hidden(3)], [0, 128, 128, 192]);
    }
}
