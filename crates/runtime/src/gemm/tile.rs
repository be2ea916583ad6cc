#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::simd::{CHANNEL_GROUP, Kernel, Lanes, Portable};

/// Run of input numbers (bytes, in int8 products) that lie side by side and are multiplied with as many rows of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Start of the run, in numbers from the output row's first input number.
    pub(crate) offset: usize,
    pub(crate) length: usize,
}

/// Arguments of a tile of output: a few rows by one panel of columns.
pub(crate) struct TileArguments<'a> {
    /// The first row's input; every segment of every row must be valid for reading.
    pub(crate) input: *const f32,
    /// Numbers from the input of one row to that of the next.
    pub(crate) input_stride: usize,
    pub(crate) segments: &'a [Segment],
    /// The panel's weights, as many rows as the segments are long together.
    pub(crate) weights: *const f32,
    /// The panel's part of the bias.
    pub(crate) bias: *const f32,
    /// The first row's output in the panel's columns.
    pub(crate) output: *mut f32,
    pub(crate) output_stride: usize,
    /// Numbers added to the output, or null.
    pub(crate) residual: *const f32,
    pub(crate) residual_stride: usize,
    /// Lower bound of the results: zero for ReLU.
    pub(crate) floor: f32,
}

/// Computes one tile of a fixed number of rows and columns.
///
/// # Safety
/// The pointers must be valid for that many rows and columns.
pub(crate) type TileFunction<L> = unsafe fn(L, &TileArguments<'_>);

/// Tiles of an instruction set. Shapes are chosen so that the sums fill its vector registers but for those that hold one
/// row of weights and an input number: 32 registers on AVX-512 and NEON, 16 on AVX2. Larger tiles would spill, smaller ones
/// load more often for each multiply-add.
pub(crate) trait Tiles: Lanes {
    /// Tile functions by panel width in groups (from 1) and by rows (from 1).
    const TILES: &'static [&'static [TileFunction<Self>]];
}

macro_rules! tiles {
    ($lanes:ty, $vectors:literal: $($rows:literal)+) => {
        &[$(tile::<$lanes, $rows, $vectors>),+]
    };
}

#[cfg(target_arch = "x86_64")]
impl Tiles for Avx512 {
    const TILES: &'static [&'static [TileFunction<Self>]] = &[
        tiles!(Avx512, 1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16),
        tiles!(Avx512, 2: 1 2 3 4 5 6 7 8 9 10 11 12 13 14),
        tiles!(Avx512, 3: 1 2 3 4 5 6 7 8 9),
        tiles!(Avx512, 4: 1 2 3 4 5 6),
    ];
}

#[cfg(target_arch = "x86_64")]
impl Tiles for Avx2 {
    const TILES: &'static [&'static [TileFunction<Self>]] = &[tiles!(Avx2, 2: 1 2 3 4 5 6)];
}

#[cfg(target_arch = "aarch64")]
impl Tiles for Neon {
    const TILES: &'static [&'static [TileFunction<Self>]] = &[tiles!(Neon, 4: 1 2 3 4 5 6)];
}

impl Tiles for Portable {
    const TILES: &'static [&'static [TileFunction<Self>]] = &[tiles!(Portable, 4: 1 2)];
}

/// # Safety
/// As for [`TileFunction`].
unsafe fn tile<L: Lanes, const ROWS: usize, const VECTORS: usize>(lanes: L, arguments: &TileArguments<'_>) {
    const { assert!((VECTORS * L::COUNT).is_multiple_of(CHANNEL_GROUP)) };
    // SAFETY: passed on to the caller.
    unsafe { lanes.call(Tile::<ROWS, VECTORS>(arguments)) }
}

struct Tile<'a, const ROWS: usize, const VECTORS: usize>(&'a TileArguments<'a>);

impl<const ROWS: usize, const VECTORS: usize> Kernel for Tile<'_, ROWS, VECTORS> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        let arguments = self.0;
        let mut sums = [[lanes.zero(); VECTORS]; ROWS];
        let mut weights = arguments.weights;
        let input_stride = arguments.input_stride;
        // SAFETY: rows, segments and columns are those that the creator of the arguments guarantees.
        unsafe {
            for segment in arguments.segments {
                let mut input = arguments.input.add(segment.offset);
                for _ in 0..segment.length {
                    let mut row_of_weights = [lanes.zero(); VECTORS];
                    for (vector, weight) in row_of_weights.iter_mut().enumerate() {
                        *weight = lanes.load(weights.add(vector * L::COUNT));
                    }
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let number = lanes.splat(*input.add(row * input_stride));
                        for (sum, weight) in sums.iter_mut().zip(row_of_weights) {
                            *sum = lanes.multiply_add(number, weight, *sum);
                        }
                    }
                    input = input.add(1);
                    weights = weights.add(VECTORS * L::COUNT);
                }
            }
            let floor = lanes.splat(arguments.floor);
            for (row, sums) in sums.iter().enumerate() {
                for (vector, &sum) in sums.iter().enumerate() {
                    let column = vector * L::COUNT;
                    let mut result = lanes.add(sum, lanes.load(arguments.bias.add(column)));
                    if !arguments.residual.is_null() {
                        let residual = arguments.residual.add(row * arguments.residual_stride + column);
                        result = lanes.add(result, lanes.load(residual));
                    }
                    let output = arguments.output.add(row * arguments.output_stride + column);
                    lanes.store(output, lanes.maximum(floor, result));
                }
            }
        }
    }
}
