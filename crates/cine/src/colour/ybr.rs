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

fn convert(samples: &mut [u8], weights: LumaWeights, black: i32, luma_gain: f64, chroma_gain: f64) {
    let fixed = |factor: f64| (factor * f64::from(1 << FRACTION_BITS)).round() as i32;
    let LumaWeights { red, blue } = weights;
    let green = 1.0 - red - blue;
    let luma = fixed(luma_gain);
    let red_from_cr = fixed(2.0 * (1.0 - red) * chroma_gain);
    let green_from_cb = fixed(-2.0 * (1.0 - blue) * blue / green * chroma_gain);
    let green_from_cr = fixed(-2.0 * (1.0 - red) * red / green * chroma_gain);
    let blue_from_cb = fixed(2.0 * (1.0 - blue) * chroma_gain);
    let (pixels, _) = samples.as_chunks_mut::<3>();
    for pixel in pixels {
        let [y, cb, cr] = pixel.map(i32::from);
        let (y, cb, cr) = ((y - black) * luma + HALF, cb - 128, cr - 128);
        let to_byte = |value: i32| (value >> FRACTION_BITS).clamp(0, 255) as u8;
        *pixel = [
            to_byte(y + cr * red_from_cr),
            to_byte(y + cb * green_from_cb + cr * green_from_cr),
            to_byte(y + cb * blue_from_cb),
        ];
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
}
