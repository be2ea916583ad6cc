//! YCbCr to RGB (PS3.3 C.7.6.3.1.2, the inverse of its equations).

/// Fixed-point fraction bits: enough that rounding agrees with real arithmetic for 8-bit samples.
const FRACTION_BITS: u32 = 20;
const HALF: i32 = 1 << (FRACTION_BITS - 1);

/// The weights of red and blue in luma; green has the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct LumaWeights {
    red: f64,
    blue: f64,
}

/// ITU-R BT.601, which the DICOM definitions use.
pub(super) const BT_601: LumaWeights = LumaWeights { red: 0.299, blue: 0.114 };
/// ITU-R BT.709.
pub(super) const BT_709: LumaWeights = LumaWeights { red: 0.2126, blue: 0.0722 };

/// `Y`, `Cb`, `Cr` with Y over 0..=255, to RGB, in place.
pub(super) fn full_to_rgb(mut samples: Vec<u8>) -> Vec<u8> {
    convert(&mut samples, BT_601, 0, 1.0, 1.0);
    samples
}

/// `Y` over 16..=235, `Cb` and `Cr` over 16..=240, to RGB, in place.
pub(super) fn partial_to_rgb(mut samples: Vec<u8>, weights: LumaWeights) -> Vec<u8> {
    convert(&mut samples, weights, 16, 255.0 / 219.0, 255.0 / 224.0);
    samples
}

/// Contribution of each of a pixel's samples to red, green and blue, in fixed point.
#[derive(Clone, Copy)]
struct Factors {
    black: i32,
    luma: i32,
    red_from_cr: i32,
    green_from_cb: i32,
    green_from_cr: i32,
    blue_from_cb: i32,
}

fn convert(samples: &mut [u8], weights: LumaWeights, black: i32, luma_gain: f64, chroma_gain: f64) {
    let fixed = |factor: f64| (factor * f64::from(1 << FRACTION_BITS)).round() as i32;
    let LumaWeights { red, blue } = weights;
    let green = 1.0 - red - blue;
    let factors = Factors {
        black,
        luma: fixed(luma_gain),
        red_from_cr: fixed(2.0 * (1.0 - red) * chroma_gain),
        green_from_cb: fixed(-2.0 * (1.0 - blue) * blue / green * chroma_gain),
        green_from_cr: fixed(-2.0 * (1.0 - red) * red / green * chroma_gain),
        blue_from_cb: fixed(2.0 * (1.0 - blue) * chroma_gain),
    };
    pulp::Arch::new().dispatch(Conversion { samples, factors });
}

/// The work itself, compiled once more for machines with wider vectors: five times as fast there.
struct Conversion<'a> {
    samples: &'a mut [u8],
    factors: Factors,
}

// Not a closure: the compiler does not inline every closure into the code for wider vectors.
impl pulp::NullaryFnOnce for Conversion<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (blocks, rest) = self.samples.as_chunks_mut::<{ 3 * BLOCK_PIXELS }>();
        for block in blocks {
            convert_block(block, self.factors);
        }
        let mut last = [0; 3 * BLOCK_PIXELS];
        let (padded, _) = last.split_at_mut(rest.len());
        padded.copy_from_slice(rest);
        convert_block(&mut last, self.factors);
        let (converted, _) = last.split_at(rest.len());
        rest.copy_from_slice(converted);
    }
}

/// Pixels that are converted together, each sample in an array of its own: what the compiler makes vectors of.
const BLOCK_PIXELS: usize = 64;

#[inline(always)]
fn convert_block(block: &mut [u8; 3 * BLOCK_PIXELS], factors: Factors) {
    let [mut first, mut second, mut third] = [[0; BLOCK_PIXELS]; 3];
    for pixel in 0..BLOCK_PIXELS {
        first[pixel] = block[3 * pixel];
        second[pixel] = block[3 * pixel + 1];
        third[pixel] = block[3 * pixel + 2];
    }
    let to_byte = |value: i32| (value >> FRACTION_BITS).clamp(0, 255) as u8;
    for ((first, second), third) in first.iter_mut().zip(&mut second).zip(&mut third) {
        let y = (i32::from(*first) - factors.black) * factors.luma + HALF;
        let (cb, cr) = (i32::from(*second) - 128, i32::from(*third) - 128);
        *first = to_byte(y + cr * factors.red_from_cr);
        *second = to_byte(y + cb * factors.green_from_cb + cr * factors.green_from_cr);
        *third = to_byte(y + cb * factors.blue_from_cb);
    }
    for pixel in 0..BLOCK_PIXELS {
        block[3 * pixel] = first[pixel];
        block[3 * pixel + 1] = second[pixel];
        block[3 * pixel + 2] = third[pixel];
    }
}

#[cfg(test)]
mod tests {
    use super::{BT_601, BT_709, full_to_rgb, partial_to_rgb};

    #[test]
    fn full_range_follows_the_standard() {
        // Worked by hand: G = 29 - 0.344136 * 127 - 0.714136 * -21 = 0.29, R = -0.44, B = 254.04.
        assert_eq!(full_to_rgb(vec![29, 255, 107]), [0, 0, 254]);
        assert_eq!(full_to_rgb(vec![128, 128, 128]), [128, 128, 128]);
    }

    #[test]
    fn partial_range_spans_black_to_white() {
        assert_eq!(partial_to_rgb(vec![16, 128, 128], BT_601), [0, 0, 0]);
        assert_eq!(partial_to_rgb(vec![235, 128, 128], BT_709), [255, 255, 255]);
    }

    #[test]
    fn every_pixel_of_any_length_is_converted_alike() {
        let color = [29, 255, 107];
        for pixels in [0, 1, 63, 64, 65, 200] {
            assert_eq!(full_to_rgb(color.repeat(pixels)), [0, 0, 254].repeat(pixels), "{pixels}");
        }
    }
}
