use std::ops::Range;

use crate::activation::{Activate, Activation};
use crate::simd::CHANNEL_GROUP;

use super::packed::PackedMatrix;
use super::tile::{Segment, TileArguments, Tiles};

/// Input that is read again for each panel before the next block of rows: what stays in a second-level cache beside one
/// panel of weights.
const INPUT_BLOCK_BYTES: usize = 384 << 10;

/// Operands of a product with a packed matrix, and its destination.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    pub(crate) rows: usize,
    /// The first row's input; valid for reading every segment of every row.
    pub(crate) input: *const f32,
    /// Numbers from the input of one row to that of the next.
    pub(crate) input_stride: usize,
    /// Runs of each row's input; as long together as the matrix is deep from the first row on, or shorter.
    pub(crate) segments: &'a [Segment],
    /// Valid for writing the columns asked for of every row.
    pub(crate) output: *mut f32,
    pub(crate) output_stride: usize,
    /// Numbers added to the result before the activation, or null.
    pub(crate) residual: *const f32,
    pub(crate) residual_stride: usize,
    pub(crate) activation: Activation,
}

/// Panels and rows of a matrix that are multiplied, perhaps with other weights in its packing.
#[derive(Clone)]
pub(crate) struct Columns<'a> {
    pub(crate) matrix: &'a PackedMatrix,
    pub(crate) panels: Range<usize>,
    /// As long as the matrix' own packed weights.
    pub(crate) weights: *const f32,
    /// The output column of the first panel's first column.
    pub(crate) first_column: usize,
    /// The row of the matrix that the first number of an input meets.
    pub(crate) first_row: usize,
}

impl<'a> Columns<'a> {
    /// Selects panels; they are written to the columns that they have in the matrix.
    pub(crate) fn new(matrix: &'a PackedMatrix, panels: Range<usize>) -> Self {
        Self { matrix, panels, weights: matrix.weights.as_ptr(), first_column: 0, first_row: 0 }
    }
}

/// Writes `activation(input x matrix + bias + residual)` to the output.
///
/// # Safety
/// The pointers must be valid as the types ask for, and no other thread may write what is read or written here.
pub(crate) unsafe fn multiply<L: Tiles>(lanes: L, columns: &Columns<'_>, product: &Product<'_>) {
    let matrix = columns.matrix;
    let depth: usize = product.segments.iter().map(|segment| segment.length).sum();
    debug_assert!(columns.first_row + depth <= matrix.depth);
    let block_rows = (INPUT_BLOCK_BYTES / size_of::<f32>() / depth.max(1)).max(64);
    let blocks = product.rows.div_ceil(block_rows);
    for block in 0..blocks {
        let rows = part(product.rows, blocks, block);
        for panel in &matrix.panels[columns.panels.clone()] {
            let functions = L::TILES[panel.groups - 1];
            let width = panel.groups * CHANNEL_GROUP;
            let column = panel.column - columns.first_column;
            let tiles = rows.len().div_ceil(functions.len());
            for tile in 0..tiles {
                // Tiles of nearly the same height: a last tile of one or two rows would wait for its own sums.
                let tile_rows = part(rows.len(), tiles, tile);
                let first = rows.start + tile_rows.start;
                // SAFETY: `first` is below `product.rows`, and the panel is inside the matrix.
                unsafe {
                    let output = product.output.add(first * product.output_stride + column);
                    let residual = match product.residual.is_null() {
                        true => product.residual,
                        false => product.residual.add(first * product.residual_stride + column),
                    };
                    let arguments = TileArguments {
                        input: product.input.add(first * product.input_stride),
                        input_stride: product.input_stride,
                        segments: product.segments,
                        weights: columns.weights.add(panel.offset + columns.first_row * width),
                        bias: matrix.bias.as_ptr().add(panel.column),
                        output,
                        output_stride: product.output_stride,
                        residual,
                        residual_stride: product.residual_stride,
                        floor: product.activation.floor(),
                    };
                    functions[tile_rows.len() - 1](lanes, &arguments);
                    if product.activation.is_curved() {
                        lanes.call(Activate {
                            activation: product.activation,
                            at: output,
                            rows: tile_rows.len(),
                            width,
                            stride: product.output_stride,
                        });
                    }
                }
            }
        }
    }
}

/// Returns the `index`-th of `parts` nearly equal parts of `0..length`.
pub(crate) fn part(length: usize, parts: usize, index: usize) -> Range<usize> {
    length * index / parts..length * (index + 1) / parts
}
