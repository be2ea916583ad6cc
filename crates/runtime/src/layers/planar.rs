use super::{Pointer, Run, View};
use crate::gemm::{Tiles, part};

/// Copies frames [T, C, H, W] to a map of as many, channels last; the padding channels become zero.
///
/// # Safety
/// `frames` must be valid for reading the map's frames.
pub(crate) unsafe fn from_planar<L: Tiles>(run: &Run<'_, L>, frames: *const f32, map: View) {
    let (channels, pixels) = (map.shape.channels, map.shape.pixels());
    let frames = Pointer::new(frames.cast_mut());
    let parts = run.parts(pixels, pixels * channels);
    run.split(map.frames * parts, |index, _| {
        let (frame, pixels_of_part) = (index / parts, part(pixels, parts, index % parts));
        let (from, to) = (frames.get().wrapping_add(frame * map.shape.numbers()), map.frame(frame));
        for channel in 0..map.pixel_stride {
            for pixel in pixels_of_part.clone() {
                // SAFETY: pixel and channel are inside the frame on both sides, and parts are disjoint pixels.
                unsafe {
                    let number = if channel < channels { *from.add(channel * pixels + pixel) } else { 0.0 };
                    *to.add(pixel * map.pixel_stride + channel) = number;
                }
            }
        }
    });
}

/// Copies a map to frames [T, C, H, W].
///
/// # Safety
/// `frames` must be valid for writing the map's frames.
pub(crate) unsafe fn to_planar<L: Tiles>(run: &Run<'_, L>, map: View, frames: *mut f32) {
    let (channels, pixels) = (map.shape.channels, map.shape.pixels());
    let frames = Pointer::new(frames);
    let parts = run.parts(channels, pixels * channels);
    run.split(map.frames * parts, |index, _| {
        let (frame, channels_of_part) = (index / parts, part(channels, parts, index % parts));
        let (from, to) = (map.frame(frame), frames.get().wrapping_add(frame * map.shape.numbers()));
        for channel in channels_of_part {
            for pixel in 0..pixels {
                // SAFETY: pixel and channel are inside the frame on both sides, and parts are disjoint channels.
                unsafe { *to.add(channel * pixels + pixel) = *from.add(pixel * map.pixel_stride + channel) };
            }
        }
    });
}
