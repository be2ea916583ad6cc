use std::ops::Range;

use crate::InstructionSet;
use crate::buffer::Buffer;
use crate::gemm::tile::Tiles;
use crate::instruction_set::LanesTask;
use crate::simd::CHANNEL_GROUP;

/// Largest panel. It is read again for every tile of a block of rows, so it should stay in a second-level cache.
const PANEL_NUMBERS: usize = (512 << 10) / size_of::<f32>();

/// Neighboring columns of a packed matrix, stored row after row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel {
    /// Width in groups of [`CHANNEL_GROUP`] columns.
    pub(crate) groups: usize,
    /// First column.
    pub(crate) column: usize,
    /// Offset in the packed weights.
    pub(crate) offset: usize,
}

/// Matrix `[depth, columns]` and bias `[columns]`, packed for one instruction set; columns are padded with zeros.
pub(crate) struct PackedMatrix {
    pub(crate) depth: usize,
    /// Columns with their padding.
    pub(crate) columns: usize,
    pub(crate) panels: Vec<Panel>,
    pub(crate) weights: Buffer,
    pub(crate) bias: Buffer,
}

impl PackedMatrix {
    /// Packs `depth` rows of `columns` numbers, which `weight(row, column)` returns.
    pub(crate) fn new(
        set: InstructionSet,
        (depth, columns): (usize, usize),
        bias: &[f32],
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let padded = columns.next_multiple_of(CHANNEL_GROUP);
        let mut weights = Buffer::zeroed(depth * padded);
        let mut panels = Vec::new();
        let (mut column, mut offset) = (0, 0);
        let fitting = PANEL_NUMBERS / (depth * CHANNEL_GROUP).max(1);
        let widest = set.with_lanes(WidestPanel).min(fitting.max(1));
        for groups in panel_widths(padded / CHANNEL_GROUP, widest) {
            let width = groups * CHANNEL_GROUP;
            let packed = &mut weights.as_mut_slice()[offset..offset + depth * width];
            for (row, packed_row) in packed.chunks_exact_mut(width).enumerate() {
                for (number, column) in packed_row.iter_mut().zip(column..columns) {
                    *number = weight(row, column);
                }
            }
            panels.push(Panel { groups, column, offset });
            column += width;
            offset += depth * width;
        }
        let mut padded_bias = Buffer::zeroed(padded);
        padded_bias.as_mut_slice()[..bias.len()].copy_from_slice(bias);
        Self { depth, columns: padded, panels, weights, bias: padded_bias }
    }

    /// Returns the indexes of all panels.
    pub(crate) fn all_panels(&self) -> Range<usize> {
        0..self.panels.len()
    }
}

/// Query for the widest panel, in groups, that the tiles of an instruction set take.
struct WidestPanel;

impl LanesTask for WidestPanel {
    type Output = usize;

    fn run<L: Tiles>(self, _: L) -> usize {
        L::TILES.len()
    }
}

/// Splits `groups` into few panels of at most `widest`, as even as they can be (a narrow last panel would reuse each input
/// number less), and an even number of them, as two threads often share them.
pub(super) fn panel_widths(groups: usize, widest: usize) -> Vec<usize> {
    let fewest = groups.div_ceil(widest);
    let panels = if fewest > 1 { fewest.next_multiple_of(2).min(groups) } else { 1 };
    (0..panels).map(|panel| (groups * (panel + 1)) / panels - (groups * panel) / panels).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_cover_all_columns_evenly() {
        assert_eq!(panel_widths(1, 4), [1]);
        assert_eq!(panel_widths(5, 4), [2, 3]);
        assert_eq!(panel_widths(46, 4).iter().sum::<usize>(), 46);
        assert!(panel_widths(46, 4).iter().all(|&groups| groups >= 3));
        assert_eq!(panel_widths(3, 1), [1, 1, 1]);
    }
}
