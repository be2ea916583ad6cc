//! The motion of the heart as a map from where a point is now to where its material is at end-diastole.

use super::chambers::cavity_radius;
use super::{CardiacState, Patient};
use crate::space::{Vec3, smooth_step, vec3};

/// Level at which the atrial roof and the great vessels are held still, in cm.
const FIXED_ABOVE_Z: f32 = -6.0;

/// Returns the material point (end-diastolic position, cm) that is at `point` in `state`.
///
/// The base moves to the apex; the left ventricle's wall keeps its volume (a thick-walled incompressible cylinder, as
/// in Arts et al., Ann Biomed Eng 1979;7:299-318), so it thickens as the cavity shrinks; the right ventricle's free
/// wall moves towards the septum; farther away the motion fades to nothing.
pub fn to_rest(point: Vec3, state: &CardiacState, patient: &Patient) -> Vec3 {
    // The aortic root is tied down by the aorta and moves less than the mitral ring behind it.
    let tied = 1.0 - 0.35 * smooth_step(0.0, 2.0, point.y) * smooth_step(3.0, 0.5, point.z);
    let (length, ring) = (patient.lv_length, patient.ring_excursion * state.contraction * tied);
    let z = if point.z > ring {
        if point.z < length { (point.z - ring) * length / (length - ring) } else { point.z }
    } else if point.z > FIXED_ABOVE_Z {
        let share = (point.z - FIXED_ABOVE_Z) / (ring - FIXED_ABOVE_Z);
        FIXED_ABOVE_Z * (1.0 - share)
    } else {
        point.z
    };
    let contraction = state.contraction * (0.15 + 0.85 * smooth_step(-1.5, 1.8, z)) * smooth_step(-3.0, -1.0, z);
    if contraction < 1e-4 {
        return vec3(point.x, point.y, z);
    }
    let radius = (point.x * point.x + point.y * point.y).sqrt().max(1e-4);
    let on_the_right = smooth_step(0.2, -0.6, point.x / radius);
    let at_rest = rest_radius(radius, z, contraction, on_the_right, patient);
    let factor = at_rest / radius;
    vec3(point.x * factor, point.y * factor, z)
}

/// Returns the end-diastolic distance from the long axis of what is now at distance `radius`.
fn rest_radius(radius: f32, z: f32, contraction: f32, on_the_right: f32, patient: &Patient) -> f32 {
    let cavity_rest = cavity_radius(z.clamp(0.0, patient.lv_length * 0.97), patient).max(0.3);
    let outer_rest = cavity_rest + patient.wall;
    let cavity_now = cavity_rest * (1.0 - patient.radial_shortening * contraction);
    if radius < cavity_now {
        return radius * cavity_rest / cavity_now;
    }
    let stretch = 1.0 - contraction * patient.ring_excursion / patient.lv_length;
    let outer_now = (cavity_now * cavity_now + (outer_rest * outer_rest - cavity_rest * cavity_rest) / stretch).sqrt();
    if radius < outer_now {
        return (cavity_rest * cavity_rest + stretch * (radius * radius - cavity_now * cavity_now)).sqrt();
    }
    let beyond = radius - outer_now;
    let squeeze = 0.42 * contraction * on_the_right * beyond.min(2.0);
    let fade = (1.0 - (beyond - 2.0).max(0.0) / 3.5).max(0.0);
    radius + (outer_rest - outer_now + squeeze) * fade
}

#[cfg(test)]
mod tests {
    use super::*;

    fn systole(contraction: f32) -> CardiacState {
        CardiacState {
            contraction,
            atrial_kick: 0.0,
            inflow_open: 0.0,
            outflow_open: 1.0,
            inflow_speed: 0.0,
            outflow_speed: 1.0,
        }
    }

    #[test]
    fn nothing_moves_at_end_diastole() {
        let point = vec3(1.3, -2.0, 3.0);
        let rest = to_rest(point, &systole(0.0), &Patient::default());
        assert!((rest - point).length() < 1e-4);
    }

    #[test]
    fn the_map_never_folds() {
        let patient = Patient::default();
        for z in [-2.0, 0.5, 3.0, 7.0] {
            for direction in [vec3(1.0, 0.0, 0.0), vec3(-1.0, 0.0, 0.0), vec3(0.0, 1.0, 0.0)] {
                let mut before = 0.0;
                for step in 1..100 {
                    let point = direction * (step as f32 * 0.1) + vec3(0.0, 0.0, z);
                    let rest = to_rest(point, &systole(1.0), &patient);
                    let radius = (rest.x * rest.x + rest.y * rest.y).sqrt();
                    assert!(radius > before, "folds at z {z} step {step}");
                    before = radius;
                }
            }
        }
    }
}
