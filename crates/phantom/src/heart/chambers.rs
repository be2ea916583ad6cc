//! The four chambers and their walls at end-diastole.

use super::valves::{self, MITRAL, TRICUSPID};
use super::{CardiacState, Patient, Tissue};
use crate::lattice_hash::{cell_hash, unit_from_bits};
use crate::space::{Vec3, ellipsoid, smooth_step, tube, vec3};

/// The widest level of the left ventricle above its base, in cm.
const WIDEST_Z: f32 = 2.6;

/// Returns the radius of the left ventricle's cavity at level `z` (cm from base), at end-diastole.
pub fn cavity_radius(z: f32, patient: &Patient) -> f32 {
    if z > WIDEST_Z {
        let share = ((z - WIDEST_Z) / (patient.lv_length - WIDEST_Z)).min(1.0);
        patient.lv_radius * (1.0 - share * share).max(0.0).sqrt()
    } else {
        let share = (WIDEST_Z - z.max(0.0)) / WIDEST_Z;
        patient.lv_radius * (1.0 - 0.18 * share * share)
    }
}

/// Distances in cm of one point to the surfaces of the chambers, negative inside.
#[derive(Debug, Clone, Copy)]
pub struct Distances {
    /// To the left ventricle's cavity.
    pub lv: f32,
    /// To the left ventricle's outer surface.
    pub lv_outer: f32,
    /// To the right ventricle's cavity, not counting what the left ventricle takes away.
    pub rv: f32,
    /// To the left atrium.
    pub la: f32,
    /// To the right atrium.
    pub ra: f32,
    /// To the smooth hull around all of them.
    pub hull: f32,
}

impl Distances {
    /// Returns the distances of `point`; the atria breathe with `state`.
    pub fn at(point: Vec3, patient: &Patient, state: &CardiacState) -> Self {
        let lv_side = if point.z > WIDEST_Z {
            let along = patient.lv_length - WIDEST_Z;
            ellipsoid(point, vec3(0.0, 0.0, WIDEST_Z), vec3(patient.lv_radius, patient.lv_radius, along))
        } else {
            (point.x * point.x + point.y * point.y).sqrt() - cavity_radius(point.z, patient)
        };
        let wall = patient.wall * (1.0 - 0.35 * smooth_step(0.6 * patient.lv_length, patient.lv_length, point.z));
        let lv_outer = (lv_side - wall).max(-0.5 - point.z);
        let size = patient.rv_size;
        let rv_main = ellipsoid(point, vec3(-2.9, 0.65, 1.0), vec3(3.65 * size, 3.5 * size, 6.1));
        let rv = rv_main.max(0.45 - point.z + 0.25 * (point.x - TRICUSPID.x).max(0.0));
        let breath = 0.93 + 0.09 * state.contraction - 0.05 * state.atrial_kick;
        let atrial = patient.atrial_size * breath;
        let la =
            ellipsoid(point, vec3(0.45, -0.85, -2.55), vec3(2.1 * atrial, 2.0 * atrial, 2.75 * patient.atrial_size))
                .max(point.z);
        let ra = ellipsoid(point, vec3(-4.3, 0.15, -1.75), vec3(2.3 * atrial, 2.2 * atrial, 2.6 * patient.atrial_size));
        let hull = soft_min(
            soft_min(lv_side.max(-1.5 - point.z) - wall, rv_main.max(-0.8 - point.z) - 0.35),
            soft_min(la - 0.2, ra - 0.2),
        );
        Self { lv: lv_side.max(-point.z), lv_outer, rv, la, ra, hull }
    }

    /// Returns the mitral valve.
    pub fn mitral_leaflet(&self, point: Vec3, patient: &Patient, state: &CardiacState) -> Option<Tissue> {
        let near = self.lv < 0.3 || self.la < 0.3;
        if near { valves::mitral(point, patient, state) } else { None }
    }

    /// Cavity, papillary muscles and wall of the left ventricle, `None` outside its outer surface.
    pub fn left_ventricle_tissue(&self, point: Vec3, patient: &Patient) -> Option<Tissue> {
        if self.lv < 0.0 {
            return Some(papillary(point, patient).unwrap_or(Tissue::LeftVentricle));
        }
        if self.lv_outer >= 0.0 || self.la < 0.0 {
            return None;
        }
        let ring_distance = ((point - MITRAL).length() - 1.75).abs();
        if point.z.abs() < 0.35 && ring_distance < 0.4 {
            return Some(Tissue::Annulus);
        }
        if self.ra < 0.0 {
            return None;
        }
        Some(Tissue::Myocardium)
    }

    /// Cavity, valve and free wall of the right ventricle, and the right atrium's blood.
    pub fn right_heart_tissue(&self, point: Vec3, patient: &Patient, state: &CardiacState) -> Option<Tissue> {
        if self.rv < 0.4 || self.ra < 0.3 {
            let leaflet = valves::tricuspid(point, patient, state);
            if leaflet.is_some() {
                return leaflet;
            }
        }
        if self.rv < 0.0 {
            let trabecula = trabecula_at(point, patient) && self.rv > -0.45 && point.z > 2.5;
            return Some(if trabecula { Tissue::Papillary } else { Tissue::RightVentricle });
        }
        if self.ra < 0.0 {
            return Some(Tissue::RightAtrium);
        }
        (self.rv < 0.42 && point.z > 0.2).then_some(Tissue::RightWall)
    }

    /// Returns the left atrium's blood and the thin walls of both atria with the septum between them.
    pub fn atrial_tissue(&self) -> Option<Tissue> {
        if self.la < 0.0 {
            return Some(Tissue::LeftAtrium);
        }
        (self.la < 0.22 || self.ra < 0.22).then_some(Tissue::AtrialWall)
    }
}

fn soft_min(a: f32, b: f32) -> f32 {
    let blend = (0.5 + 0.5 * (b - a) / 1.0).clamp(0.0, 1.0);
    b + (a - b) * blend - blend * (1.0 - blend)
}

/// Returns the two papillary muscles with their chords to the mitral leaflets.
fn papillary(point: Vec3, patient: &Patient) -> Option<Tissue> {
    let (radius, length) = (patient.lv_radius, patient.lv_length);
    for angle_rad in [-0.42_f32, 3.75] {
        let (sin, cos) = angle_rad.sin_cos();
        let at = |share: f32, z: f32| vec3(cos * radius * share, sin * radius * share, z * length);
        let (root, head) = (at(0.86, 0.68), at(0.66, 0.40));
        if tube(point, root, head, 0.55, 0.42) < 0.0 {
            return Some(Tissue::Papillary);
        }
        let tip = vec3(cos * 0.5, sin * 0.5 - 0.3, 1.5);
        if point.z > 1.4 && point.z < head.z && tube(point, head, tip, 0.05, 0.04) < 0.0 {
            return Some(Tissue::Chord);
        }
    }
    None
}

/// Coarse muscle bundles along the right ventricle's wall, with the moderator band.
fn trabecula_at(point: Vec3, patient: &Patient) -> bool {
    let cell = |value: f32, size: f32| (value / size).floor() as i32;
    let hash = cell_hash(cell(point.x, 0.5), cell(point.y, 0.5), cell(point.z, 0.9), patient.texture_seed ^ 77);
    unit_from_bits(hash) < 0.2
}
