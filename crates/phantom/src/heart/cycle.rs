//! The cardiac cycle: how contracted the ventricles are and which valves are open, from the same beats as the ECG.

use crate::rhythm::Beat;

/// The state of the heart at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CardiacState {
    /// 0 at end-diastole, 1 at end-systole of a normal beat.
    pub contraction: f32,
    /// 0 relaxed, 1 while the atria contract.
    pub atrial_kick: f32,
    /// 0 closed, 1 open; mitral and tricuspid.
    pub inflow_open: f32,
    /// 0 closed, 1 open; aortic and pulmonary.
    pub outflow_open: f32,
    /// Blood speed into the ventricles, 1 at the peak of early filling.
    pub inflow_speed: f32,
    /// Blood speed out of the ventricles, 1 at the peak of ejection.
    pub outflow_speed: f32,
}

/// The landmarks of one beat in seconds from frame 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeatPhases {
    /// The R peak.
    pub end_diastole_s: f64,
    /// The aortic valve opens.
    pub aortic_opening_s: f64,
    /// The aortic valve closes.
    pub end_systole_s: f64,
    /// The mitral valve opens.
    pub mitral_opening_s: f64,
    /// The middle of early filling.
    pub early_filling_s: f64,
    /// The atria contract; absent where there is no P wave.
    pub atrial_contraction_s: Option<f64>,
    /// The next R peak.
    pub next_r_s: f64,
}

/// The cycle of a whole loop.
#[derive(Debug, Clone)]
pub struct CardiacCycle {
    beats: Vec<TimedBeat>,
}

#[derive(Debug, Clone, Copy)]
struct TimedBeat {
    phases: BeatPhases,
    start_contraction: f64,
    peak_contraction: f64,
}

/// Electromechanical delay from R to the closing of the mitral valve.
const MITRAL_CLOSING_S: f64 = 0.03;

impl CardiacCycle {
    /// Returns the cycle that these beats drive.
    ///
    /// Systolic intervals follow the rate after Weissler, Harris and Schoenfeld, Circulation 1968;37:149-159
    /// (electromechanical systole 546 - 2.1 HR ms, pre-ejection 131 - 0.4 HR ms, both from Q, about 40 ms before R).
    pub fn new(beats: &[Beat]) -> Self {
        let mut timed: Vec<TimedBeat> = vec![];
        let mut start_contraction = 0.0;
        for pair in beats.windows(2) {
            let phases = beat_phases(&pair[0], &pair[1]);
            let peak_contraction = if pair[0].premature { 0.6 } else { 1.0_f64 };
            let beat =
                TimedBeat { phases, start_contraction, peak_contraction: peak_contraction.max(start_contraction) };
            start_contraction = beat.contraction(phases.next_r_s);
            timed.push(beat);
        }
        Self { beats: timed }
    }

    /// Returns the state at `time_s` seconds from frame 0; before the first and after the last beat the heart rests.
    pub fn state(&self, time_s: f64) -> CardiacState {
        let after = self.beats.partition_point(|beat| beat.phases.end_diastole_s <= time_s);
        match after.checked_sub(1).and_then(|index| self.beats.get(index)) {
            Some(beat) if time_s < beat.phases.next_r_s => beat.state(time_s),
            _ => CardiacState {
                contraction: 0.0,
                atrial_kick: 0.0,
                inflow_open: 0.3,
                outflow_open: 0.0,
                inflow_speed: 0.0,
                outflow_speed: 0.0,
            },
        }
    }

    /// Returns the landmarks of every beat, also of those before and after the loop.
    pub fn phases(&self) -> impl Iterator<Item = BeatPhases> + '_ {
        self.beats.iter().map(|beat| beat.phases)
    }
}

fn beat_phases(beat: &Beat, next: &Beat) -> BeatPhases {
    let rr_s = next.r_time_s - beat.r_time_s;
    let rate_bpm = (60.0 / rr_s).clamp(35.0, 185.0);
    let r = beat.r_time_s;
    let late_s = if beat.premature { 0.04 } else { 0.0 };
    let opening_s = (0.131 - 0.0004 * rate_bpm - 0.04).max(0.035) + late_s;
    let closing_s = (0.546 - 0.0021 * rate_bpm - 0.04 + late_s).min(0.62 * rr_s);
    let relaxation_s = (0.075 * rr_s.sqrt()).min(0.12 * rr_s);
    let filling_s = rr_s - closing_s - relaxation_s;
    BeatPhases {
        end_diastole_s: r,
        aortic_opening_s: r + opening_s,
        end_systole_s: r + closing_s,
        mitral_opening_s: r + closing_s + relaxation_s,
        early_filling_s: r + closing_s + relaxation_s + (0.45 * filling_s).min(0.09),
        atrial_contraction_s: next.atrial_kick.then(|| next.r_time_s - (0.5 * filling_s).min(0.085)),
        next_r_s: next.r_time_s,
    }
}

