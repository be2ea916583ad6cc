//! The imaging mode as the headers give it.

use crate::header::Header;
use crate::regions::{Region, RegionKind};
use domain::Mode;
use domain::PixelRect;

const ENHANCED_US_VOLUME: &str = "1.2.840.10008.5.1.4.1.1.6.2";
/// Physical Units (0018,6026) of a velocity axis: cm/s.
const CENTIMETERS_PER_SECOND: u16 = 7;
/// Tissue moves at up to about 20 cm/s either way, blood much faster: a narrower velocity axis than this shows tissue.
const TISSUE_VELOCITY_SPAN_CM_PER_S: f64 = 60.0;
/// Two 2-D regions that overlap by more than this share of the smaller one are one image with a color box.
const OVERLAP_SHARE: f64 = 0.1;

/// Determines the mode from the headers, with the reason; `None` where only the pixels show it.
pub(crate) fn mode_from_header(header: &Header) -> Option<(Mode, String)> {
    if header.sop_class_uid.as_deref() == Some(ENHANCED_US_VOLUME) {
        return Some((Mode::Other, "the SOP class is a 3-D volume".into()));
    }
    if let Some(modality) =
        header.modality.as_deref().filter(|modality| !header.may_be_ultrasound() && *modality != "IVUS")
    {
        return Some((Mode::Other, format!("the modality is {modality}")));
    }
    let regions = &header.regions;
    let has = |kind: RegionKind| regions.iter().any(|region| region.kind == kind);
    if let Some(spectrum) = regions.iter().find(|region| region.kind == RegionKind::Pw) {
        return Some(match velocity_span_cm_per_s(spectrum) {
            Some(span) if span <= TISSUE_VELOCITY_SPAN_CM_PER_S => {
                (Mode::TissueDoppler, format!("a spectral region spans {span:.0} cm/s, as tissue does"))
            }
            _ => (Mode::Pw, "a region is a pulsed-wave spectrum".into()),
        });
    }
    if has(RegionKind::Cw) {
        return Some((Mode::Cw, "a region is a continuous-wave spectrum".into()));
    }
    if has(RegionKind::MMode) {
        return Some((Mode::MMode, "a region is M-mode".into()));
    }
    if is_dual(header) {
        return Some((Mode::Dual, "two 2-D regions stand side by side".into()));
    }
    if has(RegionKind::Color) {
        return Some((Mode::Color, "a region is color flow".into()));
    }
    if header.samples_per_pixel == 1
        && header.photometric_interpretation.starts_with("MONOCHROME")
        && has(RegionKind::Tissue2d)
    {
        return Some((Mode::TwoD, "a region is 2-D and the image has no colors".into()));
    }
    // Scanners leave regions and flags of a gray image in color loops, and the other way round: pixels decide there.
    if has(RegionKind::Tissue2d) { None } else { mode_from_image_type(header) }
}

/// Returns whether two 2-D regions inside the image do not lie over each other.
fn is_dual(header: &Header) -> bool {
    let boxes: Vec<PixelRect> = header
        .regions
        .iter()
        .filter(|region| region.is_2d() && region.fits(header.columns, header.rows))
        .filter_map(|region| region.pixel_rect(header.columns, header.rows))
        .collect();
    let overlap = |a: &PixelRect, b: &PixelRect| a.intersection(b).map_or(0, |shared| shared.area());
    let apart = |a: &PixelRect, b: &PixelRect| overlap(a, b) as f64 <= OVERLAP_SHARE * a.area().min(b.area()) as f64;
    let similar = |a: &PixelRect, b: &PixelRect| a.area().min(b.area()) * 2 >= a.area().max(b.area());
    boxes.iter().enumerate().any(|(i, a)| boxes.iter().skip(i + 1).any(|b| apart(a, b) && similar(a, b)))
}

fn velocity_span_cm_per_s(region: &Region) -> Option<f64> {
    let [_, unit] = region.units;
    let [_, delta] = region.delta;
    let rows = (region.y1 - region.y0 + 1) as f64;
    let span = (delta * rows).abs();
    (unit == CENTIMETERS_PER_SECOND && span > 0.0).then_some(span)
}

/// Determines the mode from Image Type value 4, a bit map of the image's content (PS3.3 C.8.5.6.1.1).
fn mode_from_image_type(header: &Header) -> Option<(Mode, String)> {
    const BITS: [(u32, Mode); 5] =
        [(0x0008, Mode::Pw), (0x0004, Mode::Cw), (0x0002, Mode::MMode), (0x0020, Mode::MMode), (0x0040, Mode::Other)];
    let text = header.image_type.get(3)?;
    let bits = u32::from_str_radix(text, 16).ok().filter(|bits| *bits != 0 && text.len() == 4)?;
    let (_, mode) = BITS.iter().find(|(bit, _)| bits & bit != 0)?;
    Some((*mode, format!("Image Type value 4 is {text}")))
}
