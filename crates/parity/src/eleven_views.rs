//! The part of a resize reference file that takes frames of a clip all the way: crop, gray, resize, mask.

use domain::RgbView;
use preprocess::prepare;
use serde::Deserialize;
use zoo::{Color, Crop, Preparation, Resize};

use crate::compare::{Digest, larger, largest_difference};
use crate::inputs::{bounded, image_channels, sector_channels};
use crate::resize::{NamedTensor, tensor_files, tensors};
use crate::{Check, ReferenceFile, Result};

#[derive(Deserialize)]
pub(crate) struct Pipeline {
    kind: String,
    pub frames: usize,
    src: [usize; 2],
    dst: [usize; 2],
    moving_pixels: usize,
    before_mask: Digest,
    after_mask: Digest,
}

/// A clip before and after the mask, [T, 3, size, size], values 0 to 1.
struct Clip {
    before: Vec<f64>,
    after: Vec<f64>,
    /// One flag a pixel of the first channel: it changes within the clip.
    moving: Vec<bool>,
}

/// Values 0 to 1 are compared as the float32 that they are; only a mean or standard deviation may differ by rounding.
const TOLERANCE: f64 = 1e-6;

/// The name of the tensor file, and of these checks.
const TENSOR_NAME: &str = "thesis_pipeline";

pub(crate) fn verify(file: &ReferenceFile, seed: &str, case: &Pipeline) -> Result<Vec<Check>> {
    let title = format!("{} {}x{} to {}", case.kind, case.src[0], case.src[1], case.dst[0]);
    let Some(crop) = crop(&case.kind).filter(|_| case.dst[0] == case.dst[1]) else {
        return Ok(vec![Check::unsupported(TENSOR_NAME, &title)]);
    };
    let clip = Clip::make(file, seed, crop, case.frames, case.src, case.dst[0])?;
    let deviation = |theirs: &Digest, ours: &[f64]| {
        let same_shape = theirs.shape == [case.frames, 3, case.dst[0], case.dst[1]];
        let deviation = larger(theirs.statistics_deviation(ours), theirs.samples_deviation(ours));
        if same_shape { deviation } else { f64::INFINITY }
    };
    let moving = clip.moving.iter().filter(|moving| **moving).count();
    Ok(vec![
        Check::new(TENSOR_NAME, format!("{title} before mask"), deviation(&case.before_mask, &clip.before), TOLERANCE),
        Check::new(TENSOR_NAME, format!("{title} after mask"), deviation(&case.after_mask, &clip.after), TOLERANCE),
        Check::new(TENSOR_NAME, format!("{title} moving"), moving.abs_diff(case.moving_pixels) as f64, 0.0),
    ])
}

/// Compares the second frame and the mask of each clip in `thesis_pipeline.safetensors` beside the reference file, if it is there.
pub(crate) fn verify_tensors(file: &ReferenceFile, seed: &str, frames: usize) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for path in tensor_files(file.path(), TENSOR_NAME)?.values() {
        for NamedTensor { name, shape, numbers } in tensors(path)? {
            let (Some((crop, from, what)), [height, width]) = (described(&name), shape.as_slice()) else {
                checks.push(Check::unsupported(TENSOR_NAME, &name));
                continue;
            };
            if height != width {
                checks.push(Check::unsupported(TENSOR_NAME, &name));
                continue;
            }
            let clip = Clip::make(file, seed, crop, frames, from, *width)?;
            let plane = width * width;
            let ours: Vec<f64> = match what {
                What::Mask => clip.moving.iter().map(|&moving| f64::from(u8::from(moving))).collect(),
                What::SecondFrame => {
                    clip.after.iter().skip(3 * plane).take(plane).map(|value| (value * 255.0).round()).collect()
                }
            };
            let deviation = largest_difference(ours.into_iter(), numbers.into_iter());
            checks.push(Check::new(TENSOR_NAME, format!("{name}, whole"), deviation, 0.0));
        }
    }
    Ok(checks)
}

enum What {
    Mask,
    SecondFrame,
}

fn crop(kind: &str) -> Option<Crop> {
    match kind {
        "video" => Some(Crop::ElevenViewsVideo),
        "image" => Some(Crop::ElevenViewsImage),
        _ => None,
    }
}

/// `{kind}_{height}x{width}_mask` or `..._frame1_u8`.
fn described(name: &str) -> Option<(Crop, [usize; 2], What)> {
    let (kind, rest) = name.split_once('_')?;
    let (size, what) = rest.split_once('_')?;
    let (height, width) = size.split_once('x')?;
    let what = match what {
        "mask" => What::Mask,
        "frame1_u8" => What::SecondFrame,
        _ => return None,
    };
    Some((crop(kind)?, [height.parse().ok()?, width.parse().ok()?], what))
}

impl Clip {
    fn make(
        file: &ReferenceFile,
        seed: &str,
        crop: Crop,
        frames: usize,
        from: [usize; 2],
        size: usize,
    ) -> Result<Self> {
        let [height, width] = from;
        for shape in [[frames, height, width, 3], [frames, 3, size, size]] {
            bounded(&shape).map_err(|problem| file.problem(problem))?;
        }
        let images: Vec<Vec<u8>> = (0..frames).map(|t| frame(seed, height, width, t)).collect();
        let views = images
            .iter()
            .map(|image| Ok(RgbView::new(width as u32, height as u32, image)?))
            .collect::<Result<Vec<_>>>()?;
        let run = |mask_static| -> Result<Vec<f64>> {
            let preparation = Preparation {
                size,
                color: Color::Gray,
                crop,
                resize: Resize::Pillow,
                mask_static,
                mask_noise_levels: 0,
                mask_surroundings: false,
                normalize: None,
            };
            let prepared = prepare(&views, &[(0..frames).collect()], None, &preparation)?;
            Ok(prepared.values.into_iter().map(f64::from).collect())
        };
        let (before, after) = (run(false)?, run(true)?);
        let moves = |at: usize| {
            let values = || before.iter().skip(at).step_by(3 * size * size);
            values().zip(values().skip(1)).any(|(one, next)| one != next)
        };
        let moving = (0..size * size).map(moves).collect();
        Ok(Self { before, after, moving })
    }
}

/// A gray sector that moves under a banner that does not, as RGB.
fn frame(seed: &str, height: usize, width: usize, t: usize) -> Vec<u8> {
    let mut gray = sector_channels(seed, "thesis", (height, width, 1), t);
    let banner = image_channels(seed, "banner", (height / 12, width, 1), 0);
    gray[..banner.len()].copy_from_slice(&banner);
    gray.into_iter().flat_map(|value| [value; 3]).collect()
}
