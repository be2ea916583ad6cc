use super::{Pointer, Run, View};
use crate::gemm::part;
use crate::simd::Lanes;

/// Copies a frame [C, H, W] to the first frame of a map, channels last; the padding channels become zero.
///
/// # Safety
/// `frame` must be valid for reading the map's shape.
pub(crate) unsafe fn from_planar<L: Lanes>(run: &Run<'_, L>, frame: *const f32, map: View) {
    let (channels, pixels) = (map.shape.channels, map.shape.pixels());
    let frame = Pointer::new(frame.cast_mut());
    let parts = run.parts(pixels, pixels * channels);
    run.split(parts, |index, _| {
        let pixels_of_part = part(pixels, parts, index);
        for channel in 0..map.pixel_stride {
            for pixel in pixels_of_part.clone() {
                // SAFETY: pixel and channel are inside the frame on both sides, and parts are disjoint pixels.
                unsafe {
                    let number = if channel < channels { *frame.get().add(channel * pixels + pixel) } else { 0.0 };
                    *map.pixel(pixel).add(channel) = number;
                }
            }
        }
    });
}

/// Copies the first frame of a map to a frame [C, H, W].
///
/// # Safety
/// `frame` must be valid for writing the map's shape.
pub(crate) unsafe fn to_planar<L: Lanes>(run: &Run<'_, L>, map: View, frame: *mut f32) {
    let (channels, pixels) = (map.shape.channels, map.shape.pixels());
    let frame = Pointer::new(frame);
    let parts = run.parts(channels, pixels * channels);
    run.split(parts, |index, _| {
        for channel in part(channels, parts, index) {
            for pixel in 0..pixels {
                // SAFETY: pixel and channel are inside the frame on both sides, and parts are disjoint channels.
                unsafe { *frame.get().add(channel * pixels + pixel) = *map.pixel(pixel).add(channel) };
            }
        }
    });
}
