//! Reference files of the preparation of EchoPrime's view classifier: from RGB frames of a loop to the network's inputs.

use domain::RgbView;
use preprocess::{PreparedClips, prepare};
use serde::Deserialize;
use zoo::{ModelCard, Preparation, Registry};

use crate::compare::{Digest, larger};
use crate::inputs::{bounded, image_channels, sector_channels};
use crate::{Check, ReferenceFile, Result};

#[derive(Deserialize)]
struct Content {
    seed: String,
    echo_prime: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    src: [usize; 2],
    frames: usize,
    color: bool,
    unmasked: Digest,
    masked_mean: f64,
}

/// The model whose card names the preparation.
const MODEL: &str = "EchoPrime_view_classifier";
/// Normalized values of equal bytes differ by rounding alone; a byte is a fiftieth.
const TOLERANCE: f64 = 1e-5;
/// The mean of masked values: the rim of the mask is drawn otherwise than by OpenCV, at a pixel in a thousand.
const MASK_TOLERANCE: f64 = 2e-3;

/// Compares the loops of the file with and without the mask.
pub(crate) fn verify(file: &ReferenceFile) -> Result<Vec<Check>> {
    let content: Content = file.parse()?;
    let registry = Registry::open(std::path::Path::new(""))?;
    let card = registry.card(MODEL)?;
    let mut checks = Vec::new();
    for case in &content.echo_prime {
        checks.extend(case.verify(file, &content.seed, card)?);
    }
    Ok(checks)
}

impl Case {
    fn verify(&self, file: &ReferenceFile, seed: &str, card: &ModelCard) -> Result<[Check; 2]> {
        let [height, width] = self.src;
        bounded(&[self.frames, height, width, 3]).map_err(|problem| file.problem(problem))?;
        let images: Vec<Vec<u8>> = (0..self.frames).map(|t| self.frame(seed, t)).collect();
        let views = images
            .iter()
            .map(|image| Ok(RgbView::new(width as u32, height as u32, image)?))
            .collect::<Result<Vec<_>>>()?;
        let run = |mask_surroundings: bool| -> Result<Vec<f64>> {
            let preparation = Preparation { mask_surroundings, ..card.prepare };
            let PreparedClips { values, .. } = prepare(&views, &[(0..self.frames).collect()], None, &preparation)?;
            Ok(values.into_iter().map(f64::from).collect())
        };
        let (unmasked, masked) = (run(false)?, run(true)?);
        let deviation =
            larger(self.unmasked.statistics_deviation(&unmasked), self.unmasked.samples_deviation(&unmasked));
        let mean = masked.iter().sum::<f64>() / masked.len().max(1) as f64;
        let title = format!("{} frames of {width}x{height}", self.frames);
        Ok([
            Check::new("echo_prime", format!("{title}, unmasked"), deviation, TOLERANCE),
            Check::new("echo_prime", format!("{title}, masked"), (mean - self.masked_mean).abs(), MASK_TOLERANCE),
        ])
    }

    /// A gray sector that moves on a gray ground, a banner that stands, a dotted trace below and, if `color`, a box with colors.
    fn frame(&self, seed: &str, t: usize) -> Vec<u8> {
        let [height, width] = self.src;
        let mut gray = sector_channels(seed, "echo_prime", (height, width, 1), t);
        for level in gray.iter_mut().skip(height / 8 * width).filter(|level| **level == 0) {
            *level = 60;
        }
        let banner = image_channels(seed, "banner", (height / 12, width, 1), 0);
        gray[..banner.len()].copy_from_slice(&banner);
        let trace = (height - height / 16) * width;
        for x in ((3 * t) % width..width).step_by(7) {
            gray[trace + x] = 200;
        }
        let mut pixels: Vec<u8> = gray.into_iter().flat_map(|value| [value; 3]).collect();
        if self.color {
            let colors = image_channels(seed, "color", (height, width, 3), t);
            for y in height / 3..height / 2 {
                let columns = 3 * (y * width + 2 * width / 5)..3 * (y * width + 3 * width / 5);
                pixels[columns.clone()].copy_from_slice(&colors[columns]);
            }
        }
        pixels
    }
}
