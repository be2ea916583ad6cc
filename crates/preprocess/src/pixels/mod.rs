//! From decoded frames to what the encoder sees, as the model's card says: crop, gray, resize, mask, scale.
//!
//! The preparation that a model was trained with is part of the model: two ways of bilinear resizing differ by tens of gray
//! levels. So every step equals, to the stated tolerance, a function of the framework that the model comes from (the crate
//! `parity` checks that), and a card names it. Everything here is pure: frames in, numbers out.

pub mod color;
mod hull;
mod image;
mod mask;
mod normalize;
mod resize;
mod surroundings;

use domain::{PixelRect, RgbView};
use zoo::{Color, Normalize, Preparation};

use crate::{PreprocessError, Result};

pub use image::{ImageView, crop_rect};
pub use normalize::append_normalized;
pub use resize::resize;

/// Frames as the encoder takes them, and the clips that they form.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedClips {
    /// Number of frames.
    pub frames: usize,
    /// Side of each image in pixels.
    pub size: usize,
    /// `[frames, 3, size, size]` row-major; 0 to 1 where the card asks for no other range.
    pub values: Vec<f32>,
    /// Each clip as positions among the frames.
    pub clips: Vec<Vec<usize>>,
}

impl PreparedClips {
    /// Returns the first frame of the first clip alone, as a clip of one frame.
    pub fn first_frame(mut self) -> Self {
        let Some(&first) = self.clips.first().and_then(|clip| clip.first()) else {
            return Self { frames: 0, values: Vec::new(), clips: Vec::new(), ..self };
        };
        let frame_values = 3 * self.size * self.size;
        self.values.drain(..first * frame_values);
        self.values.truncate(frame_values);
        Self { frames: 1, clips: vec![vec![0]], ..self }
    }
}

/// Frames in the encoder's size and masked, before they are normalized.
#[derive(Debug, Clone, PartialEq)]
pub struct ResizedClips {
    /// Side of each image in pixels.
    pub size: usize,
    /// Planes of each frame: 1 of gray or 3 of color.
    pub planes: usize,
    /// Each frame `[planes, size, size]`, values 0 to 255.
    pub frames: Vec<Vec<f32>>,
    /// Each clip as positions among the frames.
    pub clips: Vec<Vec<usize>>,
}

/// The largest image side that a card may ask for.
const MAX_SIDE: usize = 4096;

