use std::ops::Range;

use super::super::multiply::part;
use super::super::packed::Segment;
use super::packed::ByteMatrix;
use super::tile::{ByteTileArguments, ByteTiles, MOST_TILE_NUMBERS};
use crate::activation::{Activate, Activation};
use crate::quantization::{ByteScale, QuantizeRows};
use crate::simd::bytes::ByteSet;
use crate::simd::{CHANNEL_GROUP, Lanes};

/// How much input is read again for each panel before the next block of rows: what stays in a second-level cache beside
/// one panel of weights.
const INPUT_BLOCK_BYTES: usize = 384 << 10;

/// A tile beside the map, on a cache line.
#[repr(align(64))]
struct Beside([f32; MOST_TILE_NUMBERS]);

/// What is multiplied with a packed matrix, and where the result goes.
#[derive(Clone, Copy)]
pub(crate) struct ByteProduct<'a> {
    pub(crate) rows: usize,
    /// The first row's input; valid for reading every segment of every row.
    pub(crate) input: *const u8,
    /// Bytes from the input of one row to that of the next.
    pub(crate) input_stride: usize,
    /// Runs of each row's input, each a multiple of four bytes long; as long together as the matrix is deep.
    pub(crate) segments: &'a [Segment],
    /// Valid for writing the columns asked for of every row.
    pub(crate) output: *mut f32,
    pub(crate) output_stride: usize,
    /// The scale, if the output is to be bytes, four in the place of a number.
    pub(crate) output_bytes: Option<ByteScale>,
    /// Numbers added to the result before the activation, or null.
    pub(crate) residual: *const f32,
    pub(crate) residual_stride: usize,
    pub(crate) activation: Activation,
}

/// Which panels of a matrix.
#[derive(Clone)]
pub(crate) struct ByteColumns<'a> {
    pub(crate) matrix: &'a ByteMatrix,
    pub(crate) panels: Range<usize>,
    /// The output column of the first panel's first column.
    pub(crate) first_column: usize,
}

impl<'a> ByteColumns<'a> {
    /// Some panels, written to the columns that they have in the matrix.
    pub(crate) fn of(matrix: &'a ByteMatrix, panels: Range<usize>) -> Self {
        Self { matrix, panels, first_column: 0 }
    }
}

/// Writes `activation(input x matrix + bias + residual)` to the output, in numbers.
///
/// # Safety
/// The pointers must be valid as the types ask for, and no other thread may write what is read or written here.
pub(crate) unsafe fn multiply_bytes(columns: &ByteColumns<'_>, product: &ByteProduct<'_>) {
    // SAFETY: passed on to the caller.
    unsafe {
        match columns.matrix.set {
            #[cfg(target_arch = "x86_64")]
            ByteSet::Vnni(lanes) => multiply(lanes, columns, product),
            #[cfg(target_arch = "x86_64")]
            ByteSet::Avx2(lanes) => multiply(lanes, columns, product),
            #[cfg(target_arch = "aarch64")]
            ByteSet::DotProducts(lanes) => multiply(lanes, columns, product),
            #[cfg(target_arch = "aarch64")]
            ByteSet::Neon(lanes) => multiply(lanes, columns, product),
            ByteSet::Portable(lanes) => multiply(lanes, columns, product),
        }
    }
}

/// # Safety
/// As for [`multiply_bytes`]; the matrix must have been packed for the lanes.
unsafe fn multiply<B: ByteTiles>(lanes: B, columns: &ByteColumns<'_>, product: &ByteProduct<'_>) {
    let matrix = columns.matrix;
    debug_assert_eq!(product.segments.iter().map(|segment| segment.length).sum::<usize>(), matrix.depth);
    let mut beside = Beside([0.0; MOST_TILE_NUMBERS]);
    let block_rows = (INPUT_BLOCK_BYTES / matrix.depth.max(1)).max(64);
    let blocks = product.rows.div_ceil(block_rows);
    for block in 0..blocks {
        let rows = part(product.rows, blocks, block);
        for panel in &matrix.panels[columns.panels.clone()] {
            let functions = B::TILES[panel.groups - 1];
            let width = panel.groups * CHANNEL_GROUP;
            let column = panel.column - columns.first_column;
            let (starts, scales, bias) = matrix.columns_of(panel);
            let tiles = rows.len().div_ceil(functions.len());
            for tile in 0..tiles {
                // Tiles of nearly the same height: a last tile of one or two rows would wait for its own sums.
                let tile_rows = part(rows.len(), tiles, tile);
                let first = rows.start + tile_rows.start;
                // SAFETY: `first` is below `product.rows`, and the panel is inside the matrix.
                unsafe {
                    let row = product.output.add(first * product.output_stride);
                    // Bytes are made of a tile of numbers beside the map, by a function of its own: inside the tile's the
                    // compiler would spill the sums.
                    let (output, output_stride) = match product.output_bytes {
                        None => (row.add(column), product.output_stride),
                        Some(_) => (beside.0.as_mut_ptr(), width),
                    };
                    let residual = match product.residual.is_null() {
                        true => product.residual,
                        false => product.residual.add(first * product.residual_stride + column),
                    };
                    let arguments = ByteTileArguments {
                        input: product.input.add(first * product.input_stride),
                        input_stride: product.input_stride,
                        segments: product.segments,
                        weights: matrix.weights_of(panel),
                        starts,
                        scales,
                        bias,
                        output,
                        output_stride,
                        residual,
                        residual_stride: product.residual_stride,
                        floor: product.activation.floor(),
                    };
                    functions[tile_rows.len() - 1](lanes, &arguments);
                    if product.activation.is_curved() {
                        lanes.floats().call(Activate {
                            activation: product.activation,
                            at: output,
                            rows: tile_rows.len(),
                            width,
                            stride: output_stride,
                        });
                    }
                    if let Some(scale) = product.output_bytes {
                        lanes.floats().call(QuantizeRows {
                            scale,
                            from: output,
                            from_stride: output_stride,
                            to: row.cast::<u8>().add(column),
                            to_stride: product.output_stride * size_of::<f32>(),
                            rows: tile_rows.len(),
                            width,
                            factors: std::ptr::null(),
                        });
                    }
                }
            }
        }
    }
}
