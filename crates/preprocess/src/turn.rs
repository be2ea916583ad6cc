//! Turns pictures the way in which the models saw them.

use std::collections::BTreeMap;
use std::sync::Arc;

use cine::PictureOrientation;
use domain::{Finding, FindingCode, PixelRect, RgbImage};

use crate::Result;

/// Frames of a loop by their index, and the box of the image in them.
pub(crate) type Frames = (BTreeMap<u32, Arc<RgbImage>>, Option<PixelRect>);

/// Turns the frames upright and their marker to the right, with a finding for each; frames that stand so stay as they are.
pub(crate) fn turned(
    (frames, sector): Frames,
    orientation: PictureOrientation,
    findings: &mut Vec<Finding>,
) -> Result<Frames> {
    let PictureOrientation { is_upside_down, is_mirrored } = orientation;
    if is_upside_down {
        let message = "the apex of the fan is at the bottom of the picture; it was turned upright";
        findings.push(Finding::new(FindingCode::PictureUpsideDown, message));
    }
    if is_mirrored {
        let message = "the orientation marker stands left of the apex; left and right were exchanged";
        findings.push(Finding::new(FindingCode::PictureMirrored, message));
    }
    if !is_upside_down && !is_mirrored {
        return Ok((frames, sector));
    }
    let sector = match (sector, frames.values().next()) {
        (Some(sector), Some(frame)) => Some(turned_rect(sector, frame, orientation)),
        (sector, _) => sector,
    };
    let frames = frames.into_iter().map(|(index, frame)| Ok((index, Arc::new(turned_image(&frame, orientation)?))));
    Ok((frames.collect::<Result<_>>()?, sector))
}

fn turned_rect(rect: PixelRect, frame: &RgbImage, orientation: PictureOrientation) -> PixelRect {
    let mut turned = rect;
    if orientation.is_mirrored {
        let last = frame.width().saturating_sub(1);
        (turned.x0, turned.x1) = (last.saturating_sub(rect.x1), last.saturating_sub(rect.x0));
    }
    if orientation.is_upside_down {
        let last = frame.height().saturating_sub(1);
        (turned.y0, turned.y1) = (last.saturating_sub(rect.y1), last.saturating_sub(rect.y0));
    }
    turned
}

fn turned_image(image: &RgbImage, orientation: PictureOrientation) -> Result<RgbImage> {
    let mut rows: Vec<Vec<u8>> =
        image.pixels().chunks((image.width() as usize * 3).max(1)).map(<[u8]>::to_vec).collect();
    if orientation.is_upside_down {
        rows.reverse();
    }
    if orientation.is_mirrored {
        for row in &mut rows {
            let (pixels, _) = row.as_chunks_mut::<3>();
            pixels.reverse();
        }
    }
    Ok(RgbImage::new(image.width(), image.height(), rows.concat())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_sector_turn_together() {
        let pixels = (0..12).flat_map(|pixel: u8| [pixel; 3]).collect();
        let frames = BTreeMap::from([(0, Arc::new(RgbImage::new(4, 3, pixels).expect("4 by 3")))]);
        let sector = Some(PixelRect { x0: 0, y0: 0, x1: 1, y1: 1 });
        let orientation = PictureOrientation { is_upside_down: true, is_mirrored: true };
        let mut findings = Vec::new();
        let (turned_frames, turned_sector) =
            turned((frames.clone(), sector), orientation, &mut findings).expect("the size stays");
        assert_eq!(turned_frames[&0].pixels()[..6], [11, 11, 11, 10, 10, 10]);
        assert_eq!(turned_sector, Some(PixelRect { x0: 2, y0: 1, x1: 3, y1: 2 }));
        assert_eq!(findings.len(), 2);
        let (as_they_were, _) =
            turned((frames.clone(), sector), PictureOrientation::default(), &mut findings).expect("nothing to do");
        assert_eq!((as_they_were, findings.len()), (frames, 2));
    }
}
