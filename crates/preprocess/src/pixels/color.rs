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

fn weighted([red, green, blue]: [f32; 3]) -> f32 {
    0.2989 * red + 0.587 * green + 0.114 * blue
}
