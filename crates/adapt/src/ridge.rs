//! The fit of a last layer, and the choice of its penalty.

use crate::folds::Folds;
use crate::head::softmax;
use crate::lbfgs::minimize;
use crate::objective::{Parameters, Standardization, TrainingRows, loss};
use crate::{LabelledLoop, LinearHead};

/// Penalties that are tried, falling: each fit starts from the one before. Vectors are standardized and weights of loops
/// sum to 1, so they mean the same for every model and any number of loops.
const RIDGES: [f64; 6] = [3.0, 1.0, 0.3, 0.1, 0.03, 0.01];

/// Parts of the patients among which a penalty is chosen.
const INNER_FOLDS: usize = 4;

/// Loops of known views as their mean vectors.
pub(crate) struct Rows {
    vectors: Vec<Vec<f64>>,
    own_logits: Vec<Vec<f64>>,
    classes: Vec<usize>,
    patients: Vec<String>,
}

impl Rows {
    /// Takes the loops whose view is known.
    pub(crate) fn new<'a>(loops: impl Iterator<Item = &'a LabelledLoop>, own: &LinearHead) -> Self {
        let mut rows = Self { vectors: Vec::new(), own_logits: Vec::new(), classes: Vec::new(), patients: Vec::new() };
        for one in loops {
            let Some(class) = one.class else { continue };
            let vector = one.mean_vector();
            let single: Vec<f32> = vector.iter().map(|value| *value as f32).collect();
            rows.own_logits.push(own.logits(&single));
            rows.vectors.push(vector);
            rows.classes.push(class);
            rows.patients.push(one.patient.clone());
        }
        rows
    }

    fn select(&self, is_wanted: impl Fn(usize) -> bool) -> Self {
        let chosen: Vec<usize> = (0..self.classes.len()).filter(|row| is_wanted(*row)).collect();
        Self {
            vectors: chosen.iter().map(|row| self.vectors[*row].clone()).collect(),
            own_logits: chosen.iter().map(|row| self.own_logits[*row].clone()).collect(),
            classes: chosen.iter().map(|row| self.classes[*row]).collect(),
            patients: chosen.iter().map(|row| self.patients[*row].clone()).collect(),
        }
    }
}

/// Fits a layer with each penalty in turn, the largest first.
fn fit_path(rows: &Rows, own: &LinearHead, ridges: &[f64]) -> Vec<LinearHead> {
    let views = own.bias.len();
    let standardization = Standardization::new(&rows.vectors);
    let mut count_of_view = vec![0_usize; views];
    rows.classes.iter().for_each(|class| count_of_view[*class] += 1);
    let known = count_of_view.iter().filter(|count| **count > 0).count().max(1);
    let training = TrainingRows {
        vectors: rows.vectors.iter().map(|vector| standardization.apply(vector)).collect(),
        own_logits: rows.own_logits.clone(),
        classes: rows.classes.clone(),
        weights: rows.classes.iter().map(|class| 1.0 / (known * count_of_view[*class]) as f64).collect(),
    };
    let width = rows.vectors.first().map_or(0, Vec::len);
    let mut values = vec![0.0; Parameters::count(views, width)];
    values[0] = 1.0;
    let mut heads = Vec::new();
    for ridge in ridges {
        values = minimize(values, |values| loss(&training, views, *ridge, values));
        heads.push(standardization.merged(own, &Parameters::new(&values, width)));
    }
    heads
}

/// Fits a layer, its penalty chosen by the loss on patients left out.
pub(crate) fn fit(rows: &Rows, own: &LinearHead, seed: u64) -> (LinearHead, f64) {
    let folds = Folds::new(&rows.patients, INNER_FOLDS, seed);
    let mut losses = [0.0; RIDGES.len()];
    for fold in 0..folds.count() {
        let train = rows.select(|row| folds.of_row(row) != fold);
        let held_out = rows.select(|row| folds.of_row(row) == fold);
        for (loss, head) in losses.iter_mut().zip(fit_path(&train, own, &RIDGES)) {
            *loss += held_out_loss(&held_out, &head);
        }
    }
    let best = (0..RIDGES.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap_or_default();
    let head = fit_path(rows, own, &RIDGES[..=best]).pop().unwrap_or_else(|| own.clone());
    (head, RIDGES[best])
}

fn held_out_loss(rows: &Rows, head: &LinearHead) -> f64 {
    let one = |(vector, class): (&Vec<f64>, &usize)| {
        let single: Vec<f32> = vector.iter().map(|value| *value as f32).collect();
        let logits = head.logits(&single);
        softmax(&logits).1 - logits[*class]
    };
    rows.vectors.iter().zip(&rows.classes).map(one).sum()
}
