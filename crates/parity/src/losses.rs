//! Reference files of losses: values and gradients by torch's autograd.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};
use serde::Deserialize;
use zoo::losses::{ClassLoss, ContrastiveForm, ContrastiveLoss, CrossEntropy};
use zoo::weights::fill;

use crate::compare::{Digest, larger, largest, largest_difference};
use crate::{Check, ReferenceFile, Result};

/// Relative tolerances in float64 and float32 (references' README).
const DOUBLE: f64 = 1e-9;
const SINGLE: f64 = 2e-5;
/// Samples of a digest are rounded to float32, which is 6e-8, and so are ours before they are compared.
const ROUNDED: f64 = 2.5e-7;
/// Times the framework's own rounding error in float32, where that is more.
const TIMES_DRIFT: f64 = 20.0;

/// Differences are relative to the largest number, but to no less than this: a loss or gradient that is 0 in truth is the
/// difference of numbers of about 1 (and of the inverse temperature), which rounding leaves at some 1e-16 or 1e-7 of them.
const MIN_DOUBLE: f64 = 1e-3;
const MIN_SINGLE: f64 = 1.0;
const MIN_SINGLE_GRADIENT: f64 = 0.05;

/// The most rows and numbers of a batch: more than any reference file asks for.
const MAX_ROWS: usize = 4096;
const MAX_NUMBERS: usize = 10_000_000;

#[derive(Deserialize)]
struct Content {
    seed: String,
    contrastive: Vec<Contrastive>,
    cross_entropy: Vec<Logits>,
}

#[derive(Deserialize)]
struct Made {
    name: String,
    shape: [usize; 2],
    center: f64,
    half: f64,
}

