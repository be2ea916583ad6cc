use std::ops::Range;

use super::super::packed::{Panel, panel_widths};
use super::tile::ByteTiles;
use crate::buffer::Buffer;
use crate::quantization::ByteScale;
use crate::simd::bytes::{BYTES, ByteSet};
use crate::simd::{CHANNEL_GROUP, Lanes};

/// The largest panel: it is read again for every tile of a block of rows, so it should stay in a second-level cache.
const PANEL_BYTES: usize = 256 << 10;
/// The largest weight: as many steps below zero as above.
const MOST: f32 = 127.0;

/// A matrix `[depth, columns]` of bytes with a scale for each column, and a bias, packed for one instruction set; rows are
/// padded to a multiple of four and columns to one of the channel group.
pub(crate) struct ByteMatrix {
    pub(crate) set: ByteSet,
    /// Rows with their padding.
    pub(crate) depth: usize,
    /// Columns with their padding.
    pub(crate) columns: usize,
    /// Offsets are in bytes.
    pub(crate) panels: Vec<Panel>,
    weights: Buffer,
    starts: Vec<i32>,
    scales: Buffer,
    bias: Buffer,
    /// How the input becomes bytes.
    pub(crate) input: ByteScale,
}

impl ByteMatrix {
    /// Packs `depth` rows of `columns` numbers, which `weight(row, column)` gives, for an input on the scale `input`.
    pub(crate) fn new(
        set: ByteSet,
        (depth, columns): (usize, usize),
        bias: &[f32],
        input: ByteScale,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let (padded_depth, padded) = (depth.next_multiple_of(BYTES), columns.next_multiple_of(CHANNEL_GROUP));
        let mut steps = vec![0f32; columns];
        for row in 0..depth {
            for (column, step) in steps.iter_mut().enumerate() {
                *step = step.max(weight(row, column).abs() / MOST);
            }
        }
        // A column whose reciprocal would overflow holds nothing but zeros.
        steps.iter_mut().filter(|step| **step < f32::MIN_POSITIVE).for_each(|step| *step = 1.0);
        let mut bytes = vec![0i8; padded_depth * padded];
        for (row, bytes) in bytes.chunks_exact_mut(padded).take(depth).enumerate() {
            for (column, (byte, step)) in bytes.iter_mut().zip(&steps).enumerate() {
                *byte = (weight(row, column) / step).round_ties_even() as i8;
            }
        }
        let mut matrix = Self {
            set,
            depth: padded_depth,
            columns: padded,
            panels: Vec::new(),
            weights: Buffer::zeroed(0),
            starts: vec![0; padded],
            scales: Buffer::zeroed(padded),
            bias: Buffer::zeroed(padded),
            input,
        };
        for (scale, step) in matrix.scales.as_mut_slice().iter_mut().zip(&steps) {
            *scale = input.step * step;
        }
        matrix.bias.as_mut_slice()[..bias.len()].copy_from_slice(bias);
        match matrix.set {
            #[cfg(target_arch = "x86_64")]
            ByteSet::Vnni(lanes) => matrix.pack(lanes, &bytes),
            #[cfg(target_arch = "x86_64")]
            ByteSet::Avx2(lanes) => matrix.pack(lanes, &bytes),
            #[cfg(target_arch = "aarch64")]
            ByteSet::DotProducts(lanes) => matrix.pack(lanes, &bytes),
            #[cfg(target_arch = "aarch64")]
            ByteSet::Neon(lanes) => matrix.pack(lanes, &bytes),
            ByteSet::Portable(lanes) => matrix.pack(lanes, &bytes),
        }
        matrix
    }

    fn pack<B: ByteTiles>(&mut self, _: B, bytes: &[i8]) {
        for bytes in bytes.chunks_exact(self.columns) {
            // What the input's zero, as the set takes it, adds to every sum.
            for (start, &byte) in self.starts.iter_mut().zip(bytes) {
                *start -= (i32::from(self.input.zero) - B::INPUT_LOWERED) * i32::from(byte);
            }
        }
        let lanes = <B::Floats as Lanes>::COUNT;
        let row_bytes = |width: usize| width * B::PACKED_BYTES;
        let fours = self.depth / BYTES;
        self.weights = Buffer::zeroed(fours * row_bytes(self.columns) / size_of::<f32>());
        let fitting = PANEL_BYTES / (fours * row_bytes(CHANNEL_GROUP)).max(1);
        let widest = B::TILES.len().min(fitting.max(1));
        let (mut column, mut offset) = (0, 0);
        for groups in panel_widths(self.columns / CHANNEL_GROUP, widest) {
            let width = groups * CHANNEL_GROUP;
            let packed = &mut self.weights.as_mut_bytes()[offset..offset + fours * row_bytes(width)];
            let columns = self.columns;
            for (place, vector) in packed.chunks_exact_mut(row_bytes(lanes)).enumerate() {
                let (four, first) = (place / (width / lanes), column + place % (width / lanes) * lanes);
                B::pack(vector, |lane, index| bytes[(four * BYTES + index) * columns + first + lane]);
            }
            self.panels.push(Panel { groups, column, offset });
            column += width;
            offset += fours * row_bytes(width);
        }
    }

    /// All panels.
    pub(crate) fn all(&self) -> Range<usize> {
        0..self.panels.len()
    }

    pub(super) fn weights_of(&self, panel: &Panel) -> *const u8 {
        self.weights.as_ptr().cast::<u8>().wrapping_add(panel.offset)
    }

    /// Starts of the sums, scales and bias of a panel's columns.
    pub(super) fn columns_of(&self, panel: &Panel) -> (*const i32, *const f32, *const f32) {
        let column = panel.column;
        (
            self.starts[column..].as_ptr(),
            self.scales.as_ptr().wrapping_add(column),
            self.bias.as_ptr().wrapping_add(column),
        )
    }
}
