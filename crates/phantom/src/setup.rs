//! The parts of a simulation as a loop's specification asks for them.

use random::Stream;

use crate::beamform::{Beamformer, FlowBox, InventedOrgan, NonCardiac, PolarGrid, Scene};
use crate::heart::{Heart, Shape};
use crate::phased_array::PhasedArray;
use crate::probe::ImagePlane;
use crate::screen::Layout;
use crate::space::vec3;
use crate::spec::{ImageFormation, LoopMode, LoopSpec, Subject};

/// Difference in shape of organs other than hearts.
const ORGAN_DEVIATION_CM: f32 = 0.6;

/// Returns the name of a mode as it stands on the screen.
pub fn mode_label(mode: LoopMode) -> &'static str {
    match mode {
        LoopMode::TwoD => "2D",
        LoopMode::Color => "2D/CF",
        LoopMode::Pw => "PW",
        LoopMode::Cw => "CW",
        LoopMode::TissueDoppler => "TDI PW",
        LoopMode::MMode => "2D/MM",
    }
}

/// Returns as many beams and samples as the sector's pixels can show.
pub fn grid_for(spec: &LoopSpec, layout: &Layout) -> PolarGrid {
    let radius_px = spec.depth_cm * layout.sector.pixels_per_cm;
    PolarGrid {
        beams: ((radius_px * 0.28) as usize).clamp(48, 160),
        samples: ((radius_px * 0.85) as usize).clamp(120, 440),
        depth_cm: spec.depth_cm,
        half_angle_rad: spec.half_angle_rad,
    }
}

/// Returns the plane of the probe before any deviation.
pub fn usual_plane(spec: &LoopSpec) -> ImagePlane {
    match spec.subject {
        Subject::Heart(view) => view.usual_plane(&spec.patient),
        Subject::NonCardiac(_) | Subject::Invented => {
            ImagePlane::looking(vec3(0.0, 0.0, 0.0), vec3(0.0, 0.0, 1.0), vec3(1.0, 0.0, 0.0))
        }
    }
}

/// Returns the subject under the probe.
fn scene_for(spec: &LoopSpec) -> Scene {
    match spec.subject {
        Subject::Heart(_) => Scene::Heart(Box::new(Heart::new(spec.patient.clone()))),
        Subject::NonCardiac(kind) => {
            let deviation_cm = if kind == NonCardiac::WaterPhantom { 0.0 } else { ORGAN_DEVIATION_CM };
            Scene::NonCardiac(kind, Shape::random(spec.seed, deviation_cm))
        }
        Subject::Invented => Scene::Invented(InventedOrgan::random(spec.seed)),
    }
}

/// Returns the beamformer of the subject under the probe.
pub fn beamformer_for(spec: &LoopSpec, grid: PolarGrid) -> Beamformer {
    Beamformer::new(scene_for(spec), grid, spec.gain, spec.patient.texture_seed ^ spec.seed as u32)
}

/// Returns the phased array over the subject, where the loop asks for one.
pub fn phased_array_for(spec: &LoopSpec, grid: PolarGrid) -> Option<PhasedArray> {
    let array = || PhasedArray::new(scene_for(spec), grid, spec.seed ^ u64::from(spec.patient.texture_seed));
    (spec.image_formation == ImageFormation::PointScatterers).then(array)
}

/// Returns the color box as the operator has laid it: about the valves, larger or smaller.
pub fn flow_box_for(spec: &LoopSpec) -> FlowBox {
    let (near, far) = match spec.subject {
        Subject::Heart(view) if view.name().starts_with("Apical") => (0.38, 0.86),
        _ => (0.35, 0.8),
    };
    let mut random = Stream::for_purpose(spec.seed, "colour box");
    let mut around = |middle: f32, deviation: f64| middle + random.bounded_normal(0.0, deviation) as f32;
    let (middle, width) = (around(0.5, 0.03), around(0.42, 0.08).clamp(0.25, 0.7));
    FlowBox {
        beams: ((middle - width / 2.0).max(0.05), (middle + width / 2.0).min(0.95)),
        depths: (around(near, 0.04).max(0.1), around(far, 0.03).min(0.95)),
        nyquist_cm_s: around(60.0, 9.0).clamp(30.0, 90.0).round(),
    }
}
