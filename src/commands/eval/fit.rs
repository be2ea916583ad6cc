//! What is fitted to a model's answers on the validation set.

use evaluate::calibration::{ConformalMethod, ConformalSets, with_temperature};
use evaluate::outliers::threshold_at_loss;
use evaluate::{Level, Prediction, Predictions, aggregate};
use zoo::ProbabilityCalibration;

/// The share of loops whose set should hold the true view.
const SET_COVERAGE: f64 = 0.99;

/// The share of true views that may be taken for none of them. More of it refuses little more that is no view: what is far
/// from every view is refused long before.
const LOSS_OF_TRUE_VIEWS: f64 = 0.01;

/// What rounding may take from a probability.
const ROUNDING: f64 = 1e-9;

/// Fits temperature, sets and the limit of energy to clips whose probabilities are at temperature 1.
///
/// Sets and energies are fitted on loops, for that is what they are asked of. The temperature is that of the loops' means,
/// and it is applied to clips: the two agree closely, for the clips of a loop are alike.
pub fn confidence(clips: &Predictions) -> anyhow::Result<ProbabilityCalibration> {
    let temperature = temperature(&aggregate(clips, Level::Loop)?);
    let scaled = clips
        .rows()
        .iter()
        .map(|row| Prediction { probabilities: with_temperature(&row.probabilities, temperature), ..row.clone() });
    let loops = aggregate(&Predictions::new(clips.classes().to_vec(), scaled.collect())?, Level::Loop)?;
    let sets = ConformalSets::fit(&loops, ConformalMethod::Lac, 1.0 - SET_COVERAGE)?;
    let energies: Vec<f64> = loops.labelled().filter_map(|(row, _)| row.energy).collect();
    Ok(ProbabilityCalibration {
        temperature,
        // The loop that sets the threshold must stay inside although its probability is rounded.
        set_threshold: sets.threshold.map_or(0.0, |threshold| (1.0 - threshold - ROUNDING).max(0.0)),
        set_coverage: SET_COVERAGE,
        energy_threshold: threshold_at_loss(&energies, LOSS_OF_TRUE_VIEWS).ok(),
    })
}

/// The temperature of least log loss, as if one loop in all of them and two more had another view than it has.
///
/// Without that doubt (Platt's, in "Probabilities for SV Machines", 1999) a validation set without a mistake would make every
/// answer certain.
fn temperature(loops: &Predictions) -> f64 {
    let doubt = 1.0 / (loops.labelled().count() as f64 + 2.0);
    let loss = |logarithm: f64| -> f64 {
        let of_row = |(row, class): (&Prediction, usize)| {
            let probabilities = with_temperature(&row.probabilities, logarithm.exp());
            let logs = probabilities.iter().map(|probability| probability.max(1e-300).ln());
            let others = (probabilities.len() - 1).max(1) as f64;
            let share = |of: usize| if of == class { 1.0 - doubt } else { doubt / others };
            -logs.enumerate().map(|(of, log)| share(of) * log).sum::<f64>()
        };
        loops.labelled().map(of_row).sum()
    };
    // The loss falls and then rises along the temperature: golden sections of its logarithm.
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.05f64.ln(), 20f64.ln());
    while high - low > 1e-4 {
        let (first, second) = (high - golden * (high - low), low + golden * (high - low));
        if loss(first) < loss(second) { high = second } else { low = first }
    }
    (0.5 * (low + high)).exp()
}

#[cfg(test)]
mod tests {
    use evaluate::Truth;

    use super::*;

    /// Loops of one clip; the true class of every tenth is not the likelier one, and the model is far too sure.
    fn clips() -> Predictions {
        let rows = (0..200).map(|number| {
            let truth = usize::from(number % 10 == 0);
            Prediction {
                patient: format!("p{number}"),
                study: format!("s{number}"),
                loop_name: "1".to_owned(),
                beat: None,
                clip: Some(0),
                truth: Truth::Class(truth),
                probabilities: vec![0.999, 0.001],
                energy: Some(-f64::from(number)),
                features: None,
                experts: Vec::new(),
                weight: 1.0,
            }
        });
        Predictions::new(vec!["a".to_owned(), "b".to_owned()], rows.collect()).unwrap()
    }

    #[test]
    fn a_set_without_a_mistake_makes_nothing_certain() {
        let all_right = clips().rows().iter().map(|row| Prediction { truth: Truth::Class(0), ..row.clone() }).collect();
        let all_right = Predictions::new(vec!["a".to_owned(), "b".to_owned()], all_right).unwrap();
        let softened = with_temperature(&[0.999, 0.001], confidence(&all_right).unwrap().temperature);
        assert!((softened[0] - 201.0 / 202.0).abs() < 1e-3, "{softened:?}");
    }

    #[test]
    fn an_overconfident_model_is_cooled_and_its_sets_hold_the_truth() {
        let fitted = confidence(&clips()).unwrap();
        let softened = with_temperature(&[0.999, 0.001], fitted.temperature);
        assert!((softened[0] - 0.9).abs() < 0.01, "{softened:?}");
        assert_eq!(fitted.set(&softened), [0, 1], "99 % coverage needs both classes");
        let above = clips().rows().iter().filter(|row| row.energy > fitted.energy_threshold).count();
        assert_eq!(above, 2, "1 % of 200");
    }
}
