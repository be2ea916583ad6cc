//! Ultrasound regions: what each rectangle of the image shows (PS3.3 C.8.5.5).

use dicom_dictionary_std::tags;
use serde::Serialize;

use crate::header::ImageFormat;
use crate::scan::DataSet;
use domain::{Finding, FindingCode, PixelRect};

/// A region that overhangs the image by no more than this was measured as a length.
const OVERHANG_PIXELS: i64 = 2;
/// A region with a shorter side shows nothing.
const MIN_SIDE_PIXELS: i64 = 4;
/// More regions than this are not read: no screen has so many.
const MAX_REGIONS: usize = 256;

/// Kind of a region, from its spatial format and data type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionKind {
    /// Gray-scale 2-D image.
    #[serde(rename = "tissue_2d")]
    Tissue2d,
    /// 2-D color flow.
    Color,
    /// Pulsed-wave spectrum; tissue Doppler has no value of its own and is coded so too.
    Pw,
    /// Continuous-wave spectrum.
    Cw,
    /// M-mode, gray or color.
    MMode,
    /// A drawn ECG trace.
    Ecg,
    /// Any other drawn trace (pulse, phonocardiogram, volume, Doppler envelope, ...).
    Trace,
    /// Gray bar, color bar or other graphics.
    Graphics,
    /// Anything else.
    Other,
}

/// One item of Sequence of Ultrasound Regions (0018,6011), as stored: corners may be inverted or outside the image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Region {
    /// Kind of the region.
    pub kind: RegionKind,
    /// Left column as stored (0018,6018).
    pub x0: i64,
    /// Top row as stored (0018,601A).
    pub y0: i64,
    /// Right column as stored, included (0018,601C).
    pub x1: i64,
    /// Bottom row as stored, included (0018,601E).
    pub y1: i64,
    /// Region Spatial Format (0018,6012).
    pub spatial_format: u16,
    /// Region Data Type (0018,6014).
    pub data_type: u16,
    /// Region Flags (0018,6016).
    pub flags: u32,
    /// Physical Units X and Y (0018,6024) (0018,6026): 3 cm, 4 s, 5 Hz, 7 cm/s, ...
    pub units: [u16; 2],
    /// Physical Delta X and Y (0018,602C) (0018,602E), in those units per pixel; may be negative.
    pub delta: [f64; 2],
    /// Reference Pixel X0 and Y0 (0018,6020) (0018,6022), from the region's corner.
    pub reference_pixel: Option<[i32; 2]>,
}

impl Region {
    /// Returns the part of the region inside an image of `columns` x `rows`, or nothing where there is none or it is
    /// inverted.
    pub fn pixel_rect(&self, columns: u32, rows: u32) -> Option<PixelRect> {
        let clamp = |value: i64, limit: u32| u32::try_from(value.clamp(0, i64::from(limit) - 1)).ok();
        let inside = columns > 0
            && rows > 0
            && self.x0 <= self.x1
            && self.y0 <= self.y1
            && self.x1 >= 0
            && self.y1 >= 0
            && self.x0 < i64::from(columns)
            && self.y0 < i64::from(rows);
        if !inside {
            return None;
        }
        Some(PixelRect {
            x0: clamp(self.x0, columns)?,
            y0: clamp(self.y0, rows)?,
            x1: clamp(self.x1, columns)?,
            y1: clamp(self.y1, rows)?,
        })
    }

    /// Returns whether the region lies inside an image of `columns` x `rows`, with its corners in order. Scanners that
    /// count the last pixel as a length overhang by a pixel or two; that passes.
    pub fn fits(&self, columns: u32, rows: u32) -> bool {
        let last = |pixels: u32| i64::from(pixels) - 1 + OVERHANG_PIXELS;
        self.x0 >= 0
            && self.y0 >= 0
            && self.x0 <= self.x1
            && self.y0 <= self.y1
            && self.x1 <= last(columns)
            && self.y1 <= last(rows)
    }

    /// Returns whether the corners are in order and enclose next to nothing, as where a writer left them at 0.
    fn is_too_small(&self) -> bool {
        let side = |first: i64, last: i64| last - first + 1;
        let sides = [side(self.x0, self.x1), side(self.y0, self.y1)];
        sides.iter().all(|side| *side >= 1) && sides.iter().any(|side| *side < MIN_SIDE_PIXELS)
    }

