use super::{Run, View};
use crate::simd::Lanes;

/// Copies frames [N, C, H, W] to a map, channels last; the padding channels become zero.
///
/// # Safety
/// The map must hold the view's frames, `frames` must be valid for reading as many of the map's shape.
pub(crate) unsafe fn from_planar<L: Lanes>(run: &Run<'_, L>, frames: *const f32, map: View) {
    let (channels, pixels) = (map.shape.channels, map.shape.pixels());
    for frame in 0..run.frames {
        let input = frames.wrapping_add(frame * channels * pixels);
        for pixel in 0..pixels {
            let output = map.frame(frame).wrapping_add(pixel * map.pixel_stride);
            // SAFETY: pixel and channel are inside the frame on both sides.
            unsafe {
                for channel in 0..channels {
                    *output.add(channel) = *input.add(channel * pixels + pixel);
                }
                for channel in channels..map.pixel_stride {
                    *output.add(channel) = 0.0;
                }
            }
        }
    }
}

/// Copies a map to frames [N, C, H, W].
///
/// # Safety
/// The map must hold the view's frames, `frames` must be valid for writing as many of the map's shape.
pub(crate) unsafe fn to_planar<L: Lanes>(run: &Run<'_, L>, map: View, frames: *mut f32) {
    let (channels, pixels) = (map.shape.channels, map.shape.pixels());
    for frame in 0..run.frames {
        let output = frames.wrapping_add(frame * channels * pixels);
        for channel in 0..channels {
            let input = map.frame(frame).wrapping_add(channel);
            for pixel in 0..pixels {
                // SAFETY: pixel and channel are inside the frame on both sides.
                unsafe { *output.add(channel * pixels + pixel) = *input.add(pixel * map.pixel_stride) };
            }
        }
    }
}
