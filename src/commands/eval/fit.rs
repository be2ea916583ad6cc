//! `eval --fit`: the calibration of a model, fitted on its validation set.

use evaluate::Predictions;
use evaluate::calibration::{CalibrationFit, CalibrationTargets, ConformalSets};
use zoo::ProbabilityCalibration;

use crate::output;

/// The rounding error of a probability.
const ROUNDING: f64 = 1e-9;

/// Fits temperature, sets of views and energy threshold to clips whose probabilities are at temperature 1.
pub fn fit_calibration(clips: &Predictions) -> anyhow::Result<ProbabilityCalibration> {
    let targets = CalibrationTargets::default();
    let fit = CalibrationFit::from_clips(clips, targets)?;
    if fit.sets.threshold.is_none() {
        output::note(format_args!(
            "too few loops to promise sets of views: {:.0} % need at least {} loops whose view is known, the validation set has {}",
            100.0 * (1.0 - targets.set_miss_rate),
            ConformalSets::min_rows(targets.set_miss_rate),
            fit.loops
        ));
    }
    Ok(calibration_of(&fit))
}

/// Without a threshold the set of views is that of weights to which nothing was fitted: all of them.
pub fn calibration_of(fit: &CalibrationFit) -> ProbabilityCalibration {
    let calibration = ProbabilityCalibration {
        temperature: fit.temperature,
        energy_threshold: fit.energy_threshold,
        ..ProbabilityCalibration::UNFITTED
    };
    match fit.sets.threshold {
        None => calibration,
        Some(threshold) => ProbabilityCalibration {
            // The loop that sets the threshold must stay inside although its probability is rounded.
            set_threshold: (1.0 - threshold - ROUNDING).max(0.0),
            set_coverage: 1.0 - fit.sets.miss_rate,
            ..calibration
        },
    }
}

#[cfg(test)]
mod tests {
    use evaluate::calibration::ConformalMethod;

    use super::*;

    #[test]
    fn without_a_threshold_no_coverage_is_promised() {
        let fit = |threshold| CalibrationFit {
            temperature: 2.0,
            sets: ConformalSets { method: ConformalMethod::Lac, miss_rate: 0.01, threshold },
            energy_threshold: Some(-3.0),
            loops: 8,
        };
        let promised = calibration_of(&fit(Some(0.25)));
        assert!((promised.set_threshold - 0.75).abs() < 1e-8 && promised.set_coverage == 0.99, "{promised:?}");
        let without = calibration_of(&fit(None));
        assert_eq!((without.set_threshold, without.set_coverage), (0.0, 1.0));
        assert_eq!((without.temperature, without.energy_threshold), (2.0, Some(-3.0)));
    }
}
