use runtime::TokenWindow;

/// Division of a map into windows within which tokens attend to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// One over the whole map.
    Whole,
    /// Squares of `side` x `side` tokens that begin `shift` tokens below and right of the map's corner (Liu et al.,
    /// "Swin Transformer", ICCV 2021). Those at the lower and right edge hold what is beyond it, then the rows and
    /// columns that the shift left out. A side that one window covers is not shifted.
    Shifted {
        /// Tokens on a side.
        side: usize,
        /// Tokens from the corner.
        shift: usize,
    },
}

impl Windows {
    /// The windows over a map of `height` x `width` tokens.
    pub(crate) fn over(self, height: usize, width: usize) -> Vec<TokenWindow> {
        let Self::Shifted { side, shift } = self else {
            return vec![TokenWindow { pixels: (0..height * width).map(Some).collect(), regions: Vec::new() }];
        };
        let rows = Places::along(height, side, shift);
        let columns = Places::along(width, side, shift);
        let is_shifted = rows.shift > 0 || columns.shift > 0;
        let count = (rows.padded / side) * (columns.padded / side);
        let tokens = |window: usize| {
            let (top, left) = (window / (columns.padded / side) * side, window % (columns.padded / side) * side);
            (0..side * side).map(move |token| (top + token / side, left + token % side))
        };
        let window = |index: usize| {
            let pixel = |(y, x)| Some(rows.place(y)? * width + columns.place(x)?);
            let region = |(y, x)| 3 * rows.region(y) + columns.region(x);
            TokenWindow {
                pixels: tokens(index).map(pixel).collect(),
                regions: if is_shifted { tokens(index).map(region).collect() } else { Vec::new() },
            }
        };
        (0..count).map(window).collect()
    }
}

/// The rows of a map in the order of its windows, or the columns.
#[derive(Debug, Clone, Copy)]
struct Places {
    length: usize,
    /// The length that windows cover.
    padded: usize,
    side: usize,
    shift: usize,
}

impl Places {
    fn along(length: usize, side: usize, shift: usize) -> Self {
        let padded = length.next_multiple_of(side);
        Self { length, padded, side, shift: if side >= padded { 0 } else { shift } }
    }

    /// Returns the map's row of the windows' `index`-th row, or `None` beyond the edge.
    fn place(&self, index: usize) -> Option<usize> {
        Some((index + self.shift) % self.padded).filter(|&place| place < self.length)
    }

    /// Rows of different regions are not neighbors in the map, though they may be in one window.
    fn region(&self, index: usize) -> u8 {
        u8::from(index + self.side >= self.padded) + u8::from(self.shift > 0 && index + self.shift >= self.padded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_is_in_one_window() {
        for (height, width, side, shift) in [(7, 7, 8, 4), (14, 14, 8, 4), (16, 24, 8, 4), (9, 4, 4, 2), (8, 8, 4, 0)] {
            let windows = Windows::Shifted { side, shift }.over(height, width);
            assert!(windows.iter().all(|window| window.pixels.len() == side * side));
            let mut pixels: Vec<usize> =
                windows.iter().flat_map(|window| window.pixels.iter().flatten().copied()).collect();
            pixels.sort_unstable();
            assert_eq!(pixels, (0..height * width).collect::<Vec<_>>(), "{height}x{width}");
        }
    }

    #[test]
    fn a_shifted_window_begins_below_and_right() {
        let windows = Windows::Shifted { side: 4, shift: 2 }.over(8, 8);
        assert_eq!(windows[0].pixels[..5], [18, 19, 20, 21, 26].map(Some));
        // The last one holds the map's four corners.
        assert_eq!(windows[3].pixels[..4], [54, 55, 48, 49].map(Some));
    }

    #[test]
    fn only_windows_at_the_edge_have_regions_that_do_not_see_each_other() {
        let hidden = |window: &TokenWindow| {
            let of_token = |own| window.regions.iter().filter(move |&other| other != own).count();
            window.regions.iter().map(of_token).sum::<usize>()
        };
        let windows = Windows::Shifted { side: 4, shift: 2 }.over(8, 8);
        assert_eq!(windows.iter().map(hidden).collect::<Vec<_>>(), [0, 128, 128, 192]);
    }
}
