//! Layout of the screen.

use super::vendor::Vendor;
use crate::beamform::SectorGeometry;
use crate::spec::LoopMode;
use domain::PixelRect;

/// The places of the sector, the ECG trace and, in Doppler and M-mode, the strip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// The sector.
    pub sector: SectorGeometry,
    /// The box around the sector.
    pub sector_rect: PixelRect,
    /// The box of the ECG trace.
    pub trace_rect: PixelRect,
    /// The strip of spectral Doppler or M-mode.
    pub strip_rect: Option<PixelRect>,
    /// Pixels per dot of the font.
    pub text_scale: u32,
}

impl Layout {
    /// Returns the layout of a vendor's screen in a mode.
    pub fn new(vendor: Vendor, mode: LoopMode, size: (u32, u32), depth_cm: f32, half_angle_rad: f32) -> Self {
        let (width, height) = (size.0 as f32, size.1 as f32);
        let strip = mode.has_strip();
        let (top, share) = match (vendor, strip) {
            (Vendor::Halden, false) => (0.085, 0.76),
            (Vendor::Norrvik, false) => (0.11, 0.82),
            (_, true) => (0.10, 0.32),
        };
        let top_cm = match vendor {
            Vendor::Halden => 0.10 * depth_cm,
            Vendor::Norrvik => 0.02 * depth_cm,
        };
        let pixels_per_cm = share * height / depth_cm;
        let half_width = (half_angle_rad.sin() * depth_cm * pixels_per_cm).min(0.5 * width - 2.0);
        let apex = (0.5 * width, top * height);
        let at = |x: f32, y: f32| (x.clamp(0.0, width - 1.0) as u32, y.clamp(0.0, height - 1.0) as u32);
        let rect = |x0: f32, y0: f32, x1: f32, y1: f32| {
            let ((x0, y0), (x1, y1)) = (at(x0, y0), at(x1, y1));
            PixelRect { x0, y0, x1, y1 }
        };
        let trace_rect = match (vendor, strip) {
            (_, true) => rect(0.05 * width, 0.43 * height, 0.89 * width, 0.50 * height),
            (Vendor::Halden, false) => rect(0.05 * width, 0.855 * height, 0.36 * width, 0.96 * height),
            (Vendor::Norrvik, false) => rect(0.06 * width, 0.905 * height, 0.41 * width, 0.975 * height),
        };
        Self {
            sector: SectorGeometry { apex, pixels_per_cm, top_cm },
            sector_rect: rect(
                apex.0 - half_width,
                apex.1 + top_cm * pixels_per_cm * half_angle_rad.cos(),
                apex.0 + half_width,
                apex.1 + depth_cm * pixels_per_cm,
            ),
            trace_rect,
            strip_rect: strip.then(|| rect(0.05 * width, 0.51 * height, 0.89 * width, 0.94 * height)),
            text_scale: (size.1 / 300).max(1),
        }
    }
}
