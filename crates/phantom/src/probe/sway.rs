//! A probe that leaves its place for moments: the patient breathes, the hand slips.

use super::Handling;
use random::Stream;

/// Excursions from where a probe is held, one after the other, each out and back again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sway {
    /// Distance of the plane at the height of an excursion.
    furthest: Handling,
    /// From the height of one to that of the next, in seconds.
    period_s: f64,
    /// The height of the first after frame 0, in seconds.
    first_s: f64,
    /// Duration of an excursion, out and back, in seconds.
    lasts_s: f64,
}

impl Sway {
    /// A probe that stays where it is.
    pub const NONE: Self = Self { furthest: Handling::STEADY, period_s: 1.0, first_s: 0.0, lasts_s: 0.0 };

    /// Excursions drawn at random, `amount` times as far as a hand deviates usually; none at 0.
    ///
    /// They last less than half of the time, so that most frames show the plane that the hand means.
    pub fn random(seed: u64, amount: f64) -> Self {
        let mut random = Stream::for_purpose(seed, "sway");
        let period_s = random.uniform(0.7, 1.3);
        Self {
            furthest: Handling::random(random.bits(), amount),
            period_s,
            first_s: random.uniform(0.0, period_s),
            lasts_s: period_s * random.uniform(0.3, 0.45),
        }
    }

    /// Returns the distance of the plane at a time from frame 0, in seconds.
    pub fn at(&self, time_s: f64) -> Handling {
        let since_height_s =
            (time_s - self.first_s + 0.5 * self.period_s).rem_euclid(self.period_s) - 0.5 * self.period_s;
        if since_height_s.abs() * 2.0 >= self.lasts_s {
            return Handling::STEADY;
        }
        let share = 0.5 + 0.5 * (std::f64::consts::TAU * since_height_s / self.lasts_s).cos();
        self.furthest.times(share as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_the_time_the_plane_is_where_the_hand_means_it() {
        for seed in 0..20 {
            let sway = Sway::random(seed, 5.0);
            let away = (0..2000).filter(|step| sway.at(f64::from(*step) * 0.005) != Handling::STEADY).count();
            assert!((500..1000).contains(&away), "seed {seed}: away in {away} of 2000 moments");
            let height = sway.at(sway.first_s + 3.0 * sway.period_s);
            assert!((height.tilt_rad - sway.furthest.tilt_rad).abs() < 1e-4, "seed {seed}: {height:?}");
        }
    }

    #[test]
    fn without_an_amount_nothing_moves() {
        assert!((0..100).all(|step| Sway::random(3, 0.0).at(f64::from(step) * 0.02) == Handling::STEADY));
        assert!((0..100).all(|step| Sway::NONE.at(f64::from(step) * 0.02) == Handling::STEADY));
    }
}
