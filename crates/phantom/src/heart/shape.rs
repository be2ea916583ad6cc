//! Differences that the numbers of a patient leave out: every heart is bent in a way of its own.

use std::f32::consts::TAU;

use random::Stream;

use crate::space::{Vec3, vec3};

/// A slow deformation of space: a few waves, each longer than a chamber is wide, that shift what they pass through.
#[derive(Debug, Clone)]
pub struct Shape {
    waves: Vec<Wave>,
}

/// The waves of a shape.
const WAVES: usize = 3;
/// The shortest and the longest wave in cm; shorter ones would crumple walls.
const LENGTH_CM: (f64, f64) = (7.0, 16.0);

#[derive(Debug, Clone)]
struct Wave {
    /// Its wave vector, in radians per cm.
    along: Vec3,
    /// Its shift at the crest, in cm.
    shift: Vec3,
    phase_rad: f32,
}

impl Shape {
    /// Returns a shape whose points lie `deviation_cm` (standard deviation of each coordinate) from where the plain
    /// heart has them; 0 leaves them there.
    pub fn random(seed: u64, deviation_cm: f32) -> Self {
        if deviation_cm == 0.0 {
            return Self { waves: vec![] };
        }
        let mut random = Stream::for_purpose(seed, "shape");
        // A wave is at its crest no more often than in its trough: the root of two makes up for it.
        let crest_cm = f64::from(deviation_cm) * (2.0 / WAVES as f64).sqrt();
        let wave = |_| {
            let mut normal = |deviation: f64| random.bounded_normal(0.0, deviation) as f32;
            let towards = vec3(normal(1.0), normal(1.0), normal(1.0)).unit();
            let shift = vec3(normal(crest_cm), normal(crest_cm), normal(crest_cm));
            let (shortest, longest) = LENGTH_CM;
            let length_cm = random.uniform(shortest, longest) as f32;
            Wave { along: towards * (TAU / length_cm), shift, phase_rad: random.uniform(0.0, f64::from(TAU)) as f32 }
        };
        Self { waves: (0..WAVES).map(wave).collect() }
    }

    /// Returns the point of the plain organ that is at `point` in this one; both in cm.
    pub fn in_plain_shape(&self, point: Vec3) -> Vec3 {
        let shifted = |at: Vec3, wave: &Wave| at + wave.shift * (wave.along.dot(point) + wave.phase_rad).sin();
        self.waves.iter().fold(point, shifted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_move_as_far_as_said_and_neighbors_stay_neighbors() {
        let (mut square, mut count) = (0.0, 0);
        for seed in 0..40 {
            let shape = Shape::random(seed, 0.3);
            for step in 0..20 {
                let point = vec3(0.7, 0.3, -0.4) * step as f32;
                let moved = shape.in_plain_shape(point) - point;
                square += moved.dot(moved);
                count += 3;
                let beside = point + vec3(0.02, 0.01, 0.0);
                let apart = (shape.in_plain_shape(beside) - shape.in_plain_shape(point)).length() / 0.02236;
                assert!((0.2..2.2).contains(&apart), "seed {seed}: neighbors {apart} times as far apart");
            }
        }
        let deviation = (square / count as f32).sqrt();
        assert!((0.2..0.4).contains(&deviation), "{deviation} cm");
        let point = vec3(1.0, 2.0, 3.0);
        assert_eq!(Shape::random(5, 0.0).in_plain_shape(point), point);
    }
}
