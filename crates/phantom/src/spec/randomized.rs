//! Domain randomization: loops drawn far wider than any lab records them.

use super::LoopSpec;
use crate::beamform::Gain;
use crate::heart::Patient;
use random::Stream;

impl LoopSpec {
    /// Draws patient and look anew from ranges so wide that a real scanner is one more look among them, after Tobin et
    /// al., "Domain Randomization for Transferring Deep Neural Networks from Simulation to the Real World", IROS 2017.
    ///
    /// `patient_seed` is the study's, so that all its loops show one heart.
    pub(crate) fn randomize_domain(&mut self, patient_seed: u64) {
        self.patient = Patient::randomized(patient_seed);
        let draws = &mut Stream::for_purpose(self.seed, "domain randomization");
        let mut within = |low: f64, high: f64| draws.uniform(low, high) as f32;
        self.depth_cm = (self.depth_cm * within(0.78, 1.3)).clamp(8.0, 28.0);
        self.half_angle_rad = within(27.0, 50.0).to_radians();
        self.gain = Gain {
            gain_db: within(-7.0, 9.0),
            range_db: within(40.0, 74.0),
            noise_db: within(-56.0, -34.0),
            clutter_db: within(-26.0, -4.0),
            clutter_depth_cm: within(0.8, 5.0),
            dropout: within(0.1, 1.6),
            shadows: within(0.0, 3.999) as u32,
            side_haze_db: within(-40.0, -8.0),
            reverberation: within(0.0, 0.12),
            tissue_deviation_db: within(2.0, 6.0),
            patchiness: within(0.6, 2.8),
            mirror_db: within(-22.0, 14.0),
            along_wall_loss_db: within(0.0, 16.0),
            pulse_length: within(0.6, 2.2),
            beam_width: within(0.6, 2.6),
            gamma: within(0.9, 2.5),
        };
    }
}
