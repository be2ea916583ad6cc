use std::ops::Range;

use super::super::packed::{Panel, panel_widths};
use super::tile::Int8Tiles;
use crate::buffer::Buffer;
use crate::quantization::AffineQuantization;
use crate::simd::int8::{DOT_TERMS, Int8InstructionSet};
use crate::simd::{CHANNEL_GROUP, Lanes};

/// Largest panel. It is read again for every tile of a block of rows, so it should stay in a second-level cache.
const PANEL_BYTES: usize = 256 << 10;
/// Largest quantized weight. The range is symmetric, so that weights need no zero point.
const MAX_WEIGHT: f32 = 127.0;

/// Int8 matrix `[depth, columns]` with a scale for each column, and a bias, packed for one instruction set; rows are padded
/// to a multiple of four and columns to one of the channel group.
pub(crate) struct QuantizedMatrix {
    pub(crate) set: Int8InstructionSet,
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
    /// Quantization of the input.
    pub(crate) input: AffineQuantization,
}

impl QuantizedMatrix {
    /// Quantizes and packs `depth` rows of `columns` numbers, which `weight(row, column)` returns, for an input quantized as
    /// `input`.
    pub(crate) fn new(
        set: Int8InstructionSet,
        (depth, columns): (usize, usize),
        bias: &[f32],
        input: AffineQuantization,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let (padded_depth, padded) = (depth.next_multiple_of(DOT_TERMS), columns.next_multiple_of(CHANNEL_GROUP));
        let mut steps = vec![0f32; columns];
        for row in 0..depth {
            for (column, step) in steps.iter_mut().enumerate() {
                *step = step.max(weight(row, column).abs() / MAX_WEIGHT);
            }
        }
        // A column whose reciprocal would overflow holds nothing but zeros.
        steps.iter_mut().filter(|step| **step < f32::MIN_POSITIVE).for_each(|step| *step = 1.0);
        let mut weights = vec![0i8; padded_depth * padded];
        for (row, quantized) in weights.chunks_exact_mut(padded).take(depth).enumerate() {
            for (column, (quantized, step)) in quantized.iter_mut().zip(&steps).enumerate() {
                *quantized = (weight(row, column) / step).round_ties_even() as i8;
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
            *scale = input.scale * step;
        }
        matrix.bias.as_mut_slice()[..bias.len()].copy_from_slice(bias);
        match matrix.set {
            #[cfg(target_arch = "x86_64")]
            Int8InstructionSet::Vnni(lanes) => matrix.pack(lanes, &weights),
            #[cfg(target_arch = "x86_64")]
            Int8InstructionSet::AvxVnni(lanes) => matrix.pack(lanes, &weights),
            #[cfg(target_arch = "x86_64")]
            Int8InstructionSet::Avx2(lanes) => matrix.pack(lanes, &weights),
            #[cfg(target_arch = "aarch64")]
            Int8InstructionSet::DotProducts(lanes) => matrix.pack(lanes, &weights),
            #[cfg(target_arch = "aarch64")]
            Int8InstructionSet::Neon(lanes) => matrix.pack(lanes, &weights),
            Int8InstructionSet::Portable(lanes) => matrix.pack(lanes, &weights),
        }
        matrix
    }

    fn pack<B: Int8Tiles>(&mut self, _: B, weights: &[i8]) {
        for row in weights.chunks_exact(self.columns) {
            // Takes away the zero point's part of every sum, in the encoding of the instruction set.
            for (start, &weight) in self.starts.iter_mut().zip(row) {
                *start -= (i32::from(self.input.zero_point) - B::INPUT_OFFSET) * i32::from(weight);
            }
        }
        let lanes = <B::Floats as Lanes>::COUNT;
        let row_bytes = |width: usize| width * B::PACKED_DOT_BYTES;
        let fours = self.depth / DOT_TERMS;
        self.weights = Buffer::zeroed(fours * row_bytes(self.columns) / size_of::<f32>());
        let fitting = PANEL_BYTES / (fours * row_bytes(CHANNEL_GROUP)).max(1);
        let widest = B::TILES.len().min(fitting.max(1));
        let (mut column, mut offset) = (0, 0);
        for groups in panel_widths(self.columns / CHANNEL_GROUP, widest) {
            let width = groups * CHANNEL_GROUP;
            let packed = &mut self.weights.as_mut_bytes()[offset..offset + fours * row_bytes(width)];
            let columns = self.columns;
            for (index, vector) in packed.chunks_exact_mut(row_bytes(lanes)).enumerate() {
                let (four, first) = (index / (width / lanes), column + index % (width / lanes) * lanes);
                B::pack(vector, |lane, term| weights[(four * DOT_TERMS + term) * columns + first + lane]);
            }
            self.panels.push(Panel { groups, column, offset });
            column += width;
            offset += fours * row_bytes(width);
        }
    }

    /// Returns the indexes of all panels.
    pub(crate) fn all_panels(&self) -> Range<usize> {
        0..self.panels.len()
    }

    pub(super) fn weights_of(&self, panel: &Panel) -> *const u8 {
        self.weights.as_ptr().cast::<u8>().wrapping_add(panel.offset)
    }

    /// Returns the initial sums, scales and bias of a panel's columns.
    pub(super) fn columns_of(&self, panel: &Panel) -> (*const i32, *const f32, *const f32) {
        let column = panel.column;
        (
            self.starts[column..].as_ptr(),
            self.scales.as_ptr().wrapping_add(column),
            self.bias.as_ptr().wrapping_add(column),
        )
    }
}
