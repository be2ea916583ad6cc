//! Sequence of Ultrasound Regions (PS3.3 C.8.5.5).

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, Length, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::builder::Header;
use crate::simulate::SimulatedLoop;
use crate::spec::{LoopMode, RegionTable};
use domain::PixelRect;

const UNIT_CM: u16 = 3;
const UNIT_SECONDS: u16 = 4;
const UNIT_CM_PER_SECOND: u16 = 7;

struct Region {
    spatial_format: u16,
    data_type: u16,
    flags: u32,
    rect: PixelRect,
    units: (u16, u16),
    deltas: (f64, f64),
    reference: Option<(i32, i32)>,
}

/// Puts the regions that the loop's specification asks for.
pub fn put_regions(header: &mut Header, simulated: &SimulatedLoop) {
    let spec = simulated.spec();
    if spec.regions == RegionTable::Missing {
        return;
    }
    let layout = simulated.layout();
    let cm_per_pixel = 1.0 / f64::from(layout.sector.pixels_per_cm);
    let sector = layout.sector_rect;
    let apex_offset = (layout.sector.apex.0 as i32 - sector.x0 as i32, layout.sector.apex.1 as i32 - sector.y0 as i32);
    let two_d = |data_type: u16, flags: u32| Region {
        spatial_format: 1,
        data_type,
        flags,
        rect: sector,
        units: (UNIT_CM, UNIT_CM),
        deltas: (cm_per_pixel, cm_per_pixel),
        reference: Some(apex_offset),
    };
    let mut regions = vec![two_d(1, u32::from(spec.mode == LoopMode::Color))];
    if spec.mode == LoopMode::Color {
        regions.push(two_d(2, 0));
    }
    if let Some(rect) = layout.strip_rect {
        regions.push(strip_region(simulated, rect));
    }
    if let (RegionTable::ImageAndEcg, Some(trace)) = (spec.regions, &spec.trace) {
        let rect = layout.trace_rect;
        let width_px = f64::from(rect.x1 - rect.x0);
        let seconds_per_pixel = match layout.strip_rect {
            Some(strip) => simulated.strip_seconds_per_pixel(strip),
            None => 1.0 / trace.pixels_per_second(width_px, spec.duration_s()),
        };
        regions.push(Region {
            spatial_format: 4,
            data_type: 0x000A,
            flags: 0,
            rect,
            units: (UNIT_SECONDS, 0),
            deltas: (seconds_per_pixel, 1.0),
            reference: None,
        });
    }
    let items: Vec<InMemDicomObject> = regions.iter().map(item).collect();
    header.0.put(DataElement::new(
        tags::SEQUENCE_OF_ULTRASOUND_REGIONS,
        VR::SQ,
        DataSetSequence::new(items, Length::UNDEFINED),
    ));
}

fn strip_region(simulated: &SimulatedLoop, rect: PixelRect) -> Region {
    let spec = simulated.spec();
    let seconds_per_pixel = simulated.strip_seconds_per_pixel(rect);
    let rows = f64::from(rect.y1 - rect.y0);
    match spec.mode.spectral_site() {
        Some(site) => Region {
            spatial_format: 3,
            data_type: if spec.mode == LoopMode::Cw { 4 } else { 3 },
            flags: 0,
            rect,
            units: (UNIT_SECONDS, UNIT_CM_PER_SECOND),
            deltas: (seconds_per_pixel, -2.0 * site.scale_cm_s() / rows),
            reference: Some((0, ((rect.y1 - rect.y0) / 2) as i32)),
        },
        None => Region {
            spatial_format: 2,
            data_type: 1,
            flags: 0,
            rect,
            units: (UNIT_SECONDS, UNIT_CM),
            deltas: (seconds_per_pixel, f64::from(spec.depth_cm) / rows),
            reference: Some((0, 0)),
        },
    }
}

fn item(region: &Region) -> InMemDicomObject {
    let mut item = Header(InMemDicomObject::new_empty());
    item.short(tags::REGION_SPATIAL_FORMAT, region.spatial_format);
    item.short(tags::REGION_DATA_TYPE, region.data_type);
    item.long(tags::REGION_FLAGS, region.flags);
    item.long(tags::REGION_LOCATION_MIN_X0, region.rect.x0);
    item.long(tags::REGION_LOCATION_MIN_Y0, region.rect.y0);
    item.long(tags::REGION_LOCATION_MAX_X1, region.rect.x1);
    item.long(tags::REGION_LOCATION_MAX_Y1, region.rect.y1);
    if let Some((x, y)) = region.reference {
        for (tag, value) in [(tags::REFERENCE_PIXEL_X0, x), (tags::REFERENCE_PIXEL_Y0, y)] {
            item.0.put(DataElement::new(tag, VR::SL, dicom_core::PrimitiveValue::from(value)));
        }
    }
    item.short(tags::PHYSICAL_UNITS_X_DIRECTION, region.units.0);
    item.short(tags::PHYSICAL_UNITS_Y_DIRECTION, region.units.1);
    item.double(tags::PHYSICAL_DELTA_X, region.deltas.0);
    item.double(tags::PHYSICAL_DELTA_Y, region.deltas.1);
    item.0
}
