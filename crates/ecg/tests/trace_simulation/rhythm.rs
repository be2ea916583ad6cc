//! Heart beats and the ECG they make.

use super::Rng;

/// An ECG as a function of time.
#[derive(Debug, Clone)]
pub struct Ecg {
    /// R peaks in seconds, from well before the loop until after it; true for an ectopic beat.
    pub beats: Vec<(f64, bool)>,
    shape: Shape,
}

#[derive(Debug, Clone)]
struct Shape {
    p: f64,
    q: f64,
    s: f64,
    t: f64,
    r_width_s: f64,
    sign: f64,
    noise: f64,
    wander: f64,
    wander_hz: f64,
    flutter: f64,
    flutter_hz: f64,
    seed: i64,
    flat: bool,
}

impl Ecg {
    /// A rhythm for the time from `from_s` to `to_s`.
    pub fn simulate(rng: &mut Rng, from_s: f64, to_s: f64, flat: bool) -> Self {
        let rate = if rng.chance(0.15) { rng.between(110.0, 200.0) } else { rng.between(42.0, 110.0) };
        let rr = 60.0 / rate;
        let kind = rng.whole(0, 9);
        let fibrillates = kind == 0;
        let ectopic_share = if kind == 1 { 0.25 } else { 0.0 };
        let mut beats = Vec::new();
        let mut time = from_s + rng.between(0.0, rr);
        let mut ectopic = false;
        while time < to_s && !flat {
            beats.push((time, ectopic));
            let after_ectopic = ectopic;
            ectopic = !after_ectopic && rng.chance(ectopic_share);
            let factor = if fibrillates {
                rng.between(0.65, 1.5)
            } else if ectopic {
                0.62
            } else if after_ectopic {
                1.35
            } else {
                1.0 + 0.03 * rng.normal()
            };
            time += (rr * factor).max(0.28);
        }
        let tall_t = rng.chance(0.15);
        let low = rng.chance(0.3);
        let shape = Shape {
            p: if fibrillates { 0.0 } else { rng.between(0.03, 0.16) },
            q: rng.between(0.0, 0.15),
            s: rng.between(0.0, 0.4),
            t: if tall_t { rng.between(0.5, 0.8) } else { rng.between(-0.1, 0.35) },
            r_width_s: rng.between(0.009, 0.02),
            sign: if rng.chance(0.12) { -1.0 } else { 1.0 },
            noise: if low { rng.between(0.0, 0.04) } else { rng.between(0.0, 0.015) },
            wander: if rng.chance(0.3) { rng.between(0.05, 0.3) } else { 0.0 },
            wander_hz: rng.between(0.15, 0.4),
            flutter: if fibrillates { rng.between(0.02, 0.08) } else { 0.0 },
            flutter_hz: rng.between(5.0, 8.0),
            seed: rng.next() as i64,
            flat,
        };
        Self { beats, shape }
    }

    /// The ECG at a time; an R peak is about 1 high.
    pub fn at(&self, time_s: f64) -> f64 {
        let shape = &self.shape;
        let tick = (time_s * 400.0).floor() as i64;
        let noise = shape.noise * 2.0 * (super::hash_unit(shape.seed, tick, 1) - 0.5);
        if shape.flat {
            return noise.min(0.02);
        }
        let mut value = noise;
        value += shape.wander * (std::f64::consts::TAU * shape.wander_hz * time_s).sin();
        value += shape.flutter * (std::f64::consts::TAU * shape.flutter_hz * time_s).sin();
        let bump = |height: f64, at: f64, width: f64| {
            let z = (time_s - at) / width;
            if z.abs() > 5.0 { 0.0 } else { height * (-0.5 * z * z).exp() }
        };
        let near = self.beats.iter().filter(|(r, _)| (time_s - r).abs() < 0.8);
        for (r, ectopic) in near {
            let beat = if *ectopic {
                bump(1.3, *r, 0.035) + bump(-0.4, r + 0.25, 0.06)
            } else {
                let w = shape.r_width_s;
                bump(1.0, *r, w)
                    + bump(shape.p, r - 0.15, 0.022)
                    + bump(-shape.q, r - 2.3 * w, w)
                    + bump(-shape.s, r + 2.4 * w, w)
                    + bump(shape.t, r + 0.26, 0.045)
            };
            value += shape.sign * beat;
        }
        value
    }
}
