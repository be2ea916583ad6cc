//! Outflow tracts, aorta with arch and branches, pulmonary artery, caval vein.

use super::chambers::Distances;
use super::{CardiacState, Patient, Tissue, valves};
use crate::space::{Vec3, smooth_step, tube, vec3};

/// Center of the aortic ring.
pub const AORTIC_RING: Vec3 = vec3(-0.95, 1.55, -0.45);
/// The direction of the aortic root.
pub const AORTIC_AXIS: Vec3 = vec3(-0.135, 0.30, -0.944);
/// The length of the root that is modelled with sinuses and cusps.
const ROOT_LENGTH: f32 = 3.2;

/// The aorta from its root over the arch to behind the heart, with the three branches of the arch.
#[derive(Debug, Clone)]
pub struct Aorta {
    path: [(Vec3, f32); 10],
    branches: [(Vec3, Vec3, f32); 3],
    size: f32,
}

impl Aorta {
    /// Returns the aorta of a patient.
    pub fn new(patient: &Patient) -> Self {
        let size = patient.aortic_size;
        let root_end = AORTIC_RING + AORTIC_AXIS * ROOT_LENGTH;
        Self {
            path: [
                (root_end, 1.38),
                (vec3(-1.7, 2.7, -5.2), 1.4),
                (vec3(-1.35, 2.0, -7.2), 1.35),
                (vec3(-0.5, 0.6, -8.5), 1.25),
                (vec3(0.6, -1.2, -8.7), 1.15),
                (vec3(1.7, -2.9, -7.6), 1.1),
                (vec3(2.3, -3.5, -6.0), 1.05),
                (vec3(3.2, -3.7, -4.2), 1.0),
                (vec3(2.1, -4.4, -2.1), 1.0),
                (vec3(-1.6, -6.2, 1.0), 0.95),
            ],
            branches: [
                (vec3(-0.9, 1.3, -8.2), vec3(-1.7, 1.9, -12.0), 0.55),
                (vec3(-0.1, 0.0, -8.8), vec3(-0.3, 0.0, -12.4), 0.36),
                (vec3(0.7, -1.3, -8.9), vec3(1.2, -1.9, -12.4), 0.42),
            ],
            size,
        }
    }

    /// Blood, cusp or wall of the aorta and its branches at `point`.
    pub fn tissue_at(&self, point: Vec3, state: &CardiacState) -> Option<Tissue> {
        self.root_tissue(point, state).or_else(|| self.arch_tissue(point))
    }

    fn root_tissue(&self, point: Vec3, state: &CardiacState) -> Option<Tissue> {
        let from_ring = point - AORTIC_RING;
        let height = from_ring.dot(AORTIC_AXIS);
        if !(-0.25..ROOT_LENGTH).contains(&height) {
            return None;
        }
        let across = from_ring - AORTIC_AXIS * height;
        let rho = across.length();
        let sinus = 0.5 * smooth_step(-0.1, 0.8, height) - 0.27 * smooth_step(1.0, 2.1, height);
        let radius = self.size * (1.12 + sinus);
        if rho > radius + 0.2 {
            return None;
        }
        if rho > radius {
            return (height > 0.0).then_some(Tissue::VesselWall);
        }
        let angle_rad = across.y.atan2(across.x) - 0.5;
        if valves::semilunar(rho, angle_rad, height, radius, state.outflow_open) {
            return Some(Tissue::AorticCusp);
        }
        Some(if height < 0.0 { Tissue::LeftOutflow } else { Tissue::Aorta })
    }

    fn arch_tissue(&self, point: Vec3) -> Option<Tissue> {
        if point.z > -2.5 && point.y > -2.5 {
            return None;
        }
        let mut nearest = f32::MAX;
        for pair in self.path.windows(2) {
            let ((a, radius_a), (b, radius_b)) = (pair[0], pair[1]);
            nearest = nearest.min(tube(point, a, b, radius_a * self.size, radius_b * self.size));
        }
        if nearest < 0.0 {
            return Some(Tissue::Aorta);
        }
        let mut nearest_branch = f32::MAX;
        if point.z < -7.5 {
            for (a, b, radius) in self.branches {
                nearest_branch = nearest_branch.min(tube(point, a, b, radius, radius));
            }
        }
        if nearest_branch < 0.0 {
            return Some(Tissue::Branches);
        }
        (nearest < 0.16 || nearest_branch < 0.12).then_some(Tissue::VesselWall)
    }
}

