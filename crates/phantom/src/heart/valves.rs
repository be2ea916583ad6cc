//! The leaflets of the four valves: thin sheets that open and close.

use super::chambers::{MITRAL, TRICUSPID};
use super::{CardiacState, Patient, Tissue};
use crate::space::{Vec3, vec3};

/// From the posterior to the anterior mitral hinge, towards the outflow tract.
const TO_OUTFLOW: Vec3 = vec3(-0.48, 0.877, 0.0);
/// Along the line on which the mitral leaflets close.
const COMMISSURES: Vec3 = vec3(0.877, 0.48, 0.0);
/// Half the thickness of a leaflet; thicker than life, as the beam's width makes it look.
const HALF_THICKNESS: f32 = 0.075;

/// A leaflet of the mitral valve at `point`, if there is one.
pub fn mitral(point: Vec3, patient: &Patient, state: &CardiacState) -> Option<Tissue> {
    let from_ring = point - MITRAL;
    let (a, b) = (from_ring.dot(TO_OUTFLOW), from_ring.dot(COMMISSURES));
    let radius = 1.62 * patient.lv_radius / 2.4;
    let sheets = Sheets {
        hinge: radius,
        half_breadth: radius,
        coaptation: -0.35,
        open: state.inflow_open,
    };
    let anterior = sheets.hit(a, b, point.z, 1.0, 2.4, 1.1, 0.95);
    let posterior = sheets.hit(a, b, point.z, -1.0, 1.9, 0.95, 0.95);
    (anterior || posterior).then_some(Tissue::MitralLeaflet)
}

/// A leaflet of the tricuspid valve at `point`, if there is one.
pub fn tricuspid(point: Vec3, patient: &Patient, state: &CardiacState) -> Option<Tissue> {
    let from_ring = point - TRICUSPID;
    let sheets = Sheets {
        hinge: 1.75 * patient.rv_size,
        half_breadth: 1.8 * patient.rv_size,
        coaptation: 0.2,
        open: state.inflow_open,
    };
    let septal = sheets.hit(from_ring.x, from_ring.y, from_ring.z, 1.0, 1.4, 1.1, 0.5);
    let lateral = sheets.hit(from_ring.x, from_ring.y, from_ring.z, -1.0, 1.7, 1.1, 0.5);
    (septal || lateral).then_some(Tissue::TricuspidLeaflet)
}

/// Two leaflets that hinge on a ring and meet on a line.
struct Sheets {
    hinge: f32,
    half_breadth: f32,
    coaptation: f32,
    open: f32,
}

impl Sheets {
    /// Whether the leaflet on `side` (+1 or -1) passes through (`a`, `b`, `z`): `a` across the line of closure, `b` along
    /// it, `z` from the ring into the ventricle; `length` of the leaflet, `opening` of its tip, `tent` depth when closed.
    #[allow(clippy::too_many_arguments)]
    fn hit(&self, a: f32, b: f32, z: f32, side: f32, length: f32, opening: f32, tent: f32) -> bool {
        let breadth = 1.0 - (b / self.half_breadth) * (b / self.half_breadth);
        if breadth <= 0.0 || z < -0.15 {
            return false;
        }
        let arch = breadth.sqrt();
        let (open, closed) = (self.open, 1.0 - self.open);
        let tip_z = (length * open * (0.55 + 0.45 * arch) + tent * closed) * (0.4 + 0.6 * arch);
        if z > tip_z + HALF_THICKNESS {
            return false;
        }
        let share = (z / tip_z.max(0.1)).clamp(0.0, 1.0);
        let tip_a = self.coaptation * closed + side * (opening * open * open.sqrt().max(0.3) + 0.03);
        // A closed leaflet bulges towards the atrium before it meets the other.
        let bend = share.powf(0.6 + 0.9 * closed * (1.0 - share) + 0.4 * open);
        let hinge_a = side * self.hinge;
        let sheet_a = (hinge_a + (tip_a - hinge_a) * bend) * arch.max(0.15);
        let slope = (hinge_a - tip_a) / tip_z.max(0.3);
        let steepness = (1.0 + slope * slope).sqrt();
        (a - sheet_a).abs() < HALF_THICKNESS * steepness.min(5.0)
    }
}

/// A cusp of the aortic (or pulmonary) valve: `rho` from the vessel's axis, `angle_rad` around it, `height` along it
/// from the ring; all cm, `radius` of the vessel there.
pub fn semilunar(rho: f32, angle_rad: f32, height: f32, radius: f32, open: f32) -> bool {
    if !(-0.1..1.15).contains(&height) || rho > radius {
        return false;
    }
    let third = std::f32::consts::TAU / 3.0;
    // Angle to the nearest commissure, 0 on it, pi/3 in the middle of a cusp.
    let within = (angle_rad.rem_euclid(third) - third / 2.0).abs();
    let from_commissure = third / 2.0 - within;
    if open > 0.25 {
        let wall = radius * (0.62 + 0.22 * open - 0.10 * (3.0 * from_commissure).cos());
        return (rho - wall).abs() < 0.07;
    }
    let to_line = rho * from_commissure.sin().abs();
    let on_line = to_line < 0.075 && (0.25..1.0).contains(&height) && from_commissure.cos() > 0.0;
    let belly = 0.55 * (1.0 - rho / radius) + 0.45 * (rho / radius - 0.45).max(0.0);
    on_line || (height - belly).abs() < 0.06
}
