//! Joins the predictions of clips into those of beats and loops.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{EvaluateError, Result};
use crate::predictions::{Prediction, Predictions};

/// The unit that one row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The frames sampled from one beat at once; nothing is joined.
    Clip,
    /// The clips between two R peaks.
    Beat,
    /// The beats of one cine, where beats weigh equally however many clips they have.
    Loop,
}

/// Joins clips into beats or loops.
///
/// Probabilities are averaged over the clips of a beat and then over the beats of a loop; so are energies and features
/// where every row has them. Clips without a beat form one beat. Rows that are joined must agree on truth, experts and
/// patient. Joined rows are in the order of their first rows. A joined row's weight is the mean of its rows' weights, so that
/// a loop counts once however long it is.
///
/// # Errors
/// If rows that are joined disagree.
pub fn aggregate(predictions: &Predictions, level: Level) -> Result<Predictions> {
    if level == Level::Clip {
        return Ok(predictions.clone());
    }
    let of_beats = join_by(predictions.rows(), |row| (loop_key(row), row.beat), |row| row.clip = None)?;
    let rows = match level {
        Level::Loop => join_by(&of_beats, loop_key, |row| row.beat = None)?,
        Level::Clip | Level::Beat => of_beats,
    };
    Predictions::new(predictions.classes().to_vec(), rows)
}

fn loop_key(row: &Prediction) -> (String, String) {
    (row.study.clone(), row.loop_name.clone())
}

fn join_by<K: Ord>(
    rows: &[Prediction],
    key: impl Fn(&Prediction) -> K,
    forget_place: impl Fn(&mut Prediction),
) -> Result<Vec<Prediction>> {
    let mut number_of: BTreeMap<K, usize> = BTreeMap::new();
    let mut together: Vec<Vec<&Prediction>> = Vec::new();
    for row in rows {
        let number = *number_of.entry(key(row)).or_insert(together.len());
        if number == together.len() {
            together.push(Vec::new());
        }
        together[number].push(row);
    }
    together.into_iter().map(|rows| join(&rows, &forget_place)).collect()
}

fn join(rows: &[&Prediction], forget_place: impl Fn(&mut Prediction)) -> Result<Prediction> {
    let mut joined = rows[0].clone();
    forget_place(&mut joined);
    let agree = |what, same: bool| match same {
        true => Ok(()),
        false => Err(EvaluateError::Disagreement { place: joined.location(), what }),
    };
    agree("patient", rows.iter().all(|row| row.patient == joined.patient))?;
    agree("truth", rows.iter().all(|row| row.truth == joined.truth))?;
    agree("experts", rows.iter().all(|row| row.experts == joined.experts))?;
    let count = rows.len() as f64;
    joined.weight = rows.iter().map(|row| row.weight).sum::<f64>() / count;
    joined.probabilities = (0..joined.probabilities.len())
        .map(|class| rows.iter().map(|row| row.probabilities[class]).sum::<f64>() / count)
        .collect();
    let energies: Option<Vec<f64>> = rows.iter().map(|row| row.energy).collect();
    joined.energy = energies.map(|energies| energies.iter().sum::<f64>() / count);
    let features: Option<Vec<&[f32]>> = rows.iter().map(|row| row.features.as_deref()).collect();
    joined.features = features.map(|vectors| {
        let mean = |index: usize| vectors.iter().map(|vector| f64::from(vector[index])).sum::<f64>() / count;
        (0..vectors[0].len()).map(|index| mean(index) as f32).collect()
    });
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::predictions::Truth;
    use crate::predictions::tests::{names, row};

    fn clip(beat: Option<usize>, clip: usize, first: f64) -> Prediction {
        Prediction { beat, clip: Some(clip), ..row("a", "1", Truth::Class(0), &[first, 1.0 - first]) }
    }

    #[test]
    fn beats_weigh_equally_however_many_clips_they_have() {
        let rows = vec![clip(Some(0), 0, 1.0), clip(Some(0), 1, 0.5), clip(Some(0), 2, 0.75), clip(Some(1), 0, 0.25)];
        let clips = Predictions::new(names(2), rows).unwrap();
        let beats = aggregate(&clips, Level::Beat).unwrap();
        let firsts: Vec<f64> = beats.rows().iter().map(|row| row.probabilities[0]).collect();
        assert_eq!(firsts, [0.75, 0.25]);
        assert_eq!((beats.rows()[1].beat, beats.rows()[1].clip), (Some(1), None));
        let loops = aggregate(&clips, Level::Loop).unwrap();
        assert_eq!(loops.rows().len(), 1);
        assert_eq!(loops.rows()[0].probabilities, [0.5, 0.5]);
        assert_eq!((loops.rows()[0].beat, loops.rows()[0].weight), (None, 1.0));
    }

    #[test]
    fn energies_and_features_are_joined_where_all_have_them() {
        let with = |energy, feature| Prediction { energy, features: Some(vec![feature]), ..clip(None, 0, 0.5) };
        let joined = |rows: Vec<Prediction>| {
            aggregate(&Predictions::new(names(2), rows).unwrap(), Level::Loop).unwrap().rows()[0].clone()
        };
        let both = joined(vec![with(Some(-1.0), 1.0), with(Some(-2.0), 4.0)]);
        assert_eq!((both.energy, both.features), (Some(-1.5), Some(vec![2.5])));
        assert_eq!(joined(vec![with(Some(-1.0), 1.0), with(None, 4.0)]).energy, None);
    }

    #[test]
    fn rows_stay_in_their_order() {
        let rows = ["2", "1", "2", "0"].map(|name| row("a", name, Truth::Unlabelled, &[1.0]));
        let joined = aggregate(&Predictions::new(names(1), rows.to_vec()).unwrap(), Level::Loop).unwrap();
        let order: Vec<&str> = joined.rows().iter().map(|row| row.loop_name.as_str()).collect();
        assert_eq!(order, ["2", "1", "0"]);
        assert_eq!(aggregate(&joined, Level::Loop).unwrap(), joined);
    }

    #[test]
    fn contradictions_are_named() {
        let mut other = clip(None, 1, 0.5);
        other.truth = Truth::Class(1);
        let clips = Predictions::new(names(2), vec![clip(None, 0, 0.5), other]).unwrap();
        let error = aggregate(&clips, Level::Loop).unwrap_err().to_string();
        assert_eq!(error, "study a, loop 1: its rows disagree on truth");
    }

    proptest! {
        #[test]
        fn joined_probabilities_are_probabilities(firsts in proptest::collection::vec((0..3_usize, 0.0..1.0_f64), 1..20)) {
            let rows = firsts.iter().enumerate().map(|(index, (beat, first))| clip(Some(*beat), index, *first)).collect();
            let joined = aggregate(&Predictions::new(names(2), rows).unwrap(), Level::Loop).unwrap();
            prop_assert_eq!(joined.rows().len(), 1);
            let first = joined.rows()[0].probabilities[0];
            let (low, high) = firsts.iter().fold((1.0_f64, 0.0_f64), |(low, high), (_, p)| (low.min(*p), high.max(*p)));
            prop_assert!(first >= low - 1e-12 && first <= high + 1e-12);
        }
    }
}
