//! Differences from patient to patient.

use random::Stream;

/// Sizes and vigor of one heart at end-diastole; lengths in cm. The defaults are those of a healthy adult
/// (Lang et al., J Am Soc Echocardiogr 2015;28:1-39).
#[derive(Debug, Clone, PartialEq)]
pub struct Patient {
    /// From the base to the apex of the left ventricle's cavity.
    pub lv_length: f32,
    /// The largest radius of the left ventricle's cavity.
    pub lv_radius: f32,
    /// Thickness of septum and free wall.
    pub wall: f32,
    /// Relative size of the right ventricle.
    pub rv_size: f32,
    /// Relative size of the atria.
    pub atrial_size: f32,
    /// Relative size of the aorta.
    pub aortic_size: f32,
    /// Fraction by which the cavity's radius shrinks in systole; 0.31 gives an ejection fraction of about 0.6.
    pub radial_shortening: f32,
    /// Travel of the mitral ring towards the apex.
    pub ring_excursion: f32,
    /// Thickness of the chest wall in front of the heart.
    pub chest_wall: f32,
    /// Distance of the heart's points from where the numbers above put them: standard deviation of each coordinate.
    pub shape_deviation_cm: f32,
    /// Seeds the tissue's scatterers.
    pub texture_seed: u32,
}

impl Default for Patient {
    fn default() -> Self {
        Self {
            lv_length: 8.4,
            lv_radius: 2.4,
            wall: 0.9,
            rv_size: 1.0,
            atrial_size: 1.0,
            aortic_size: 1.0,
            radial_shortening: 0.31,
            ring_excursion: 1.4,
            chest_wall: 1.8,
            shape_deviation_cm: 0.0,
            texture_seed: 1,
        }
    }
}

impl Patient {
    /// Returns a patient drawn at random: mostly healthy, some with dilated, thick or weak hearts.
    pub fn random(seed: u64) -> Self {
        let mut random = Stream::for_purpose(seed, "patient");
        let mut around = |mean: f64, deviation: f64| random.bounded_normal(mean, deviation) as f32;
        let mut patient = Self {
            lv_length: around(8.4, 0.4),
            lv_radius: around(2.4, 0.15),
            wall: around(0.95, 0.13),
            rv_size: around(1.0, 0.08),
            atrial_size: around(1.0, 0.08),
            aortic_size: around(1.0, 0.06),
            radial_shortening: around(0.31, 0.03),
            ring_excursion: around(1.4, 0.15),
            chest_wall: around(1.95, 0.45).max(0.9),
            shape_deviation_cm: 0.28,
            texture_seed: 0,
        };
        match random.whole(0, 9) {
            0 => patient.wall *= 1.35,
            1 => {
                patient.lv_radius *= 1.2;
                patient.radial_shortening *= 0.6;
                patient.ring_excursion *= 0.6;
            }
            2 => patient.atrial_size *= 1.18,
            _ => {}
        }
        patient.texture_seed = random.bits() as u32;
        patient
    }

    /// Returns a patient drawn from ranges that hold nearly every adult heart, the rare ones as often as the usual:
    /// small and dilated, thin and thick, weak and vigorous.
    pub fn randomized(seed: u64) -> Self {
        let mut random = Stream::for_purpose(seed, "randomized patient");
        let mut within = |low: f64, high: f64| random.uniform(low, high) as f32;
        Self {
            lv_length: within(7.2, 9.8),
            lv_radius: within(1.8, 3.1),
            wall: within(0.65, 1.6),
            rv_size: within(0.8, 1.35),
            atrial_size: within(0.8, 1.4),
            aortic_size: within(0.85, 1.25),
            radial_shortening: within(0.12, 0.4),
            ring_excursion: within(0.6, 1.8),
            chest_wall: within(0.9, 2.9),
            shape_deviation_cm: within(0.2, 0.45),
            texture_seed: random.bits() as u32,
        }
    }
}
