//! Tissues around the heart: fat, pericardium, liver, lungs, mediastinum.

use super::chambers::Distances;
use super::{Patient, Tissue};
use crate::lattice_hash::{cell_hash, unit_from_bits};
use crate::space::{Vec3, tube, vec3};

/// Thickness of the fat between the chambers and the pericardium.
const FAT: f32 = 0.16;
/// Thickness of the pericardium, as it looks.
const PERICARDIUM: f32 = 0.17;

/// Returns the tissue at a `point` outside all chambers and vessels.
pub fn tissue_at(point: Vec3, chambers: &Distances, patient: &Patient) -> Tissue {
    if chambers.hull < FAT {
        return Tissue::Fat;
    }
    let inferior = vec3(-0.75, -0.55, 0.36);
    let towards_liver = (point - vec3(-1.5, 0.0, 1.0)).dot(inferior);
    // The great vessels leave the sac at the back; there is no bright line there.
    let in_the_sac = point.z > -4.4;
    if in_the_sac && chambers.hull < FAT + PERICARDIUM {
        return Tissue::Pericardium;
    }
    if towards_liver > 3.0 {
        return liver(point, patient);
    }
    let beside_or_behind = in_the_sac && point.y < 3.2;
    if chambers.hull > 0.7 && beside_or_behind {
        return Tissue::Lung;
    }
    Tissue::Mediastinum
}

/// Liver with a few vessels.
pub fn liver(point: Vec3, patient: &Patient) -> Tissue {
    let fan = [
        (vec3(-5.0, -1.5, 0.5), vec3(-11.0, -2.0, 5.5), 0.42),
        (vec3(-6.5, 0.5, 3.0), vec3(-10.0, 3.0, 8.0), 0.3),
        (vec3(-3.0, -3.5, 5.0), vec3(-8.5, -5.5, 9.5), 0.33),
    ];
    for (a, b, radius) in fan {
        if tube(point, a, b, radius, 0.6 * radius) < 0.0 {
            return Tissue::LiverVessel;
        }
    }
    let cell = |value: f32| (value / 1.6).floor() as i32;
    let hash = cell_hash(cell(point.x), cell(point.y), cell(point.z), patient.texture_seed ^ 5);
    let center = |value: f32, bits: u32| (value / 1.6).floor() * 1.6 + 0.4 + 0.8 * ((bits & 0xFF) as f32 / 255.0);
    let spot = vec3(center(point.x, hash), center(point.y, hash >> 8), center(point.z, hash >> 16));
    if unit_from_bits(hash.wrapping_mul(0x9E37_79B1)) < 0.3 && (point - spot).length() < 0.22 {
        return Tissue::LiverVessel;
    }
    Tissue::Liver
}
