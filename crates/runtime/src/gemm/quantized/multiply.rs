use std::ops::Range;

use super::super::multiply::part;
use super::super::tile::Segment;
use super::packed::QuantizedMatrix;
use super::tile::{Int8TileArguments, Int8Tiles, MAX_TILE_NUMBERS};
use crate::activation::{Activate, Activation};
use crate::quantization::{AffineQuantization, QuantizeRows};
use crate::simd::int8::Int8InstructionSet;
use crate::simd::{CHANNEL_GROUP, Lanes};

/// Input that is read again for each panel before the next block of rows: what stays in a second-level cache beside one
/// panel of weights.
const INPUT_BLOCK_BYTES: usize = 384 << 10;

/// Buffer for a tile that is quantized before it is stored, at the start of a cache line.
#[repr(align(64))]
struct TileBuffer([f32; MAX_TILE_NUMBERS]);

/// Operands of an int8 product with a packed matrix, and its destination.
#[derive(Clone, Copy)]
pub(crate) struct QuantizedProduct<'a> {
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
    /// Quantization of the output, if it is stored in 8 bits, four in the space of a number.
    pub(crate) output_quantization: Option<AffineQuantization>,
    /// Numbers added to the result before the activation, or null.
    pub(crate) residual: *const f32,
    pub(crate) residual_stride: usize,
    pub(crate) activation: Activation,
}

/// Panels of a matrix that are multiplied.
#[derive(Clone)]
pub(crate) struct QuantizedColumns<'a> {
    pub(crate) matrix: &'a QuantizedMatrix,
    pub(crate) panels: Range<usize>,
    /// The output column of the first panel's first column.
    pub(crate) first_column: usize,
}

impl<'a> QuantizedColumns<'a> {
    /// Selects panels; they are written to the columns that they have in the matrix.
    pub(crate) fn new(matrix: &'a QuantizedMatrix, panels: Range<usize>) -> Self {
        Self { matrix, panels, first_column: 0 }
    }
}

/// Writes `activation(input x matrix + bias + residual)` to the output.
///
/// # Safety
/// The pointers must be valid as the types ask for, and no other thread may write what is read or written here.
pub(crate) unsafe fn multiply_quantized(columns: &QuantizedColumns<'_>, product: &QuantizedProduct<'_>) {
    // SAFETY: passed on to the caller.
    unsafe {
        match columns.matrix.set {
            #[cfg(target_arch = "x86_64")]
            Int8InstructionSet::Vnni(lanes) => multiply(lanes, columns, product),
            #[cfg(target_arch = "x86_64")]
            Int8InstructionSet::AvxVnni(lanes) => multiply(lanes, columns, product),
            #[cfg(target_arch = "x86_64")]
            Int8InstructionSet::Avx2(lanes) => multiply(lanes, columns, product),
            #[cfg(target_arch = "aarch64")]
            Int8InstructionSet::DotProducts(lanes) => multiply(lanes, columns, product),
            #[cfg(target_arch = "aarch64")]
            Int8InstructionSet::Neon(lanes) => multiply(lanes, columns, product),
            Int8InstructionSet::Portable(lanes) => multiply(lanes, columns, product),
        }
    }
}

/// # Safety
/// As for [`multiply_quantized`]; the matrix must have been packed for the lanes.
unsafe fn multiply<B: Int8Tiles>(lanes: B, columns: &QuantizedColumns<'_>, product: &QuantizedProduct<'_>) {
    let matrix = columns.matrix;
    debug_assert_eq!(product.segments.iter().map(|segment| segment.length).sum::<usize>(), matrix.depth);
    let mut tile_buffer = TileBuffer([0.0; MAX_TILE_NUMBERS]);
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
                    // A quantized output is converted from a buffer by a function of its own: inside the tile's function
                    // the compiler would spill the sums.
                    let (output, output_stride) = match product.output_quantization {
                        None => (row.add(column), product.output_stride),
                        Some(_) => (tile_buffer.0.as_mut_ptr(), width),
                    };
                    let residual = match product.residual.is_null() {
                        true => product.residual,
                        false => product.residual.add(first * product.residual_stride + column),
                    };
                    let arguments = Int8TileArguments {
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
                    if let Some(quantization) = product.output_quantization {
                        lanes.floats().call(QuantizeRows {
                            quantization,
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
