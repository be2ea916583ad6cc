use super::{ConformalMethod, ConformalSets, fit_temperature, platt_smoothing};
use crate::aggregate::{Level, aggregate};
use crate::error::Result;
use crate::ood::threshold_at_loss;
use crate::predictions::Predictions;

/// The promises that a fitted calibration should keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationTargets {
    /// The share of loops whose set may miss the true view.
    pub set_miss_rate: f64,
    /// The share of true views whose energy may lie above the threshold.
    pub lost_views: f64,
}

impl Default for CalibrationTargets {
    fn default() -> Self {
        // Losing more true views to the energy refuses little more that is no view: those loops lie far beyond.
        Self { set_miss_rate: 0.01, lost_views: 0.01 }
    }
}

/// A model's calibration, fitted on its validation set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationFit {
    /// Logits are divided by it.
    pub temperature: f64,
    /// The predictor of sets of views, for probabilities at the temperature; it has no threshold where there were fewer loops
    /// than [`ConformalSets::min_rows`].
    pub sets: ConformalSets,
    /// The energy above which a loop is taken for out-of-distribution; `None` where energies are unknown.
    pub energy_threshold: Option<f64>,
    /// Loops with a known view that it was fitted on.
    pub loops: usize,
}

impl CalibrationFit {
    /// Fits to clips whose probabilities are at temperature 1.
    ///
    /// Sets and energies are fitted on loops, since loops are what they are asked of. The temperature is that of the loops'
    /// mean probabilities and it is applied to clips: the two agree closely, as the clips of a loop are alike.
    ///
    /// # Errors
    /// If no clip's class is known or clips of one loop contradict each other.
    pub fn from_clips(clips: &Predictions, targets: CalibrationTargets) -> Result<Self> {
        let at_one = aggregate(clips, Level::Loop)?;
        let count = at_one.labelled().count();
        let temperature = fit_temperature(&at_one, platt_smoothing(count))?.temperature;
        let loops = aggregate(&clips.at_temperature(temperature)?, Level::Loop)?;
        let energies: Vec<f64> = loops.labelled().filter_map(|(row, _)| row.energy).collect();
        let energy_threshold = match energies.is_empty() {
            true => None,
            false => Some(threshold_at_loss(&energies, targets.lost_views)?),
        };
        let sets = ConformalSets::fit(&loops, ConformalMethod::Lac, targets.set_miss_rate)?;
        Ok(Self { temperature, sets, energy_threshold, loops: count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::with_temperature;
    use crate::predictions::tests::{names, row};
    use crate::predictions::{Prediction, Truth};

    /// Loops of one clip; every tenth is misclassified, and the model is overconfident.
    fn clips(count: u32) -> Predictions {
        let rows = (0..count).map(|number| {
            let truth = Truth::Class(usize::from(number % 10 == 0));
            let patient = format!("p{number}");
            Prediction { clip: Some(0), energy: Some(-f64::from(number)), ..row(&patient, "1", truth, &[0.999, 0.001]) }
        });
        Predictions::new(names(2), rows.collect()).unwrap()
    }

    #[test]
    fn an_overconfident_model_is_softened_and_its_sets_hold_the_truth() {
        let clips = clips(200);
        let fit = CalibrationFit::from_clips(&clips, CalibrationTargets::default()).unwrap();
        let softened = with_temperature(&[0.999, 0.001], fit.temperature);
        assert!((softened[0] - 0.9).abs() < 0.01, "{softened:?}");
        assert_eq!(fit.sets.set(&softened), [0, 1], "99 % coverage needs both classes");
        let above = clips.rows().iter().filter(|row| row.energy > fit.energy_threshold).count();
        assert_eq!((above, fit.loops), (2, 200), "1 % of 200");
    }

    #[test]
    fn too_few_loops_promise_no_sets() {
        let fit = |count| CalibrationFit::from_clips(&clips(count), CalibrationTargets::default()).unwrap();
        assert!(fit(99).sets.threshold.is_some() && fit(98).sets.threshold.is_none());
        let without_energies = clips(20).rows().iter().map(|row| Prediction { energy: None, ..row.clone() }).collect();
        let without_energies = Predictions::new(names(2), without_energies).unwrap();
        let fit = CalibrationFit::from_clips(&without_energies, CalibrationTargets::default()).unwrap();
        assert_eq!(fit.energy_threshold, None);
    }
}
