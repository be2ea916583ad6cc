//! The decoded frames of a loop handed to the model's own preparation.

use std::collections::BTreeMap;
use std::sync::Arc;

use cine::{PixelBox, RgbFrame};
use zoo::Preparation;
use zoo::prepare::{PixelArea, PreparedClips, Screen, prepare};

use crate::LabelError;

/// Prepares the frames of one loop; `clips` are positions among them in order of their indexes.
pub(crate) fn prepare_frames(
    frames: &BTreeMap<u32, Arc<RgbFrame>>,
    clips: &[Vec<usize>],
    sector: Option<PixelBox>,
    preparation: &Preparation,
) -> Result<PreparedClips, LabelError> {
    let screens = frames
        .values()
        .map(|frame| Screen::new(frame.width as usize, frame.height as usize, &frame.pixels))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(prepare(&screens, clips, sector.map(area), preparation)?)
}

fn area(sector: PixelBox) -> PixelArea {
    PixelArea {
        left: sector.x0 as usize,
        top: sector.y0 as usize,
        width: sector.width() as usize,
        height: sector.height() as usize,
    }
}
