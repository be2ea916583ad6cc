//! The leaflets of the four valves: thin sheets that open and close.

use super::{CardiacState, Patient, Tissue};
use crate::space::{Vec3, vec3};

/// Center of the tricuspid ring.
pub const TRICUSPID: Vec3 = vec3(-4.35, 0.0, 0.6);
/// Center of the mitral ring.
pub const MITRAL: Vec3 = vec3(0.25, -0.45, 0.0);

/// From the posterior to the anterior mitral hinge, towards the outflow tract.
const TO_OUTFLOW: Vec3 = vec3(-0.48, 0.877, 0.0);
/// Along the line on which the mitral leaflets close.
const COMMISSURES: Vec3 = vec3(0.877, 0.48, 0.0);
/// Half the thickness of a leaflet; thicker than life, as the beam's width makes it look.
const HALF_THICKNESS: f32 = 0.075;

/// Returns a leaflet of the mitral valve at `point`, if there is one.
pub fn mitral(point: Vec3, patient: &Patient, state: &CardiacState) -> Option<Tissue> {
    let from_ring = point - MITRAL;
    let (a, b) = (from_ring.dot(TO_OUTFLOW), from_ring.dot(COMMISSURES));
    let radius = 1.62 * patient.lv_radius / 2.4;
    let ring = Ring { radius, coaptation: -0.35, tent: 0.85, open: state.inflow_open };
    let anterior = ring.leaflet_at(a, b, point.z, &ANTERIOR);
    let posterior = ring.leaflet_at(a, b, point.z, &Leaflet { side: -1.0, length: 1.7, hinge: ON_RING });
    (anterior || posterior).then_some(Tissue::MitralLeaflet)
}

/// Returns a leaflet of the tricuspid valve at `point`, if there is one.
pub fn tricuspid(point: Vec3, patient: &Patient, state: &CardiacState) -> Option<Tissue> {
    let from_ring = point - TRICUSPID;
    let ring = Ring { radius: 1.85 * patient.rv_size, coaptation: 0.2, tent: 0.6, open: state.inflow_open };
    let at = |leaflet: &Leaflet| ring.leaflet_at(from_ring.x, from_ring.y, from_ring.z, leaflet);
    let septal = at(&Leaflet { side: 1.0, length: 1.6, hinge: ON_RING });
    let lateral = at(&Leaflet { side: -1.0, length: 1.9, hinge: ON_RING });
    (septal || lateral).then_some(Tissue::TricuspidLeaflet)
}

/// One of the two leaflets of a ring.
struct Leaflet {
    /// +1 or -1: on which side of the line of closure it hangs.
    side: f32,
    /// From hinge to tip in cm.
    length: f32,
    /// Its hinge: distance from the ring's center in radii, and height above the ring in cm.
    hinge: (f32, f32),
}

const ON_RING: (f32, f32) = (1.0, 0.0);

/// The anterior mitral leaflet hangs from the aortic root, inside and above the ring.
const ANTERIOR: Leaflet = Leaflet { side: 1.0, length: 2.6, hinge: (0.76, -0.4) };

/// A ring on which two leaflets hinge that meet on a line across it.
struct Ring {
    radius: f32,
    /// Meeting point of the leaflets, off the ring's center.
    coaptation: f32,
    /// Depth of that point in the ventricle.
    tent: f32,
    open: f32,
}

impl Ring {
    /// Returns whether a leaflet passes through (`a`, `b`, `z`): `a` across the line of closure, `b` along it, `z` from
    /// the ring into the ventricle.
    ///
    /// Its profile is a bent line hinge - belly - tip; towards the commissures it gets shorter and opens less, so that
    /// the orifice seen from the apex is a fish's mouth.
    fn leaflet_at(&self, a: f32, b: f32, z: f32, leaflet: &Leaflet) -> bool {
        let (side, length) = (leaflet.side, leaflet.length);
        let breadth = 1.0 - (b / self.radius) * (b / self.radius);
        if breadth <= 0.02 || !(-0.6..length + 0.2).contains(&z) {
            return false;
        }
        let arch = breadth.sqrt();
        let (open, closed) = (self.open, 1.0 - self.open);
        let mouth = 0.72 * self.radius * open;
        let hinge = (side * self.radius * arch * leaflet.hinge.0, leaflet.hinge.1);
        let tip = (
            (self.coaptation * closed + side * (mouth + 0.04)) * arch,
            (0.85 * length * open + self.tent * closed) * (0.35 + 0.65 * arch),
        );
        // A closed leaflet bulges towards the atrium, an open one is nearly straight.
        let belly =
            (0.5 * (hinge.0 + tip.0) + side * 0.12 * open, hinge.1 + (0.5 * open + 0.2 * closed) * (tip.1 - hinge.1));
        near_segment((a, z), hinge, belly, HALF_THICKNESS) || near_segment((a, z), belly, tip, HALF_THICKNESS)
    }
}

fn near_segment(point: (f32, f32), from: (f32, f32), to: (f32, f32), reach: f32) -> bool {
    let (along, line) = ((point.0 - from.0, point.1 - from.1), (to.0 - from.0, to.1 - from.1));
    let length2 = (line.0 * line.0 + line.1 * line.1).max(1e-6);
    let t = ((along.0 * line.0 + along.1 * line.1) / length2).clamp(0.0, 1.0);
    let (dx, dy) = (along.0 - t * line.0, along.1 - t * line.1);
    dx * dx + dy * dy < reach * reach
}

/// Returns a cusp of the aortic (or pulmonary) valve: `rho` from the vessel's axis, `angle_rad` around it, `height`
/// along it from the ring; all cm, `radius` of the vessel there.
pub fn semilunar(rho: f32, angle_rad: f32, height: f32, radius: f32, open: f32) -> bool {
    if !(-0.1..1.4).contains(&height) || rho > radius {
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
    let on_line = to_line < 0.075 && (0.15..1.4).contains(&height) && from_commissure.cos() > 0.0;
    let belly = 0.1 + 0.6 * (1.0 - rho / radius);
    on_line || (height - belly).abs() < 0.06
}
