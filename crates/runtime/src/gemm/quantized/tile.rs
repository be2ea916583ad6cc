use super::super::tile::Segment;
#[cfg(target_arch = "x86_64")]
use crate::simd::Avx2;
#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
#[cfg(target_arch = "aarch64")]
use crate::simd::int8::DotProducts;
#[cfg(target_arch = "x86_64")]
use crate::simd::int8::{AvxVnni, Vnni};
use crate::simd::int8::{DOT_TERMS, Int8Kernel, Int8Lanes};
use crate::simd::{CHANNEL_GROUP, Lanes, Portable};

/// Numbers of the largest tile of any instruction set.
pub(crate) const MAX_TILE_NUMBERS: usize = 14 * 2 * 16;

/// Arguments of a tile of output: a few rows by one panel of columns.
pub(crate) struct Int8TileArguments<'a> {
    /// The first row's input; every segment of every row must be valid for reading.
    pub(crate) input: *const u8,
    /// Bytes from the input of one row to that of the next.
    pub(crate) input_stride: usize,
    /// Runs of quantized numbers, each a multiple of four long.
    pub(crate) segments: &'a [Segment],
    /// The panel's weights, as many rows as the segments are long together.
    pub(crate) weights: *const u8,
    /// Initial sums of the panel's columns, which correct for the zero point.
    pub(crate) starts: *const i32,
    /// Scales of the panel's sums.
    pub(crate) scales: *const f32,
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
pub(crate) type Int8TileFunction<B> = unsafe fn(B, &Int8TileArguments<'_>);

/// Int8 tiles of an instruction set. Shapes are chosen as those of [`crate::gemm::Tiles`]; AVX2 and NEON without dot
/// products have fewer rows, because the steps of their products take registers of their own.
pub(crate) trait Int8Tiles: Int8Lanes {
    /// Tile functions by panel width in groups (from 1) and by rows (from 1).
    const TILES: &'static [&'static [Int8TileFunction<Self>]];
}

macro_rules! tiles {
    ($lanes:ty, $vectors:literal: $($rows:literal)+) => {
        &[$(tile::<$lanes, $rows, $vectors>),+]
    };
}

#[cfg(target_arch = "x86_64")]
impl Int8Tiles for Vnni {
    const TILES: &'static [&'static [Int8TileFunction<Self>]] = &[
        tiles!(Vnni, 1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16),
        tiles!(Vnni, 2: 1 2 3 4 5 6 7 8 9 10 11 12),
        tiles!(Vnni, 3: 1 2 3 4 5 6 7 8 9),
        tiles!(Vnni, 4: 1 2 3 4 5 6),
    ];
}

#[cfg(target_arch = "x86_64")]
impl Int8Tiles for AvxVnni {
    const TILES: &'static [&'static [Int8TileFunction<Self>]] = &[tiles!(AvxVnni, 2: 1 2 3 4 5 6)];
}

#[cfg(target_arch = "x86_64")]
impl Int8Tiles for Avx2 {
    const TILES: &'static [&'static [Int8TileFunction<Self>]] = &[tiles!(Avx2, 2: 1 2 3 4)];
}

#[cfg(target_arch = "aarch64")]
impl Int8Tiles for DotProducts {
    const TILES: &'static [&'static [Int8TileFunction<Self>]] = &[tiles!(DotProducts, 4: 1 2 3 4 5 6)];
}

#[cfg(target_arch = "aarch64")]
impl Int8Tiles for Neon {
    const TILES: &'static [&'static [Int8TileFunction<Self>]] = &[tiles!(Neon, 4: 1 2 3)];
}

impl Int8Tiles for Portable {
    const TILES: &'static [&'static [Int8TileFunction<Self>]] = &[tiles!(Portable, 4: 1 2)];
}

/// # Safety
/// As for [`Int8TileFunction`].
unsafe fn tile<B: Int8Lanes, const ROWS: usize, const VECTORS: usize>(lanes: B, arguments: &Int8TileArguments<'_>) {
    const { assert!(ROWS * VECTORS * <B::Floats as Lanes>::COUNT <= MAX_TILE_NUMBERS) };
    const { assert!((VECTORS * <B::Floats as Lanes>::COUNT).is_multiple_of(CHANNEL_GROUP)) };
    // SAFETY: passed on to the caller.
    unsafe { lanes.call(Tile::<ROWS, VECTORS>(arguments)) }
}

struct Tile<'a, const ROWS: usize, const VECTORS: usize>(&'a Int8TileArguments<'a>);

impl<const ROWS: usize, const VECTORS: usize> Int8Kernel for Tile<'_, ROWS, VECTORS> {
    #[inline(always)]
    unsafe fn run<B: Int8Lanes>(self, lanes: B) {
        let arguments = self.0;
        let count = <B::Floats as Lanes>::COUNT;
        let mut weights = arguments.weights;
        let input_stride = arguments.input_stride;
        // SAFETY: rows, segments and columns are those that the creator of the arguments guarantees.
        unsafe {
            let mut sums = [[lanes.load_sums(arguments.starts); VECTORS]; ROWS];
            for vector in 1..VECTORS {
                let start = lanes.load_sums(arguments.starts.add(vector * count));
                for sums in &mut sums {
                    sums[vector] = start;
                }
            }
            for segment in arguments.segments {
                let mut input = arguments.input.add(segment.offset);
                for _ in 0..segment.length / DOT_TERMS {
                    let mut row_of_weights = [lanes.load_weights(weights); VECTORS];
                    for (vector, weight) in row_of_weights.iter_mut().enumerate().skip(1) {
                        *weight = lanes.load_weights(weights.add(vector * count * B::PACKED_DOT_BYTES));
                    }
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let inputs = lanes.splat(input.add(row * input_stride));
                        for (sum, weight) in sums.iter_mut().zip(row_of_weights) {
                            *sum = lanes.dot(inputs, weight, *sum);
                        }
                    }
                    input = input.add(DOT_TERMS);
                    weights = weights.add(VECTORS * count * B::PACKED_DOT_BYTES);
                }
            }
            let floats = lanes.floats();
            let floor = floats.splat(arguments.floor);
            for (row, sums) in sums.iter().enumerate() {
                for (vector, &sum) in sums.iter().enumerate() {
                    let column = vector * count;
                    let scale = floats.load(arguments.scales.add(column));
                    let bias = floats.load(arguments.bias.add(column));
                    let mut result = floats.multiply_add(lanes.to_floats(sum), scale, bias);
                    if !arguments.residual.is_null() {
                        let residual = arguments.residual.add(row * arguments.residual_stride + column);
                        result = floats.add(result, floats.load(residual));
                    }
                    let output = arguments.output.add(row * arguments.output_stride + column);
                    floats.store(output, floats.maximum(floor, result));
                }
            }
        }
    }
}
