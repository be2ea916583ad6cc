//! Gains by more labels: layers learned from few loops of a view and from many, judged on the same patients.

use evaluate::{Level, aggregate};
use random::Stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::folds::Folds;
use crate::judgement::{FOLDS, is_right, predictions, share};
use crate::ridge::{Rows, fit};
use crate::{LabelledLoop, LinearHead, Result, requirements};

/// Layers learned from as many loops of each view, in several draws of loops and patients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Loops of each view that a layer learned from.
    pub loops_per_view: usize,
    /// Number of draws.
    pub draws: usize,
    /// Mean share of loops whose likeliest view the model itself has right, on the patients left out.
    pub before: f64,
    /// The same of the new layers.
    pub after: f64,
    /// Mean gain.
    pub gain: f64,
    /// Gain of the worst draw and of the best.
    pub gain_range: (f64, f64),
}

/// One draw: the model's own accuracy, and each size's.
struct Draw {
    before: f64,
    after: Vec<Option<f64>>,
}

/// Returns a point for each of `sizes` that the labelled loops suffice for, over `draws` draws.
///
/// In each draw a fifth of the patients is left out to be judged on, and loops are drawn among the others'. `progress` hears of
/// draws done, and of all.
///
/// # Errors
/// As of [`adapt`](crate::adapt).
pub fn learning_curve(
    loops: &[LabelledLoop],
    views: &[String],
    own: &LinearHead,
    (sizes, draws): (&[usize], usize),
    seed: u64,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<CurvePoint>> {
    requirements::check(loops, views, own)?;
    let done = std::sync::atomic::AtomicUsize::new(0);
    let drawn: Vec<Draw> = (0..draws)
        .into_par_iter()
        .map(|draw| {
            let result = one_draw(loops, views, own, sizes, seed.wrapping_add(draw as u64));
            progress(1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed), draws);
            result
        })
        .collect::<Result<_>>()?;
    let point = |(at, &loops_per_view): (usize, &usize)| {
        let pairs: Vec<(f64, f64)> =
            drawn.iter().filter_map(|draw| Some((draw.before, draw.after.get(at).copied().flatten()?))).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
        let gains = pairs.iter().map(|(before, after)| after - before);
        (!pairs.is_empty()).then(|| CurvePoint {
            loops_per_view,
            draws: pairs.len(),
            before: mean(|pair| pair.0),
            after: mean(|pair| pair.1),
            gain: mean(|pair| pair.1 - pair.0),
            gain_range: (gains.clone().fold(f64::INFINITY, f64::min), gains.fold(f64::NEG_INFINITY, f64::max)),
        })
    };
    Ok(sizes.iter().enumerate().filter_map(point).collect())
}

fn one_draw(loops: &[LabelledLoop], views: &[String], own: &LinearHead, sizes: &[usize], seed: u64) -> Result<Draw> {
    let patients: Vec<String> = loops.iter().map(|one| one.patient.clone()).collect();
    let folds = Folds::new(&patients, FOLDS, seed);
    let judged: Vec<LabelledLoop> =
        loops.iter().enumerate().filter(|(row, _)| folds.of_row(*row) == 0).map(|(_, one)| one.clone()).collect();
    let mut stream = Stream::for_purpose(seed, "learning curve");
    // The loops of each view in an order of their own: more of them are the fewer and others.
    let of_view: Vec<Vec<&LabelledLoop>> = (0..views.len())
        .map(|class| {
            let others =
                loops.iter().enumerate().filter(|(row, one)| folds.of_row(*row) != 0 && one.class == Some(class));
            let mut others: Vec<&LabelledLoop> = others.map(|(_, one)| one).collect();
            stream.shuffle(&mut others);
            others
        })
        .collect();
    let accuracy = |head: &LinearHead| -> Result<f64> {
        let answers = aggregate(&predictions(&judged, views, |_| head)?, Level::Loop)?;
        let flags: Vec<bool> = answers.labelled().map(|(row, _)| is_right(row)).collect();
        Ok(share(flags.iter().copied()).unwrap_or(f64::NAN))
    };
    let of_size = |&size: &usize| {
        let known: Option<Vec<&[&LabelledLoop]>> = of_view.iter().map(|view| view.get(..size)).collect();
        let learned = known.map(|known| fit(&Rows::new(known.into_iter().flatten().copied(), own), own, seed).0);
        learned.map(|head| accuracy(&head)).transpose()
    };
    Ok(Draw { before: accuracy(own)?, after: sizes.iter().map(of_size).collect::<Result<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    fn loops(patients: usize, of_each_view: usize) -> Vec<LabelledLoop> {
        let mut stream = Stream::new(3);
        let one = |number: usize| {
            let class = number % 3;
            let vector = (0..20).map(|at| (1.2 * f64::from(u8::from(at == class)) + stream.normal()) as f32).collect();
            LabelledLoop {
                patient: format!("p{}", number % patients),
                study: format!("s{}", number % patients),
                loop_name: format!("l{number}"),
                class: Some(class),
                samples: vec![Sample { beat: None, vector }],
            }
        };
        (0..3 * of_each_view).map(one).collect()
    }

    #[test]
    fn one_loop_of_a_view_and_few_patients_give_a_point_too() {
        let views = ["A", "B", "C"].map(ToOwned::to_owned);
        let own = LinearHead::zeros(3, 20);
        for patients in [4, 10] {
            let curve = learning_curve(&loops(patients, 20), &views, &own, (&[1], 6), 1, &|_, _| ()).expect("a curve");
            assert!(curve.iter().all(|point| point.after.is_finite() && point.gain.is_finite()), "{curve:?}");
        }
    }

    #[test]
    fn more_loops_bring_more_and_sizes_beyond_the_loops_are_left_out() {
        let views = ["A", "B", "C"].map(ToOwned::to_owned);
        let own = LinearHead::zeros(3, 20);
        let sizes = [5, 80, 500];
        let curve = learning_curve(&loops(40, 120), &views, &own, (&sizes, 6), 1, &|_, _| ()).expect("a curve");
        assert_eq!(
            curve.iter().map(|point| (point.loops_per_view, point.draws)).collect::<Vec<_>>(),
            [(5, 6), (80, 6)]
        );
        assert!(curve[1].after > curve[0].after && curve[0].gain > 0.0, "{curve:?}");
        assert!(curve.iter().all(|point| point.gain_range.0 <= point.gain && point.gain <= point.gain_range.1));
        assert_eq!(curve, learning_curve(&loops(40, 120), &views, &own, (&sizes, 6), 1, &|_, _| ()).expect("a curve"));
    }
}
