//! Color flow: blood speed along the beam inside a color box.

use super::polar::{Beamformer, PolarFrame};
use crate::heart::{CardiacState, Tissue};
use crate::lattice_hash::{cell_hash, normal_from_bits};
use crate::probe::ImagePlane;
use crate::space::{Vec3, vec3};

/// The color box in beam coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowBox {
    /// First and last angle, as fractions of the sector (0 left, 1 right).
    pub beams: (f32, f32),
    /// First and last depth, as fractions of the full depth.
    pub depths: (f32, f32),
    /// Speed at which the colors wrap around, in cm/s.
    pub nyquist_cm_s: f32,
}

impl FlowBox {
    /// Returns the velocity towards the probe on every sample, as a fraction of the Nyquist speed; 0 outside the box,
    /// in tissue and where the blood is too slow. `[beams * samples]`.
    pub fn velocities(
        &self,
        beamformer: &Beamformer,
        plane: &ImagePlane,
        frame: &PolarFrame,
        state: &CardiacState,
        number: u32,
    ) -> Vec<f32> {
        let grid = beamformer.grid();
        let mut velocities = vec![0.0; frame.tissue.len()];
        let beam_at = |share: f32| (share * (grid.beams - 1) as f32) as usize;
        let sample_at = |share: f32| (share * (grid.samples - 1) as f32) as usize;
        for beam in beam_at(self.beams.0)..=beam_at(self.beams.1) {
            let direction = plane.beam(grid.angle_rad(beam as f32));
            for sample in sample_at(self.depths.0)..=sample_at(self.depths.1) {
                let index = beam * grid.samples + sample;
                let depth_cm = sample as f32 * grid.step_cm();
                let point = plane.probe + direction * depth_cm;
                let flow = blood_velocity(frame.tissue[index], point, state);
                let hash = cell_hash(beam as i32 / 2, sample as i32 / 3, number as i32, 0xF10);
                let towards = -flow.dot(direction) + 5.0 * normal_from_bits(hash);
                let share = towards / self.nyquist_cm_s;
                if flow.length() > 1.0 && share.abs() > 0.14 {
                    // Faster than Nyquist wraps around to the other color.
                    velocities[index] = (share + 1.0).rem_euclid(2.0) - 1.0;
                }
            }
        }
        velocities
    }
}

/// Returns the velocity of blood in cm/s: a plain jet per chamber, not a flow simulation.
fn blood_velocity(tissue: Tissue, point: Vec3, state: &CardiacState) -> Vec3 {
    let to_apex = vec3(0.0, 0.0, 1.0);
    let (inflow, outflow) = (75.0 * state.inflow_speed, 105.0 * state.outflow_speed);
    let jet = |axis_x: f32, axis_y: f32, width: f32| {
        let across = (point.x - axis_x).hypot(point.y - axis_y) / width;
        (1.0 - across * across).max(0.0)
    };
    match tissue {
        Tissue::LeftVentricle => {
            let filling = jet(0.3, -0.4, 1.9) * (1.0 - point.z / 8.0).clamp(0.0, 1.0);
            let leaving = jet(-0.6, 0.9, 2.2) * (1.0 - point.z / 6.0).clamp(0.0, 1.0);
            to_apex * (inflow * filling - 0.6 * outflow * leaving)
        }
        Tissue::LeftAtrium => to_apex * (0.7 * inflow * jet(0.3, -0.6, 2.0) * (1.0 + point.z / 4.0).clamp(0.0, 1.0)),
        Tissue::RightVentricle => {
            to_apex * (0.7 * inflow * jet(-3.7, 0.0, 1.9) * (1.0 - point.z / 6.0).clamp(0.0, 1.0))
        }
        Tissue::RightAtrium => to_apex * (0.5 * inflow * jet(-3.8, 0.0, 2.0)),
        Tissue::LeftOutflow | Tissue::Aorta if point.z > -5.0 && point.y > -2.0 => vec3(-0.135, 0.3, -0.944) * outflow,
        Tissue::Aorta if point.z < -7.8 => vec3(0.45, -0.85, 0.0) * outflow,
        Tissue::Aorta => vec3(0.1, -0.1, 0.95) * outflow,
        Tissue::RightOutflow => vec3(0.7, 0.1, -0.4) * (0.7 * outflow),
        Tissue::PulmonaryArtery => vec3(0.5, -0.8, -0.3) * (0.75 * outflow),
        _ => vec3(0.0, 0.0, 0.0),
    }
}
