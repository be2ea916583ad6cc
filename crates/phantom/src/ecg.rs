//! The ECG of a rhythm: a sum of Gaussians per beat for P, Q, R, S and T.
//!
//! After McSharry et al., "A dynamical model for generating synthetic electrocardiogram signals", IEEE Trans Biomed Eng
//! 2003;50:289-294, with the waves placed in time instead of on a limit cycle, so that R times are exact.

use crate::lattice_hash::{cell_hash, normal_from_bits};
use crate::rhythm::{Beat, Rhythm};
use random::Stream;

/// One wave of a beat: `millivolts` high, `center_s` after R, `width_s` standard deviation.
#[derive(Debug, Clone, Copy)]
struct Wave {
    millivolts: f64,
    center_s: f64,
    width_s: f64,
}

/// The electrocardiogram of one patient as a function of time.
#[derive(Debug, Clone)]
pub struct Electrocardiogram {
    beats: Vec<Beat>,
    waves: [Wave; 5],
    fibrillation: Option<[(f64, f64); 3]>,
    wander_mv: f64,
    noise_mv: f64,
    seed: u32,
}

impl Electrocardiogram {
    /// Returns the ECG that belongs to `beats`; `seed` varies the shape of the waves, the wander and the noise.
    pub fn new(beats: Vec<Beat>, rhythm: Rhythm, seed: u64) -> Self {
        let mut random = Stream::for_purpose(seed, "ecg");
        let mut around = |value: f64, spread: f64| random.bounded_normal(value, value.abs() * spread);
        let waves = [
            wave(around(0.13, 0.25), -0.165, 0.022),
            wave(around(-0.10, 0.4), -0.032, 0.009),
            wave(around(1.0, 0.15), 0.0, 0.0115),
            wave(around(-0.22, 0.5), 0.033, 0.011),
            wave(around(0.28, 0.35), 0.29, 0.055),
        ];
        let fibrillation = (rhythm == Rhythm::AtrialFibrillation).then(|| {
            [5.1, 6.7, 8.3].map(|hertz| (hertz * random.uniform(0.9, 1.1), random.uniform(0.0, std::f64::consts::TAU)))
        });
        Self {
            beats,
            waves,
            fibrillation,
            wander_mv: random.uniform(0.0, 0.06),
            noise_mv: random.uniform(0.002, 0.012),
            seed: random.bits() as u32,
        }
    }

    /// Returns the beats, in ascending order of time.
    pub fn beats(&self) -> &[Beat] {
        &self.beats
    }

    /// Returns the voltage in mV at `time_s` seconds from frame 0.
    pub fn millivolts(&self, time_s: f64) -> f64 {
        let next = self.beats.partition_point(|beat| beat.r_time_s < time_s - 1.2);
        let mut sum = 0.0;
        for index in next..self.beats.len() {
            let beat = &self.beats[index];
            if beat.r_time_s > time_s + 0.5 {
                break;
            }
            let rr_s = self.rr_after_s(index);
            sum += self.beat_millivolts(beat, rr_s, time_s - beat.r_time_s);
        }
        if let Some(fibrillation) = &self.fibrillation {
            sum += fibrillation
                .iter()
                .map(|(hertz, phase)| 0.025 * (std::f64::consts::TAU * hertz * time_s + phase).sin())
                .sum::<f64>();
        }
        let wander = self.wander_mv * (std::f64::consts::TAU * time_s / 3.7).sin();
        let noise_cell = (time_s * 500.0).floor() as i32;
        let noise = f64::from(normal_from_bits(cell_hash(noise_cell, 0, 0, self.seed)));
        sum + wander + self.noise_mv * noise
    }

    fn beat_millivolts(&self, beat: &Beat, rr_s: f64, since_r_s: f64) -> f64 {
        // Repolarization follows the square root of the R-R interval (Bazett).
        let stretch = rr_s.clamp(0.3, 1.4).sqrt();
        let [p, q, r, s, t] = self.waves;
        if beat.premature {
            let wide = wave(1.15 * r.millivolts, 0.0, 0.036);
            let late_t = wave(-0.45, 0.27 * stretch, 0.06 * stretch);
            return wide.at(since_r_s) + late_t.at(since_r_s);
        }
        let t = wave(t.millivolts, t.center_s * stretch, t.width_s * stretch);
        let kick = if beat.atrial_kick { p.at(since_r_s) } else { 0.0 };
        kick + q.at(since_r_s) + r.at(since_r_s) + s.at(since_r_s) + t.at(since_r_s)
    }

    fn rr_after_s(&self, index: usize) -> f64 {
        match self.beats.get(index + 1) {
            Some(next) => next.r_time_s - self.beats[index].r_time_s,
            None => 0.8,
        }
    }
}

fn wave(millivolts: f64, center_s: f64, width_s: f64) -> Wave {
    Wave { millivolts, center_s, width_s }
}

impl Wave {
    fn at(&self, since_r_s: f64) -> f64 {
        let z = (since_r_s - self.center_s) / self.width_s;
        if z.abs() > 5.0 { 0.0 } else { self.millivolts * (-0.5 * z * z).exp() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rhythm::beats;

    #[test]
    fn the_highest_sample_of_each_beat_is_its_r_time() {
        for rhythm in Rhythm::ALL {
            let beats = beats(rhythm, 72.0, 10.0, 0.3, 11);
            let ecg = Electrocardiogram::new(beats.clone(), rhythm, 11);
            for beat in beats.iter().filter(|beat| beat.r_time_s > 0.0 && beat.r_time_s < 10.0) {
                let best = (-100..=100)
                    .map(|step| beat.r_time_s + f64::from(step) * 0.001)
                    .max_by(|a, b| ecg.millivolts(*a).total_cmp(&ecg.millivolts(*b)));
                let off_s = (best.unwrap_or(f64::MAX) - beat.r_time_s).abs();
                assert!(off_s < 0.012, "{rhythm:?}: off by {off_s}");
            }
        }
    }
}
