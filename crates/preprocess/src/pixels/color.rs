//! RGB to gray in the ways of the frameworks.

/// Pillow's `convert("L")`: ITU-R 601 luma with integer weights that sum to 65536.
pub fn pillow_luma(&[red, green, blue]: &[u8; 3]) -> u8 {
    let sum = u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471;
    ((sum + 0x8000) >> 16) as u8
}

/// `tf.image.rgb_to_grayscale` on floats 0 to 255.
pub fn tensorflow_luma_float(pixel: &[u8; 3]) -> f32 {
    weighted(pixel.map(f32::from))
}

/// `tf.image.rgb_to_grayscale` on bytes, which goes by way of 0 to 1 and back to bytes by cutting off.
pub fn tensorflow_luma(pixel: &[u8; 3]) -> u8 {
    (weighted(pixel.map(|channel| f32::from(channel) * (1.0 / 255.0))) * 255.5) as u8
}

/// torchvision's `rgb_to_grayscale` on a byte tensor, which cuts off.
pub fn torchvision_luma(pixel: &[u8; 3]) -> u8 {
    weighted(pixel.map(f32::from)) as u8
}

/// OpenCV's `COLOR_RGB2GRAY`.
pub fn opencv_luma(&[red, green, blue]: &[u8; 3]) -> u8 {
    let sum = u32::from(red) * 9798 + u32::from(green) * 19235 + u32::from(blue) * 3735;
    ((sum + 0x4000) >> 15) as u8
}

/// OpenCV's `COLOR_YUV2BGR` of the pixel's planes of YBR_FULL.
///
/// YUV is scaled otherwise than YBR, so colors come out stronger; grays stay.
pub fn opencv_yuv_to_bgr(pixel: &[u8; 3]) -> [u8; 3] {
    const FRACTION_BITS: u32 = 14;
    let [y, cb, cr] = ybr_full(pixel).map(i32::from);
    let (cb, cr) = (cb - 128, cr - 128);
    let part = |sum: i32| (sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
    [y + part(33_292 * cb), y - part(6_472 * cb + 9_519 * cr), y + part(18_678 * cr)]
        .map(|level| level.clamp(0, 255) as u8)
}

/// The planes of YBR_FULL (PS3.3 C.7.6.3.1.2), rounded.
fn ybr_full(&[red, green, blue]: &[u8; 3]) -> [u8; 3] {
    let (red, green, blue) = (f64::from(red), f64::from(green), f64::from(blue));
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    [luma, 128.0 + (blue - luma) / 1.772, 128.0 + (red - luma) / 1.402]
        .map(|level| (level.clamp(0.0, 255.0) + 0.5).floor() as u8)
}

fn weighted([red, green, blue]: [f32; 3]) -> f32 {
    0.2989 * red + 0.587 * green + 0.114 * blue
}
