//! Clips whose classes are easy to tell.

use std::path::Path;

use train::{Clip, ClipCacheWriter, DataSet, Example, Split};

/// Frames, planes and side of a clip.
#[derive(Clone, Copy)]
pub struct ClipShape {
    pub frames: usize,
    pub planes: usize,
    pub size: usize,
}

#[allow(dead_code, reason = "each test shows some of them")]
/// Draws a clip, each pixel with noise of the clip's own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    StripesAcross,
    StripesDown,
    BrightCorner,
    /// Nothing but noise.
    Dark,
    /// A bright row that sinks from frame to frame, or rises: the same frames in another order.
    Sinking,
    Rising,
}

/// One clip of a data set.
#[derive(Clone, Copy)]
pub struct EasyClip {
    pub pattern: Pattern,
    pub class: Option<usize>,
    /// Clips of one pattern and one noise are the same.
    pub noise: usize,
    pub split: Split,
}

/// A data set of `clips` kept in `folder`; every clip is a patient of its own.
pub fn easy_data(folder: &Path, shape: ClipShape, clips: &[EasyClip]) -> DataSet {
    let mut writer = ClipCacheWriter::create(folder, "test", (shape.planes, shape.size)).unwrap();
    for (number, clip) in clips.iter().enumerate() {
        let example = Example {
            patient: format!("patient {number}"),
            study: format!("study {number}"),
            source: format!("loop {number}"),
            class: clip.class,
            frames: 0,
            split: clip.split,
        };
        writer.add(example, &pixels(shape, clip)).unwrap();
    }
    DataSet::new(writer.finish().unwrap()).unwrap()
}

fn pixels(ClipShape { frames, planes, size }: ClipShape, &EasyClip { pattern, noise, .. }: &EasyClip) -> Clip {
    let mut pixels = Vec::with_capacity(frames * planes * size * size);
    for frame in 0..frames {
        for row in (0..planes).flat_map(|_| 0..size) {
            for column in 0..size {
                let place = (noise * 7919 + frame * 104_729 + row * 31 + column * 17) as u32;
                let offset = (place.wrapping_mul(2_654_435_761) >> 27) as u8;
                let height = |frame: usize| frame * size / frames..(frame + 1) * size / frames;
                let bright = match pattern {
                    // Not as wide as a patch of a transformer: its norms see no difference between bright and dark
                    // ones.
                    Pattern::StripesAcross => (row / 3).is_multiple_of(2),
                    Pattern::StripesDown => (column / 3).is_multiple_of(2),
                    Pattern::BrightCorner => row + column < 3 * size / 4,
                    Pattern::Dark => false,
                    Pattern::Sinking => height(frame).contains(&row),
                    Pattern::Rising => height(frames - 1 - frame).contains(&row),
                };
                pixels.push((if bright { 180 } else { 20 }) + offset);
            }
        }
    }
    Clip { frames, planes, size, pixels }
}