/// Returns the left ventricle's outflow tract: a tube from the cavity to the aortic ring.
pub fn left_outflow(point: Vec3, patient: &Patient) -> Option<Tissue> {
    let size = patient.aortic_size;
    let distance = tube(point, vec3(-0.45, 0.75, 1.3), AORTIC_RING, 1.15 * size, 1.08 * size);
    (distance < 0.0 && point.z < 1.6 && (point - AORTIC_RING).dot(AORTIC_AXIS) < 0.0 && point.z > -1.2)
        .then_some(Tissue::LeftOutflow)
        .filter(|_| point.y > 0.25 - 0.5 * point.x)
}

/// Path of the right ventricle's outflow tract, up to the pulmonary valve.
const RIGHT_OUTFLOW: [(Vec3, f32); 4] = [
    (vec3(-2.9, 3.1, 2.2), 1.2),
    (vec3(-2.6, 3.7, 0.2), 1.25),
    (vec3(-1.2, 4.35, -1.2), 1.15),
    (vec3(0.9, 3.9, -1.5), 1.1),
];
/// Path of the pulmonary trunk and its two branches.
const PULMONARY: [(Vec3, Vec3, f32, f32); 4] = [
    (vec3(0.9, 3.9, -1.5), vec3(2.3, 2.4, -1.8), 1.1, 1.15),
    (vec3(2.3, 2.4, -1.8), vec3(2.7, 0.9, -2.7), 1.15, 1.05),
    (vec3(2.7, 0.9, -2.7), vec3(-2.5, -0.4, -6.0), 0.85, 0.8),
    (vec3(2.7, 0.9, -2.7), vec3(4.4, -1.6, -4.0), 0.8, 0.7),
];

/// Blood, cusps and walls of the right outflow tract, the pulmonary artery and the caval vein.
pub fn right_outflow(point: Vec3, chambers: &Distances, state: &CardiacState) -> Option<Tissue> {
    if let Some(tissue) = caval_vein(point) {
        return Some(tissue);
    }
    if point.y < -2.0 || point.z > 3.6 {
        return None;
    }
    let mut outflow = f32::MAX;
    for pair in RIGHT_OUTFLOW.windows(2) {
        let ((a, radius_a), (b, radius_b)) = (pair[0], pair[1]);
        outflow = outflow.min(tube(point, a, b, radius_a, radius_b));
    }
    let mut artery = f32::MAX;
    for (a, b, radius_a, radius_b) in PULMONARY {
        artery = artery.min(tube(point, a, b, radius_a, radius_b));
    }
    if outflow < 0.0 || artery < 0.0 {
        let (valve_at, axis) = (RIGHT_OUTFLOW[3].0, vec3(0.68, -0.72, -0.14));
        let height = (point - valve_at).dot(axis);
        let rho = (point - valve_at - axis * height).length();
        let closed = state.outflow_open < 0.3 && (height - 0.35 * (1.0 - rho / 1.2)).abs() < 0.07;
        let opened = state.outflow_open >= 0.3 && (rho - 0.95).abs() < 0.06 && (0.0..0.9).contains(&height);
        if rho < 1.2 && (closed || opened) {
            return Some(Tissue::PulmonaryCusp);
        }
        return Some(if artery < outflow { Tissue::PulmonaryArtery } else { Tissue::RightOutflow });
    }
    if chambers.rv < 0.0 || chambers.la < 0.0 {
        return None;
    }
    (outflow < 0.3 || artery < 0.16).then_some(if outflow < artery { Tissue::RightWall } else { Tissue::VesselWall })
}

fn caval_vein(point: Vec3) -> Option<Tissue> {
    let distance = tube(point, vec3(-4.9, -1.4, -1.8), vec3(-9.5, -4.0, 2.8), 0.95, 0.85);
    if distance < 0.0 {
        return Some(Tissue::CavalVein);
    }
    None
}
