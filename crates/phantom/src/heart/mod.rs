//! One 3D heart of implicit surfaces, at rest at end-diastole, moved by a warp of space.

mod chambers;
mod cycle;
mod patient;
mod shape;
mod surroundings;
mod tissue;
mod valves;
mod vessels;
mod warp;

pub use cycle::{BeatPhases, CardiacCycle, CardiacState};
pub use patient::Patient;
pub use shape::Shape;
pub use tissue::{Acoustics, Tissue};

use crate::space::Vec3;

/// A patient's heart: which tissue is where, at any moment of the cycle.
#[derive(Debug, Clone)]
pub struct Heart {
    patient: Patient,
    shape: Shape,
    aorta: vessels::Aorta,
}

/// The tissue at a point and the material point that it is, for speckle that moves with the tissue.
#[derive(Debug, Clone, Copy)]
pub struct Material {
    /// Tissue at the point.
    pub tissue: Tissue,
    /// Position of the same material at end-diastole, in cm.
    pub at_rest: Vec3,
}

impl Heart {
    /// Returns the heart of a patient.
    pub fn new(patient: Patient) -> Self {
        let shape = Shape::random(u64::from(patient.texture_seed), patient.shape_deviation_cm);
        Self { aorta: vessels::Aorta::new(&patient), shape, patient }
    }

    /// Returns the patient whose heart it is.
    pub fn patient(&self) -> &Patient {
        &self.patient
    }

    /// Returns the material at `point` (heart coordinates, cm) in `state`.
    pub fn material_at(&self, point: Vec3, state: &CardiacState) -> Material {
        let at_rest = warp::to_rest(self.shape.in_plain_shape(point), state, &self.patient);
        Material { tissue: self.tissue_at_rest(at_rest, state), at_rest }
    }

    /// Returns the tissue at a material point; valves and atria still depend on `state`, for they do more than the
    /// warp.
    fn tissue_at_rest(&self, point: Vec3, state: &CardiacState) -> Tissue {
        let patient = &self.patient;
        let chambers = chambers::Distances::at(point, patient, state);
        if let Some(tissue) = self.aorta.tissue_at(point, state) {
            return tissue;
        }
        if let Some(tissue) = chambers.mitral_leaflet(point, patient, state) {
            return tissue;
        }
        if let Some(tissue) = vessels::left_outflow(point, patient) {
            return tissue;
        }
        if let Some(tissue) = chambers.left_ventricle_tissue(point, patient) {
            return tissue;
        }
        if let Some(tissue) = vessels::right_outflow(point, &chambers, state) {
            return tissue;
        }
        if let Some(tissue) = chambers.right_heart_tissue(point, patient, state) {
            return tissue;
        }
        if let Some(tissue) = chambers.atrial_tissue() {
            return tissue;
        }
        surroundings::tissue_at(point, &chambers, patient)
    }
}
