use super::*;
use crate::InstructionSet;
use crate::activation::Activation;
use crate::gemm::Segment;
use crate::quantization::{AffineQuantization, InputRange};
#[cfg(target_arch = "x86_64")]
use crate::simd::Avx2;
#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
use crate::simd::Portable;
#[cfg(target_arch = "aarch64")]
use crate::simd::int8::DotProducts;
use crate::simd::int8::Int8InstructionSet;
#[cfg(target_arch = "x86_64")]
use crate::simd::int8::{AvxVnni, Vnni};

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg32;

/// Every set that this processor has, those too that no instruction set takes because it has a better one.
fn sets() -> Vec<Int8InstructionSet> {
    let mut sets = vec![Int8InstructionSet::Portable(Portable)];
    #[cfg(target_arch = "x86_64")]
    {
        sets.extend(Avx2::detect().map(Int8InstructionSet::Avx2));
        sets.extend(AvxVnni::detect().map(Int8InstructionSet::AvxVnni));
        sets.extend(Vnni::detect().map(Int8InstructionSet::Vnni));
    }
    #[cfg(target_arch = "aarch64")]
    {
        sets.extend(Neon::detect().map(Int8InstructionSet::Neon));
        sets.extend(DotProducts::detect().map(Int8InstructionSet::DotProducts));
    }
    sets
}

struct Case {
    rows: usize,
    depth: usize,
    columns: usize,
    weights: Vec<f32>,
    input: Vec<u8>,
    stride: usize,
    quantization: AffineQuantization,
}

impl Case {
    /// Weights that are whole and reach 127 in every column, so that they are their own bytes.
    fn new((rows, depth, columns): (usize, usize, usize), zero: u8, seed: u64) -> Self {
        let mut random = Pcg32::seed_from_u64(seed);
        let mut weights: Vec<f32> = (0..depth * columns).map(|_| (random.next_u32() % 255) as f32 - 127.0).collect();
        for column in 0..columns {
            weights[random.next_u32() as usize % depth * columns + column] = 127.0;
        }
        // The ends are where 16 bits would not be enough.
        let byte = |random: &mut Pcg32| match random.next_u32() % 4 {
            0 => 255,
            1 => 0,
            _ => (random.next_u32() % 256) as u8,
        };
        let stride = depth.next_multiple_of(4) + 16;
        let input = (0..rows * stride).map(|_| byte(&mut random)).collect();
        Self {
            rows,
            depth,
            columns,
            weights,
            input,
            stride,
            quantization: AffineQuantization { scale: 1.0, zero_point: zero },
        }
    }

    fn expected(&self, row: usize, column: usize) -> i32 {
        let terms = (0..self.depth).map(|term| {
            let input = i32::from(self.input[row * self.stride + term]) - i32::from(self.quantization.zero_point);
            input * self.weights[term * self.columns + column] as i32
        });
        terms.sum()
    }

    fn found(&self, set: Int8InstructionSet) -> Vec<f32> {
        let shape = (self.depth, self.columns);
        let matrix = QuantizedMatrix::new(set, shape, &vec![0.0; self.columns], self.quantization, |row, column| {
            self.weights[row * self.columns + column]
        });
        const GUARD: usize = 64;
        let mut output = vec![f32::MAX; self.rows * matrix.columns + GUARD];
        let product = QuantizedProduct {
            rows: self.rows,
            input: self.input.as_ptr(),
            input_stride: self.stride,
            segments: &[Segment { offset: 0, length: matrix.depth }],
            output: output.as_mut_ptr(),
            output_stride: matrix.columns,
            output_quantization: None,
            residual: std::ptr::null(),
            residual_stride: 0,
            activation: Activation::Identity,
        };
        // SAFETY: input and output hold all rows.
        unsafe { multiply_quantized(&QuantizedColumns::new(&matrix, matrix.all_panels()), &product) };
        assert!(output[self.rows * matrix.columns..].iter().all(|&number| number == f32::MAX));
        output.truncate(self.rows * matrix.columns);
        output.chunks_exact(matrix.columns).flat_map(|row| &row[..self.columns]).copied().collect()
    }
}

