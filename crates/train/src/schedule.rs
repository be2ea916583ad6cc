use serde::{Deserialize, Serialize};

/// Schedule of the learning rate over the steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Steps over which the rate rises in a line from 0.
    pub warm_up_steps: usize,
    /// If set, the rate then falls along half a cosine to `last_share` at the last step, or stays.
    pub cosine: bool,
    /// The share of the rate that is left at the end.
    pub last_share: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { warm_up_steps: 0, cosine: false, last_share: 0.01 }
    }
}

impl Schedule {
    /// The share of the learning rate at `step` of `steps`, counted from 0.
    pub fn share(&self, step: usize, steps: usize) -> f64 {
        if step < self.warm_up_steps {
            return (step + 1) as f64 / self.warm_up_steps as f64;
        }
        if !self.cosine {
            return 1.0;
        }
        let way = (step - self.warm_up_steps) as f64 / (steps.saturating_sub(self.warm_up_steps + 1)).max(1) as f64;
        let fall = 0.5 * (1.0 + (std::f64::consts::PI * way.min(1.0)).cos());
        self.last_share + (1.0 - self.last_share) * fall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_then_falls_along_a_cosine() {
        let schedule = Schedule { warm_up_steps: 4, cosine: true, last_share: 0.1 };
        let shares: Vec<f64> = (0..13).map(|step| schedule.share(step, 13)).collect();
        assert_eq!(shares[..4], [0.25, 0.5, 0.75, 1.0]);
        assert_eq!(shares[4], 1.0);
        assert!((shares[8] - 0.55).abs() < 1e-12 && (shares[12] - 0.1).abs() < 1e-12, "{shares:?}");
        assert_eq!(Schedule::default().share(1000, 10), 1.0);
    }
}