/// Crops, resizes and masks the frames of one loop; `clips` are positions in `frames`.
///
/// With a static mask each clip gets frames of its own, because the mask depends on the other frames of the clip; without
/// one each frame is prepared once, whichever clips it is in. `sector` is the box of the ultrasound image; without one the
/// whole frame stands in for it.
///
/// # Errors
/// A position beyond the frames, a frame without pixels, an image side of 0 or beyond 4096.
pub fn resize_clips(
    frames: &[RgbView<'_>],
    clips: &[Vec<usize>],
    sector: Option<PixelRect>,
    preparation: &Preparation,
) -> Result<ResizedClips> {
    let size = preparation.size;
    if !(1..=MAX_SIDE).contains(&size) {
        return Err(PreprocessError::Preparation { problem: format!("an image side of {size}") });
    }
    if let Some(position) = clips.iter().flatten().find(|&&position| position >= frames.len()) {
        return Err(PreprocessError::Preparation { problem: format!("frame {position} of {}", frames.len()) });
    }
    let region = if preparation.mask_surroundings { surroundings::ultrasound_region(frames) } else { None };
    let images = frames
        .iter()
        .map(|&frame| match &region {
            None => cropped_planes(frame, sector, preparation),
            Some(region) => {
                let kept: Vec<u8> = blackened(frame, region).flatten().collect();
                cropped_planes(RgbView::new(frame.width(), frame.height(), &kept)?, sector, preparation)
            }
        })
        .collect::<Result<Vec<_>>>()?;
    let (frames, clips) = if preparation.mask_static {
        masked(&images, clips, preparation.mask_noise_levels)
    } else {
        (images, clips.to_vec())
    };
    Ok(ResizedClips { size, planes: preparation.color.planes(), frames, clips })
}

/// Prepares the frames of one loop for the encoder: [`resize_clips`], then the card's normalization.
///
/// # Errors
/// As for [`resize_clips`]; also a standard deviation that is not positive.
pub fn prepare(
    frames: &[RgbView<'_>],
    clips: &[Vec<usize>],
    sector: Option<PixelRect>,
    preparation: &Preparation,
) -> Result<PreparedClips> {
    let normalize = preparation.normalize.unwrap_or(Normalize::IDENTITY);
    if !normalize.std.iter().all(|std| *std > 0.0) {
        return Err(PreprocessError::Preparation { problem: format!("a standard deviation of {:?}", normalize.std) });
    }
    let ResizedClips { size, frames, clips, .. } = resize_clips(frames, clips, sector, preparation)?;
    let mut values = Vec::with_capacity(frames.len() * 3 * size * size);
    for frame in &frames {
        append_normalized(&mut values, frame, size, normalize);
    }
    Ok(PreparedClips { frames: frames.len(), size, values, clips })
}

/// The pixels of the frame, black where `region` is not set.
fn blackened<'a>(frame: RgbView<'a>, region: &'a [bool]) -> impl Iterator<Item = [u8; 3]> + 'a {
    frame.pixels().iter().zip(region).map(|(pixel, stays)| if *stays { *pixel } else { [0; 3] })
}

fn cropped_planes(frame: RgbView<'_>, sector: Option<PixelRect>, preparation: &Preparation) -> Result<Vec<f32>> {
    Ok(planes(&ImageView::cropped(frame, preparation.crop, sector)?, preparation))
}

/// Resizes the view to the encoder's size, plane by plane: one of gray or three of color, values 0 to 255.
fn planes(view: &ImageView<'_>, preparation: &Preparation) -> Vec<f32> {
    let (target, how) = ((preparation.size, preparation.size), preparation.resize);
    // The functions stand in the calls, not in variables, for the compiler to build a fast loop around each.
    match preparation.color {
        Color::Gray => resize(view, color::pillow_luma, target, how),
        Color::GrayTensorflow => resize(view, color::tensorflow_luma, target, how),
        Color::GrayTorchvision => resize(view, color::torchvision_luma, target, how),
        Color::GrayOpencv => resize(view, color::opencv_luma, target, how),
        Color::Rgb => [
            resize(view, |pixel| pixel[0], target, how),
            resize(view, |pixel| pixel[1], target, how),
            resize(view, |pixel| pixel[2], target, how),
        ]
        .concat(),
        Color::BgrOpencvYuv => [
            resize(view, |pixel| color::opencv_yuv_to_bgr(pixel)[0], target, how),
            resize(view, |pixel| color::opencv_yuv_to_bgr(pixel)[1], target, how),
            resize(view, |pixel| color::opencv_yuv_to_bgr(pixel)[2], target, how),
        ]
        .concat(),
    }
}

/// Copies the frames for each clip and masks what is static in that clip.
fn masked(images: &[Vec<f32>], clips: &[Vec<usize>], noise_levels: u8) -> (Vec<Vec<f32>>, Vec<Vec<usize>>) {
    let mut copies = Vec::new();
    let mut positions = Vec::new();
    for clip in clips {
        let mut frames: Vec<Vec<f32>> = clip.iter().map(|&position| images[position].clone()).collect();
        mask::black_out_static(&mut frames, noise_levels);
        positions.push((copies.len()..copies.len() + frames.len()).collect());
        copies.append(&mut frames);
    }
    (copies, positions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zoo::{Crop, Resize};

    const WIDTH: usize = 60;
    const HEIGHT: usize = 40;

    fn pixels(value: u8, text: u8) -> Vec<u8> {
        let mut pixels = vec![value; WIDTH * HEIGHT * 3];
        pixels[..WIDTH * 3 * 20].fill(text);
        pixels
    }

    fn card(color: Color, crop: Crop, mask_static: bool) -> Preparation {
        Preparation {
            size: 8,
            color,
            crop,
            resize: Resize::Pillow,
            mask_static,
            mask_noise_levels: 0,
            mask_surroundings: false,
            normalize: None,
        }
    }

    fn view(pixels: &[u8]) -> RgbView<'_> {
        RgbView::new(WIDTH as u32, HEIGHT as u32, pixels).unwrap()
    }

    fn prepared(frames: &[Vec<u8>], clips: &[Vec<usize>], preparation: &Preparation) -> PreparedClips {
        let frames: Vec<RgbView> = frames.iter().map(|pixels| view(pixels)).collect();
        let sector = Some(PixelRect { x0: 0, y0: 20, x1: 59, y1: 39 });
        prepare(&frames, clips, sector, preparation).unwrap()
    }

    #[test]
    fn gray_is_replicated_and_static_pixels_become_black() {
        let frames = [pixels(50, 255), pixels(90, 255), pixels(70, 255)];
        let prepared = prepared(&frames, &[vec![0, 1, 2]], &card(Color::Gray, Crop::None, true));
        assert_eq!((prepared.frames, prepared.values.len()), (3, 3 * 3 * 64));
        assert_eq!(prepared.values[..64], prepared.values[64..128]);
        assert_eq!(prepared.values[0], 0.0, "the text never changes");
        assert_eq!(prepared.values[63], 50.0 / 255.0);
    }

    #[test]
    fn each_clip_has_its_own_mask() {
        let frames = [pixels(50, 255), pixels(90, 255), pixels(90, 200)];
        let masked = prepared(&frames, &[vec![0, 1], vec![1, 2]], &card(Color::Gray, Crop::None, true));
        assert_eq!(masked.clips, [vec![0, 1], vec![2, 3]]);
        let corners = |frame: usize| (masked.values[frame * 192] > 0.0, masked.values[frame * 192 + 63] > 0.0);
        assert_eq!([corners(1), corners(2)], [(false, true), (true, false)], "the same frame in two clips");
        let unmasked = prepared(&frames, &[vec![0, 1], vec![1, 2]], &card(Color::Gray, Crop::None, false));
        assert_eq!((unmasked.frames, unmasked.clips), (3, vec![vec![0, 1], vec![1, 2]]));
    }

    #[test]
    fn the_sector_is_cut_out_and_color_is_kept() {
        let mut frame = pixels(50, 255);
        frame.iter_mut().skip(1).step_by(3).for_each(|green| *green = 10);
        let prepared = prepared(&[frame], &[vec![0]], &card(Color::Rgb, Crop::Sector, false));
        for (plane, expected) in prepared.values.chunks(64).zip([50.0, 10.0, 50.0]) {
            assert!(plane.iter().all(|&value| value == expected / 255.0), "{plane:?}");
        }
    }

    #[test]
    fn the_first_frame_of_a_clip_can_be_taken_alone() {
        let frames = [pixels(50, 255), pixels(90, 255), pixels(70, 255)];
        let prepared = prepared(&frames, &[vec![1, 2], vec![0]], &card(Color::Gray, Crop::None, false));
        let second = prepared.values[192..384].to_vec();
        let first = prepared.clone().first_frame();
        assert_eq!((first.frames, first.clips, first.values), (1, vec![vec![0]], second));
        let none = PreparedClips { clips: Vec::new(), ..prepared }.first_frame();
        assert_eq!((none.frames, none.clips.len(), none.values.len()), (0, 0, 0));
    }

    #[test]
    fn values_are_normalized_last() {
        let normalize = Some(Normalize { mean: [0.5, 0.25, 0.0], std: [0.5, 0.25, 2.0] });
        let card = Preparation { normalize, ..card(Color::Gray, Crop::None, false) };
        let prepared = prepared(&[pixels(255, 255)], &[vec![0]], &card);
        assert_eq!([prepared.values[0], prepared.values[64], prepared.values[128]], [1.0, 3.0, 0.5]);
    }

    #[test]
    fn a_card_or_clip_that_cannot_be_is_an_error() {
        let pixels = pixels(1, 2);
        let frames = [view(&pixels)];
        let good = card(Color::Gray, Crop::None, false);
        let no_deviation = Some(Normalize { mean: [0.0; 3], std: [1.0, 0.0, 1.0] });
        assert!(prepare(&frames, &[vec![0]], None, &good).is_ok());
        assert!(prepare(&frames, &[vec![1]], None, &good).is_err());
        assert!(prepare(&frames, &[vec![0]], None, &Preparation { size: 0, ..good }).is_err());
        assert!(prepare(&frames, &[vec![0]], None, &Preparation { size: usize::MAX, ..good }).is_err());
        assert!(prepare(&frames, &[vec![0]], None, &Preparation { normalize: no_deviation, ..good }).is_err());
    }
}