#[derive(Deserialize)]
struct Contrastive {
    id: String,
    embedding: Made,
    labels: Vec<usize>,
    tau: f64,
    #[serde(rename = "l2_normalise")]
    l2_normalize: bool,
    losses: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
struct Expected {
    per_anchor: Vec<Option<f64>>,
    valid_anchors: usize,
    mean: f64,
    mean_f32: f64,
    grad_raw: Option<Vec<f64>>,
    grad_z: Option<Vec<f64>>,
    grad_raw_digest: Digest,
    grad_f32_max_abs_err: f64,
}

#[derive(Deserialize)]
struct Logits {
    id: String,
    logits: Made,
    target: Vec<usize>,
    label_smoothing: f64,
    per_sample: Vec<f64>,
    mean: f64,
    grad: Vec<f64>,
}

/// Compares every loss in the file.
pub(crate) fn verify(file: &ReferenceFile) -> Result<Vec<Check>> {
    let content: Content = file.parse()?;
    let mut checks = Vec::new();
    for case in &content.contrastive {
        let embeddings = case.embedding.matrix(&content.seed, file)?;
        for (kind, expected) in &case.losses {
            let mut add = |output: &str, deviation, tolerance| {
                checks.push(Check::new("losses", format!("{} {kind} {output}", case.id), deviation, tolerance));
            };
            match form(kind) {
                Some(form) => contrastive(case, expected, form, &embeddings, &mut add)?,
                None => checks.push(Check::unsupported("losses", &format!("{} {kind}", case.id))),
            }
        }
    }
    for case in &content.cross_entropy {
        let logits = case.logits.matrix(&content.seed, file)?;
        let mut add = |output: &str, deviation, tolerance| {
            let name = format!("{} smoothing {} {output}", case.id, case.label_smoothing);
            checks.push(Check::new("losses", name, deviation, tolerance));
        };
        cross_entropy(case, &logits, &mut add)?;
    }
    Ok(checks)
}

fn form(kind: &str) -> Option<ContrastiveForm> {
    match kind {
        "logsum" => Some(ContrastiveForm::LogSum),
        "supcon_out" => Some(ContrastiveForm::SupConOutside),
        "supcon_in" => Some(ContrastiveForm::SupConInside),
        _ => None,
    }
}

fn contrastive(
    case: &Contrastive,
    expected: &Expected,
    form: ContrastiveForm,
    embeddings: &Tensor,
    add: &mut impl FnMut(&str, f64, f64),
) -> Result<()> {
    let with = |l2_normalize| ContrastiveLoss { form, temperature: case.tau, l2_normalize, times_temperature: false };
    let loss = with(case.l2_normalize);

    let variable = Var::from_tensor(embeddings)?;
    let value = loss.of(variable.as_tensor(), &case.labels)?;
    let gradient = gradient(&value.mean, &variable)?;
    let valid = value.valid.iter().filter(|valid| **valid).count();
    add("valid anchors", valid.abs_diff(expected.valid_anchors) as f64, 0.0);
    let per_anchor: Vec<f64> = expected.per_anchor.iter().map(|value| value.unwrap_or(0.0)).collect();
    let same_anchors =
        value.valid.iter().eq(expected.per_anchor.iter().map(Option::is_some).collect::<Vec<_>>().iter());
    let deviation = relative(&numbers(&value.per_anchor)?, &per_anchor, MIN_DOUBLE);
    add("per anchor", if same_anchors { deviation } else { f64::INFINITY }, DOUBLE);
    add("mean", relative(&numbers(&value.mean)?, &[expected.mean], MIN_DOUBLE), DOUBLE);
    let scale = expected.grad_raw_digest.absmax().max(MIN_DOUBLE);
    add("gradient statistics", expected.grad_raw_digest.statistics_deviation(&gradient) / scale, DOUBLE);
    add("gradient samples", expected.grad_raw_digest.samples_deviation(&gradient) / scale, ROUNDED);
    if let Some(expected) = &expected.grad_raw {
        add("gradient", relative(&gradient, expected, MIN_DOUBLE), DOUBLE);
    }
    if let Some(expected) = &expected.grad_z {
        let unit = if case.l2_normalize {
            embeddings.broadcast_div(&embeddings.sqr()?.sum_keepdim(1)?.sqrt()?)?
        } else {
            embeddings.clone()
        };
        let unit = Var::from_tensor(&unit)?;
        let value = with(false).of(unit.as_tensor(), &case.labels)?;
        add("gradient of z", relative(&self::gradient(&value.mean, &unit)?, expected, MIN_DOUBLE), DOUBLE);
    }

    let variable = Var::from_tensor(&embeddings.to_dtype(DType::F32)?)?;
    let value = loss.of(variable.as_tensor(), &case.labels)?;
    let scale = expected.mean.abs().max(MIN_SINGLE);
    let drift = (expected.mean_f32 - expected.mean).abs() / scale;
    add(
        "mean, float32",
        relative(&numbers(&value.mean)?, &[expected.mean], MIN_SINGLE),
        SINGLE.max(TIMES_DRIFT * drift),
    );
    let scale = largest(&gradient).max(MIN_SINGLE_GRADIENT);
    let tolerance = SINGLE.max(TIMES_DRIFT * expected.grad_f32_max_abs_err / scale);
    let single = self::gradient(&value.mean, &variable)?;
    add("gradient, float32", relative(&single, &gradient, MIN_SINGLE_GRADIENT), tolerance);
    Ok(())
}

fn cross_entropy(case: &Logits, logits: &Tensor, add: &mut impl FnMut(&str, f64, f64)) -> Result<()> {
    let loss = CrossEntropy { label_smoothing: case.label_smoothing, class_weights: None };
    let precisions = [
        (DType::F64, "", MIN_DOUBLE, MIN_DOUBLE, DOUBLE),
        (DType::F32, ", float32", MIN_SINGLE, MIN_SINGLE_GRADIENT, SINGLE),
    ];
    for (kind, suffix, least, least_gradient, tolerance) in precisions {
        let variable = Var::from_tensor(&logits.to_dtype(kind)?)?;
        let ClassLoss { per_sample, mean } = loss.of(variable.as_tensor(), &case.target)?;
        let values = relative(&numbers(&per_sample)?, &case.per_sample, least);
        let mean_value = relative(&numbers(&mean)?, &[case.mean], least);
        add(&format!("value{suffix}"), larger(values, mean_value), tolerance);
        let gradient = gradient(&mean, &variable)?;
        add(&format!("gradient{suffix}"), relative(&gradient, &case.grad, least_gradient), tolerance);
    }
    Ok(())
}

/// The largest difference relative to the largest of `theirs`, or to `least`.
fn relative(ours: &[f64], theirs: &[f64], least: f64) -> f64 {
    largest_difference(ours.iter().copied(), theirs.iter().copied()) / largest(theirs).max(least)
}

fn gradient(loss: &Tensor, of: &Var) -> Result<Vec<f64>> {
    match loss.backward()?.get(of) {
        Some(gradient) => numbers(gradient),
        None => Ok(vec![0.0; of.elem_count()]),
    }
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

impl Made {
    /// The numbers in float64, [rows, columns].
    fn matrix(&self, seed: &str, file: &ReferenceFile) -> Result<Tensor> {
        let [rows, columns] = self.shape;
        let count = rows.checked_mul(columns).filter(|&count| rows <= MAX_ROWS && count <= MAX_NUMBERS);
        let count = count.ok_or_else(|| file.problem(format!("{:?} of {:?} is too large", self.name, self.shape)))?;
        let values = fill(seed, &self.name, count, self.center, self.half);
        Ok(Tensor::from_vec(values, (rows, columns), &Device::Cpu)?.to_dtype(DType::F64)?)
    }
}
