use cine::{PixelBox, RgbFrame};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use zoo::Resize;

use crate::LabelError;

/// The part of a frame as `size` x `size` gray pixels (ITU-R 601 luma).
pub(super) fn gray(frame: &RgbFrame, part: PixelBox, size: usize, how: Resize) -> Result<Vec<u8>, LabelError> {
    let luma = |pixel: &[u8]| {
        // Pillow's integer weights, which sum to 65536.
        let sum = u32::from(pixel[0]) * 19595 + u32::from(pixel[1]) * 38470 + u32::from(pixel[2]) * 7471;
        ((sum + 0x8000) >> 16) as u8
    };
    let mut pixels = Vec::with_capacity(part.area() as usize);
    for row in rows(frame, part) {
        pixels.extend(row.chunks_exact(3).map(luma));
    }
    scaled(&pixels, part, size, how, PixelType::U8)
}

/// The part of a frame as `size` x `size` interleaved RGB pixels.
pub(super) fn rgb(frame: &RgbFrame, part: PixelBox, size: usize, how: Resize) -> Result<Vec<u8>, LabelError> {
    let mut pixels = Vec::with_capacity(part.area() as usize * 3);
    for row in rows(frame, part) {
        pixels.extend_from_slice(row);
    }
    scaled(&pixels, part, size, how, PixelType::U8x3)
}

/// The bytes of the part, row by row.
fn rows(frame: &RgbFrame, part: PixelBox) -> impl Iterator<Item = &[u8]> {
    let width = frame.width as usize * 3;
    let (from, to) = (part.x0 as usize * 3, (part.x1 as usize + 1) * 3);
    frame
        .pixels
        .chunks_exact(width.max(1))
        .skip(part.y0 as usize)
        .take(part.height() as usize)
        .filter_map(move |row| row.get(from..to))
}

fn scaled(
    pixels: &[u8],
    part: PixelBox,
    size: usize,
    how: Resize,
    pixel_type: PixelType,
) -> Result<Vec<u8>, LabelError> {
    let algorithm = match how {
        Resize::Antialias => ResizeAlg::Convolution(FilterType::Bilinear),
        Resize::Tensorflow => ResizeAlg::Interpolation(FilterType::Bilinear),
    };
    let problem = |error: &dyn std::fmt::Display| LabelError::Prepare(error.to_string());
    let source = ImageRef::new(part.width(), part.height(), pixels, pixel_type).map_err(|error| problem(&error))?;
    let mut target = Image::new(size as u32, size as u32, pixel_type);
    Resizer::new()
        .resize(&source, &mut target, &ResizeOptions::new().resize_alg(algorithm).use_alpha(false))
        .map_err(|error| problem(&error))?;
    Ok(target.into_vec())
}
