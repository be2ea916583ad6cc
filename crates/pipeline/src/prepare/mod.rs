//! From decoded frames to what the encoder sees: crop, gray, resize, mask.

mod crop;
mod mask;
mod resize;

use cine::{PixelBox, RgbFrame};
use zoo::{Colour, Preparation};

use crate::LabelError;

/// Frames as the encoder takes them: values 0 to 1, [frames, 3, size, size] row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedFrames {
    /// Number of frames.
    pub frames: usize,
    /// Side of each image in pixels.
    pub size: usize,
    /// The numbers.
    pub values: Vec<f32>,
}

/// Prepares frames of one loop, all of the same size, in the order given.
///
/// `sector` is the box of the ultrasound image; without one the whole screen stands in for it.
pub fn prepare<'a>(
    frames: impl Iterator<Item = &'a RgbFrame>,
    sector: Option<PixelBox>,
    preparation: &Preparation,
) -> Result<PreparedFrames, LabelError> {
    let size = preparation.size;
    let mut images: Vec<Vec<u8>> = Vec::new();
    for frame in frames {
        let part = crop::part(frame, sector, preparation.crop);
        images.push(match preparation.colour {
            Colour::Gray => resize::gray(frame, part, size, preparation.resize)?,
            Colour::Rgb => resize::rgb(frame, part, size, preparation.resize)?,
        });
    }
    if preparation.mask_static {
        mask::static_pixels(&mut images);
    }
    let plane = size * size;
    let mut values = Vec::with_capacity(images.len() * 3 * plane);
    for image in &images {
        for channel in 0..3 {
            match preparation.colour {
                Colour::Gray => values.extend(image.iter().map(|&pixel| f32::from(pixel) / 255.0)),
                Colour::Rgb => {
                    values.extend(image.iter().skip(channel).step_by(3).map(|&pixel| f32::from(pixel) / 255.0));
                }
            }
        }
    }
    Ok(PreparedFrames { frames: images.len(), size, values })
}

#[cfg(test)]
mod tests {
    use zoo::{Crop, Resize};

    use super::*;

    fn frame(value: u8, text: u8) -> RgbFrame {
        let mut pixels = vec![value; 60 * 40 * 3];
        pixels[..60 * 3 * 10].fill(text);
        RgbFrame { width: 60, height: 40, pixels }
    }

    fn preparation(colour: Colour, crop: Crop, mask_static: bool) -> Preparation {
        Preparation { size: 8, colour, crop, resize: Resize::Antialias, mask_static }
    }

    #[test]
    fn gray_is_replicated_and_static_pixels_become_black() {
        let frames = [frame(50, 255), frame(90, 255), frame(70, 255)];
        let prepared = prepare(frames.iter(), None, &preparation(Colour::Gray, Crop::None, true)).unwrap();
        assert_eq!((prepared.frames, prepared.values.len()), (3, 3 * 3 * 64));
        assert_eq!(prepared.values[..64], prepared.values[64..128]);
        assert_eq!(prepared.values[0], 0.0, "the text never changes");
        assert!((prepared.values[63] - 50.0 / 255.0).abs() < 0.01);
    }

    #[test]
    fn a_still_is_not_masked_away() {
        let frames = [frame(50, 255), frame(50, 255)];
        let prepared = prepare(frames.iter(), None, &preparation(Colour::Gray, Crop::None, true)).unwrap();
        assert!(prepared.values[0] > 0.9);
    }

    #[test]
    fn the_sector_is_cut_out() {
        let sector = Some(PixelBox { x0: 0, y0: 20, x1: 59, y1: 39 });
        let frames = [frame(50, 255)];
        let prepared = prepare(frames.iter(), sector, &preparation(Colour::Rgb, Crop::Sector, false)).unwrap();
        assert!(prepared.values.iter().all(|value| (value - 50.0 / 255.0).abs() < 0.01));
    }
}
