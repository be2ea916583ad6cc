use preprocess::ResizedClips;

use random::Stream;

/// Prepared frames of one clip, as bytes: what the model's card makes of them before normalization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// Number of frames.
    pub frames: usize,
    /// Planes of a frame: 1 of gray or 3 of color.
    pub planes: usize,
    /// Side of the square image in pixels.
    pub size: usize,
    /// [frames, planes, size, size] row-major.
    pub pixels: Vec<u8>,
}

impl Clip {
    /// Returns the clips of one loop as bytes.
    pub(crate) fn from_resized(resized: &ResizedClips) -> Vec<Self> {
        let bytes =
            |&position: &usize| resized.frames[position].iter().map(|value| value.round().clamp(0.0, 255.0) as u8);
        let clip = |positions: &Vec<usize>| Self {
            frames: positions.len(),
            planes: resized.planes,
            size: resized.size,
            pixels: positions.iter().flat_map(bytes).collect(),
        };
        resized.clips.iter().map(clip).collect()
    }

    /// `count` frames of the clip, drawn without repetition, in their order.
    pub(crate) fn some_frames(&self, count: usize, draws: &mut Stream) -> Self {
        let mut order: Vec<usize> = (0..self.frames).collect();
        draws.shuffle_by_remainder(&mut order);
        order.truncate(count);
        order.sort_unstable();
        let length = self.frame_length();
        let frame = |&frame: &usize| &self.pixels[frame * length..(frame + 1) * length];
        Self { frames: count, pixels: order.iter().flat_map(frame).copied().collect(), ..*self }
    }

    /// Bytes of one frame.
    pub fn frame_length(&self) -> usize {
        self.planes * self.size * self.size
    }
}

/// A clip while it is augmented: values 0 to 255 that need not be whole, nor in that range until the end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    pub planes: usize,
    pub size: usize,
    /// Each frame [planes, size, size].
    pub frames: Vec<Vec<f32>>,
}

impl Draft {
    pub(crate) fn of(clip: &Clip) -> Self {
        let frames = clip.pixels.chunks_exact(clip.frame_length().max(1));
        let frames = frames.map(|frame| frame.iter().map(|&pixel| f32::from(pixel)).collect()).collect();
        Self { planes: clip.planes, size: clip.size, frames }
    }

    /// Every plane of every frame, [size, size] each.
    pub(crate) fn planes_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let area = self.size * self.size;
        self.frames.iter_mut().flat_map(move |frame| frame.chunks_exact_mut(area.max(1)))
    }

    /// Every value.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut f32> {
        self.frames.iter_mut().flatten()
    }
}
