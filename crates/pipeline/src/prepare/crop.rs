use cine::{PixelBox, RgbFrame};
use zoo::Crop;

/// The part of the frame that a model sees.
pub(super) fn part(frame: &RgbFrame, sector: Option<PixelBox>, crop: Crop) -> PixelBox {
    let (right, bottom) = (frame.width.saturating_sub(1), frame.height.saturating_sub(1));
    let whole = PixelBox { x0: 0, y0: 0, x1: right, y1: bottom };
    match crop {
        Crop::None => whole,
        Crop::Sector => sector
            .map(|sector| PixelBox {
                x0: sector.x0.min(right),
                y0: sector.y0.min(bottom),
                x1: sector.x1.min(right),
                y1: sector.y1.min(bottom),
            })
            .filter(|part| part.x1 > part.x0 && part.y1 > part.y0)
            .unwrap_or(whole),
        Crop::ThesisVideo => PixelBox {
            x0: frame.width / 10,
            y0: frame.height / 15,
            x1: right,
            y1: bottom.saturating_sub(frame.height / 15),
        },
    }
}