#[test]
fn every_set_gives_the_integers_of_the_reference() {
    let shapes = [(1, 1, 1), (3, 5, 17), (7, 64, 16), (13, 30, 70), (29, 100, 130), (17, 257, 33), (2, 2049, 48)];
    for (index, shape) in shapes.into_iter().enumerate() {
        for zero in [0, 1, 128, 255] {
            let case = Case::new(shape, zero, index as u64);
            for set in sets() {
                let found = case.found(set);
                for (place, &found) in found.iter().enumerate() {
                    let expected = case.expected(place / case.columns, place % case.columns);
                    // Sums beyond 2^24 are rounded as every conversion rounds them.
                    assert_eq!(found, expected as f32, "{set:?} {shape:?} zero {zero} number {place}");
                }
            }
        }
    }
}

#[test]
fn the_largest_sums_do_not_saturate() {
    for sign in [1.0, -1.0] {
        let mut case = Case::new((5, 512, 32), 0, 1);
        case.weights.fill(127.0 * sign);
        // Where inputs are taken 128 lower, the smallest byte is the largest.
        for byte in [0, 255] {
            case.input.fill(byte);
            let expected = f32::from(byte) * 127.0 * 512.0 * sign;
            for set in sets() {
                assert!(case.found(set).iter().all(|&found| found == expected), "{set:?} {byte}");
            }
        }
    }
}

#[test]
fn scales_and_bias_bring_numbers_back() {
    let range = InputRange { min: -2.0, max: 3.1 };
    let quantization = AffineQuantization::from_range(range);
    let weights = [0.5, -0.25, 1e-3, 2.0, 0.0, 1e-4];
    for set in sets() {
        let matrix =
            QuantizedMatrix::new(set, (2, 3), &[0.1, 0.2, 0.3], quantization, |row, column| weights[row * 3 + column]);
        let numbers = [1.0, -1.5];
        let bytes =
            numbers.map(|number: f32| (number / quantization.scale + f32::from(quantization.zero_point)).round() as u8);
        let input = [bytes[0], bytes[1], 99, 99];
        let mut output = [0.0; 16];
        let product = QuantizedProduct {
            rows: 1,
            input: input.as_ptr(),
            input_stride: 4,
            segments: &[Segment { offset: 0, length: 4 }],
            output: output.as_mut_ptr(),
            output_stride: 16,
            output_quantization: None,
            residual: std::ptr::null(),
            residual_stride: 0,
            activation: Activation::Identity,
        };
        // SAFETY: input and output hold the row.
        unsafe { multiply_quantized(&QuantizedColumns::new(&matrix, matrix.all_panels()), &product) };
        for (column, bias) in [0.1, 0.2, 0.3].into_iter().enumerate() {
            let exact = numbers[0] * weights[column] + numbers[1] * weights[3 + column] + bias;
            let largest = weights[column].abs().max(weights[3 + column].abs());
            let allowed = largest * (quantization.scale + 2.5 / 127.0);
            assert!((output[column] - exact).abs() <= allowed, "{set:?} {column}: {} {exact}", output[column]);
        }
        assert_eq!(output[3..], [0.0; 13], "padding");
    }
}

#[test]
fn the_best_set_of_a_processor_is_used() {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512vnni") && InstructionSet::Avx512.is_available() {
        assert!(matches!(Int8InstructionSet::for_set(InstructionSet::Avx512), Int8InstructionSet::Vnni(_)));
    }
    #[cfg(target_arch = "x86_64")]
    if InstructionSet::Avx2.is_available() {
        let chosen = Int8InstructionSet::for_set(InstructionSet::Avx2);
        match AvxVnni::detect() {
            Some(_) => assert!(matches!(chosen, Int8InstructionSet::AvxVnni(_))),
            None => assert!(matches!(chosen, Int8InstructionSet::Avx2(_))),
        }
    }
    #[cfg(target_arch = "aarch64")]
    match DotProducts::detect() {
        Some(_) => {
            assert!(matches!(Int8InstructionSet::for_set(InstructionSet::Neon), Int8InstructionSet::DotProducts(_)));
        }
        None => assert!(matches!(Int8InstructionSet::for_set(InstructionSet::Neon), Int8InstructionSet::Neon(_))),
    }
    assert!(matches!(Int8InstructionSet::for_set(InstructionSet::Portable), Int8InstructionSet::Portable(_)));
}
