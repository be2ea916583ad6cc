//! Scenes under the probe: a heart or, for loops that are no echo, something else.

use super::invented::InventedOrgan;
use crate::heart::{CardiacState, Heart, Material, Shape, Tissue};
use crate::lattice_hash::{cell_hash, unit_from_bits};
use crate::space::{Vec3, ellipsoid, tube, vec3};

/// A subject that is not a heart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NonCardiac {
    /// Liver with vessels and the diaphragm.
    Liver,
    /// A kidney below the liver.
    Kidney,
    /// A water tank with nylon wires.
    WaterPhantom,
    /// A full bladder, as dark and round as a ventricle.
    Bladder,
    /// A large vessel along its length, with two bright walls.
    Vessel,
}

impl NonCardiac {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Liver, Self::Kidney, Self::WaterPhantom, Self::Bladder, Self::Vessel];
}

/// The subject.
#[derive(Debug, Clone)]
pub enum Scene {
    /// A beating heart behind a chest wall, in heart coordinates.
    Heart(Box<Heart>),
    /// Something else, in coordinates of the probe: `x` right, `z` depth; no two people's are of one shape.
    NonCardiac(NonCardiac, Shape),
    /// An organ that nobody has, in the same coordinates.
    Invented(InventedOrgan),
}

impl Scene {
    /// Returns the material at `point`, which lies `depth_cm` from the probe.
    pub fn material_at(&self, point: Vec3, state: &CardiacState) -> Material {
        match self {
            Self::Heart(heart) => heart.material_at(point, state),
            Self::NonCardiac(kind, shape) => {
                Material { tissue: kind.tissue_at(shape.in_plain_shape(point)), at_rest: point }
            }
            Self::Invented(organ) => Material { tissue: organ.tissue_at(point), at_rest: point },
        }
    }

    /// Thickness of the chest or belly wall in front of the subject, in cm.
    pub fn wall_cm(&self) -> f32 {
        match self {
            Self::Heart(heart) => heart.patient().chest_wall,
            Self::NonCardiac(NonCardiac::WaterPhantom, _) => 0.0,
            Self::NonCardiac(..) => 1.4,
            Self::Invented(_) => 0.8,
        }
    }
}

impl NonCardiac {
    fn tissue_at(self, point: Vec3) -> Tissue {
        match self {
            Self::WaterPhantom => {
                let column = (point.x / 1.5).round() * 1.5;
                let row = (point.z / 2.0).round() * 2.0;
                let near = (point.x - column).hypot(point.z - row) < 0.07;
                if point.z > 15.0 {
                    Tissue::Pericardium
                } else if near && row > 1.0 {
                    Tissue::WaterTarget
                } else {
                    Tissue::Water
                }
            }
            Self::Bladder => {
                let distance = ellipsoid(point, vec3(0.2, 0.0, 6.6), vec3(4.2, 3.4, 3.1));
                if distance < 0.0 {
                    Tissue::Water
                } else if distance < 0.35 {
                    Tissue::Fascia
                } else {
                    Tissue::Mediastinum
                }
            }
            Self::Vessel => {
                let distance = tube(point, vec3(-9.0, 0.0, 5.2), vec3(9.0, 0.0, 6.4), 1.15, 1.0);
                if distance < 0.0 {
                    Tissue::Aorta
                } else if distance < 0.18 {
                    Tissue::VesselWall
                } else if point.z > 9.5 {
                    Tissue::Lung
                } else {
                    vessels(point)
                }
            }
            Self::Liver => {
                let line = 11.0 - 0.06 * (point.x - 1.0) * (point.x - 1.0);
                if point.z > line {
                    return if point.z < line + 0.25 { Tissue::Pericardium } else { Tissue::Lung };
                }
                vessels(point)
            }
            Self::Kidney => {
                let outer = ellipsoid(point, vec3(0.3, 0.0, 8.0), vec3(5.2, 2.6, 2.5));
                let sinus = ellipsoid(point, vec3(0.5, 0.0, 8.1), vec3(3.1, 1.5, 1.0));
                if sinus < 0.15 * unit_from_bits(cell_hash((point.x * 3.0) as i32, 0, (point.z * 3.0) as i32, 9)) {
                    Tissue::KidneySinus
                } else if outer < 0.0 {
                    Tissue::Kidney
                } else if outer < 0.12 {
                    Tissue::Fascia
                } else if point.z < 8.5 {
                    vessels(point)
                } else {
                    Tissue::Mediastinum
                }
            }
        }
    }
}

fn vessels(point: Vec3) -> Tissue {
    let fan = [
        (vec3(-4.0, 0.2, 4.0), vec3(3.5, 0.0, 8.6), 0.5),
        (vec3(2.5, 0.1, 3.6), vec3(3.4, 0.0, 8.4), 0.3),
        (vec3(-4.5, 0.0, 8.0), vec3(1.0, 0.1, 9.5), 0.35),
    ];
    let inside = fan.iter().any(|&(a, b, radius)| tube(point, a, b, 0.5 * radius, radius) < 0.0);
    if inside { Tissue::LiverVessel } else { Tissue::Liver }
}