impl TimedBeat {
    /// Contraction at an absolute time within the beat.
    fn contraction(&self, time_s: f64) -> f64 {
        let p = &self.phases;
        if time_s < p.end_systole_s {
            let begin_s = p.end_diastole_s + 0.5 * (p.aortic_opening_s - p.end_diastole_s);
            let rise = smooth(begin_s, p.end_systole_s, time_s).powf(0.85);
            return self.start_contraction + (self.peak_contraction - self.start_contraction) * rise;
        }
        let kick_share = if p.atrial_contraction_s.is_some() { 0.22 } else { 0.0 };
        let early_end_s = p.mitral_opening_s + 2.0 * (p.early_filling_s - p.mitral_opening_s) + 0.05;
        // A short beat has no time to fill: what is missing is carried into the next beat.
        let early = smooth(p.mitral_opening_s - 0.02, early_end_s, time_s);
        let kick = self.kick_progress(time_s);
        self.peak_contraction * (1.0 - (1.0 - kick_share) * early - kick_share * kick).max(0.0)
    }

    fn kick_progress(&self, time_s: f64) -> f64 {
        let p = &self.phases;
        match p.atrial_contraction_s {
            Some(kick_s) => smooth(kick_s - (p.next_r_s - kick_s), p.next_r_s, time_s),
            None => 0.0,
        }
    }

    fn state(&self, time_s: f64) -> CardiacState {
        let p = &self.phases;
        let closing_end_s = p.end_diastole_s + MITRAL_CLOSING_S;
        let early_s = p.early_filling_s - p.mitral_opening_s;
        let early = bump(p.early_filling_s, early_s + 0.04, time_s);
        let kick = p.atrial_contraction_s.map_or(0.0, |kick_s| bump(kick_s, p.next_r_s - kick_s, time_s));
        let open = smooth(p.mitral_opening_s - 0.01, p.mitral_opening_s + 0.04, time_s);
        // Between the two waves of filling the leaflets float half open.
        let floating = (0.35 + 0.65 * early.max(0.8 * kick)) * open;
        let closing = 1.0 - smooth(p.end_diastole_s - 0.01, closing_end_s, time_s);
        let inflow_open = if time_s < p.end_systole_s { 0.35 * closing } else { floating };
        let ejecting = smooth(p.aortic_opening_s, p.aortic_opening_s + 0.035, time_s)
            * (1.0 - smooth(p.end_systole_s - 0.03, p.end_systole_s, time_s));
        let peak_s = p.aortic_opening_s + 0.33 * (p.end_systole_s - p.aortic_opening_s);
        let outflow_speed = if time_s < peak_s {
            smooth(p.aortic_opening_s, peak_s, time_s)
        } else {
            1.0 - smooth(peak_s, p.end_systole_s, time_s)
        };
        CardiacState {
            contraction: self.contraction(time_s) as f32,
            atrial_kick: kick as f32,
            inflow_open: inflow_open as f32,
            outflow_open: ejecting as f32,
            inflow_speed: early.max(0.7 * kick) as f32,
            outflow_speed: outflow_speed as f32,
        }
    }
}

fn smooth(from: f64, to: f64, at: f64) -> f64 {
    let t = ((at - from) / (to - from).max(1e-6)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Returns a smooth hill of height 1 at `center`, gone at a distance of `half_width`.
fn bump(center: f64, half_width: f64, at: f64) -> f64 {
    let z = ((at - center) / half_width.max(1e-6)).abs().min(1.0);
    0.5 * (1.0 + (std::f64::consts::PI * z).cos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rhythm::{Rhythm, beats};

    #[test]
    fn contraction_is_continuous_and_valves_take_turns() {
        for rhythm in Rhythm::ALL {
            for rate in [45.0, 80.0, 170.0] {
                let cycle = CardiacCycle::new(&beats(rhythm, rate, 8.0, 0.2, 3));
                let mut before = cycle.state(0.0).contraction;
                for step in 1..8000 {
                    let state = cycle.state(f64::from(step) * 0.001);
                    assert!((state.contraction - before).abs() < 0.05, "{rhythm:?} {rate} at {step} ms");
                    assert!(state.inflow_open < 0.36 || state.outflow_open < 0.05);
                    before = state.contraction;
                }
            }
        }
    }

    #[test]
    fn the_heart_is_smallest_at_end_systole() {
        let cycle = CardiacCycle::new(&beats(Rhythm::Sinus, 70.0, 3.0, 0.0, 1));
        for phases in cycle.phases().filter(|phases| phases.end_diastole_s >= 0.0) {
            assert!(cycle.state(phases.end_systole_s).contraction > 0.97);
            assert!(cycle.state(phases.end_diastole_s).contraction < 0.05);
        }
    }
}
