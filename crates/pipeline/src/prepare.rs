//! The decoded frames of a loop handed to the model's own preparation.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{PixelRect, RgbImage, RgbView};
use zoo::Preparation;
use zoo::prepare::{PreparedClips, prepare};

use crate::LabelError;

/// Prepares the frames of one loop; `clips` are positions among them in order of their indexes.
pub(crate) fn prepare_frames(
    frames: &BTreeMap<u32, Arc<RgbImage>>,
    clips: &[Vec<usize>],
    sector: Option<PixelRect>,
    preparation: &Preparation,
) -> Result<PreparedClips, LabelError> {
    let views: Vec<RgbView<'_>> = frames.values().map(|frame| frame.view()).collect();
    Ok(prepare(&views, clips, sector, preparation)?)
}
