//! The pulse-echo field of the array: how it hears a point beside the axis of a beam.

use super::settings::ArraySettings;

const ELEMENTS: usize = 64;
/// Angle from the axis within which a point is heard: the main lobe and the first side lobes.
const REACH_RAD: f32 = 0.16;
const OFFSETS: usize = 161;
const DEPTHS: usize = 96;

/// The field as a table over depth and angle, 1 on the axis at the transmit focus.
#[derive(Debug, Clone)]
pub struct BeamPattern {
    /// `[DEPTHS * OFFSETS]` complex.
    values: Vec<(f32, f32)>,
    depth_step_cm: f32,
}

impl BeamPattern {
    /// Returns the field for points down to `depth_cm`: focused at one depth in transmission, at every depth in reception.
    pub fn new(settings: &ArraySettings, depth_cm: f32) -> Self {
        let depth_step_cm = depth_cm / (DEPTHS - 1) as f32;
        let at = |index: usize| {
            // At the probe's face angles mean nothing.
            let depth = (index / OFFSETS) as f32 * depth_step_cm + 0.3;
            let offset = angle_of(index % OFFSETS);
            let transmitted = field(settings, (depth, offset), settings.focus_cm, |_| 1.0);
            let received =
                field(settings, (depth, offset), depth, |across| 0.54 + 0.46 * (std::f32::consts::PI * across).cos());
            (
                transmitted.0 * received.0 - transmitted.1 * received.1,
                transmitted.0 * received.1 + transmitted.1 * received.0,
            )
        };
        Self { values: (0..DEPTHS * OFFSETS).map(at).collect(), depth_step_cm }
    }

    /// Returns the angle from the axis within which a point is heard, in radians.
    pub fn reach_rad(&self) -> f32 {
        REACH_RAD
    }

    /// Returns the field at a point, nothing beyond the reach.
    pub fn at(&self, depth_cm: f32, offset_rad: f32) -> (f32, f32) {
        let offset = (offset_rad / REACH_RAD + 1.0) * 0.5 * (OFFSETS - 1) as f32 + 0.5;
        if !(0.0..OFFSETS as f32).contains(&offset) {
            return (0.0, 0.0);
        }
        let depth = ((depth_cm / self.depth_step_cm + 0.5) as usize).min(DEPTHS - 1);
        self.values[depth * OFFSETS + offset as usize]
    }
}

fn angle_of(index: usize) -> f32 {
    (2.0 * index as f32 / (OFFSETS - 1) as f32 - 1.0) * REACH_RAD
}

/// Sums the waves between the elements, delayed for a focus on the axis at `focus_cm`, and a point at `(depth, angle)`.
fn field(
    settings: &ArraySettings,
    (depth_cm, angle_rad): (f32, f32),
    focus_cm: f32,
    apodization: impl Fn(f32) -> f32,
) -> (f32, f32) {
    let (mut re, mut im, mut weights) = (0.0, 0.0, 0.0);
    for element in 0..ELEMENTS {
        // -1 to 1 over the aperture.
        let across = (2 * element + 1) as f32 / ELEMENTS as f32 - 1.0;
        let x = 0.5 * across * settings.aperture_cm;
        let path = (depth_cm * depth_cm + x * x - 2.0 * depth_cm * x * angle_rad.sin()).sqrt() - depth_cm;
        let delay = focus_cm.hypot(x) - focus_cm;
        let (sin, cos) = (settings.wave_number * (path - delay)).sin_cos();
        let weight = apodization(across);
        re += weight * cos;
        im += weight * sin;
        weights += weight;
    }
    (re / weights, im / weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beam_is_narrowest_at_its_focus_and_as_wide_as_diffraction_says() {
        let settings = ArraySettings { focus_cm: 8.0, ..ArraySettings::random(3) };
        let pattern = BeamPattern::new(&settings, 16.0);
        let magnitude = |depth, offset| {
            let (re, im) = pattern.at(depth, offset);
            re.hypot(im)
        };
        assert!((magnitude(8.0, 0.0) - 1.0).abs() < 0.05);
        assert_eq!(pattern.at(8.0, 1.0), (0.0, 0.0));
        let width = |depth: f32| {
            (0..800).map(|step| step as f32 * 0.0002).find(|&o| magnitude(depth, o) < 0.5 * magnitude(depth, 0.0))
        };
        // Half the two-way field of a uniform aperture and one with Hamming's weights: about 0.5 wavelengths over the aperture.
        let wavelength_cm = std::f32::consts::TAU / settings.wave_number;
        let at_focus = width(8.0).unwrap() * settings.aperture_cm / wavelength_cm;
        assert!((0.35..0.65).contains(&at_focus), "{at_focus}");
        assert!(width(3.0).unwrap() > 1.2 * width(8.0).unwrap());
    }
}