    /// Returns whether this shows an image rather than a trace, a scale or graphics.
    pub fn is_image(&self) -> bool {
        self.is_2d() || matches!(self.kind, RegionKind::Pw | RegionKind::Cw | RegionKind::MMode)
    }

    /// Returns whether this is a 2-D image, gray or color.
    pub fn is_2d(&self) -> bool {
        matches!(self.kind, RegionKind::Tissue2d | RegionKind::Color)
    }
}

/// Returns the kind of a region from Region Spatial Format and Region Data Type (PS3.3 C.8.5.5.1.1 and .2).
pub(crate) fn region_kind(spatial_format: u16, data_type: u16) -> RegionKind {
    match (spatial_format, data_type) {
        (2, 1 | 2) => RegionKind::MMode,
        (1, 1) => RegionKind::Tissue2d,
        (1, 2) => RegionKind::Color,
        (_, 3) => RegionKind::Pw,
        (_, 4) => RegionKind::Cw,
        (_, 0x0A) => RegionKind::Ecg,
        (_, 5..=9 | 0x0B | 0x0C | 0x10..=0x12) => RegionKind::Trace,
        (5, _) | (_, 0x0D | 0x0E) => RegionKind::Graphics,
        (2, _) => RegionKind::MMode,
        _ => RegionKind::Other,
    }
}

/// Reads Sequence of Ultrasound Regions; regions outside the image or with inverted corners stay in, with a finding.
pub(crate) fn read_regions(data_set: &DataSet, format: &ImageFormat, findings: &mut Vec<Finding>) -> Vec<Region> {
    let items = data_set.items(tags::SEQUENCE_OF_ULTRASOUND_REGIONS);
    let regions: Vec<Region> = items.iter().take(MAX_REGIONS).filter_map(read_region).collect();
    let unreadable = items.len() - regions.len();
    if unreadable > 0 {
        let message = format!("{unreadable} ultrasound regions have no kind or no corners");
        findings.push(Finding::new(FindingCode::RegionUnreadable, message));
    }
    let (regions, too_small): (Vec<_>, Vec<_>) = regions.into_iter().partition(|region| !region.is_too_small());
    if !too_small.is_empty() {
        let message = format!("{} ultrasound regions have sides below {MIN_SIDE_PIXELS} pixels", too_small.len());
        findings.push(Finding::new(FindingCode::RegionTooSmall, message));
    }
    for (number, region) in regions.iter().enumerate() {
        if !region.fits(format.columns, format.rows) {
            let message = format!("ultrasound region {number} lies outside the image or has inverted corners");
            findings.push(Finding::new(FindingCode::RegionOutsideImage, message));
        }
    }
    regions
}

fn read_region(item: &DataSet) -> Option<Region> {
    let corner = |tag| item.u32(tag).map(i64::from);
    let spatial_format = item.u16(tags::REGION_SPATIAL_FORMAT)?;
    let data_type = item.u16(tags::REGION_DATA_TYPE)?;
    let reference = item.i32(tags::REFERENCE_PIXEL_X0).zip(item.i32(tags::REFERENCE_PIXEL_Y0));
    Some(Region {
        kind: region_kind(spatial_format, data_type),
        x0: corner(tags::REGION_LOCATION_MIN_X0)?,
        y0: corner(tags::REGION_LOCATION_MIN_Y0)?,
        x1: corner(tags::REGION_LOCATION_MAX_X1)?,
        y1: corner(tags::REGION_LOCATION_MAX_Y1)?,
        spatial_format,
        data_type,
        flags: item.u32(tags::REGION_FLAGS).unwrap_or(0),
        units: [
            item.u16(tags::PHYSICAL_UNITS_X_DIRECTION).unwrap_or(0),
            item.u16(tags::PHYSICAL_UNITS_Y_DIRECTION).unwrap_or(0),
        ],
        delta: [item.f64(tags::PHYSICAL_DELTA_X).unwrap_or(0.0), item.f64(tags::PHYSICAL_DELTA_Y).unwrap_or(0.0)],
        reference_pixel: reference.map(|(x, y)| [x, y]),
    })
}
