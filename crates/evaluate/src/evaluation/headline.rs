use std::collections::BTreeSet;

use super::{EvaluationOptions, Grouping, Interval, Metric};
use crate::calibration::{ScoredRow, calibration_metrics};
use crate::comparison::{bootstrap_by_patient, interval_of_all_alike};
use crate::error::Result;
use crate::metrics::Confusion;
use crate::predictions::{Prediction, Predictions};

/// Returns the headline metrics of the rows that show a class, and each class's recall, with intervals.
pub(super) fn headline_with_intervals(
    predictions: &Predictions,
    options: &EvaluationOptions,
) -> Result<(Vec<Metric>, Vec<Option<Interval>>)> {
    let rows = predictions.rows();
    let judged: Vec<Option<ScoredRow>> = rows.iter().map(ScoredRow::from_row).collect();
    let best: Vec<usize> = rows.iter().map(Prediction::top_class).collect();
    let confusion_of = |drawn: &[usize]| {
        let of_classes = drawn.iter().filter(|row| rows[**row].truth.class().is_some());
        let cells = of_classes.map(|row| (rows[*row].truth.class(), Some(best[*row]), rows[*row].weight));
        Confusion::from_counts(predictions.classes().len(), cells)
    };
    let figures_of = |confusion: &Confusion, drawn: &[usize]| {
        headline(confusion, drawn.iter().filter_map(|row| judged[*row]).collect(), &options.groupings)
    };
    let all: Vec<usize> = (0..rows.len()).collect();
    let confusion = confusion_of(&all)?;
    let mut metrics = figures_of(&confusion, &all);
    let (rounds, level) = (options.bootstrap_rounds, options.interval_level);
    let patients = predictions.patients();
    let mut intervals = bootstrap_by_patient(&patients, rounds, level, options.bootstrap_seed, |drawn| {
        // Classes were checked when the predictions were made, so counting cannot fail.
        let Ok(confusion) = confusion_of(drawn) else { return Vec::new() };
        let values = figures_of(&confusion, drawn).into_iter().map(|metric| metric.value);
        values.chain((0..confusion.classes()).map(|class| confusion.class_metrics(class).recall)).collect()
    })?;
    let mut recalls = intervals.split_off(metrics.len());
    for (metric, interval) in metrics.iter_mut().zip(intervals) {
        metric.interval = interval;
    }
    let patients_with = |shows: &dyn Fn(usize) -> bool| {
        let numbers =
            (0..rows.len()).filter(|row| rows[*row].truth.class().is_some_and(shows)).map(|row| patients[row]);
        numbers.collect::<BTreeSet<_>>().len()
    };
    for metric in metrics.iter_mut().filter(|metric| metric.name.starts_with("accuracy")) {
        let exact = metric.value.and_then(|value| interval_of_all_alike(value, patients_with(&|_| true), level));
        metric.interval = exact.or(metric.interval);
    }
    for (class, recall) in recalls.iter_mut().enumerate() {
        let value = confusion.class_metrics(class).recall;
        let exact = value.and_then(|value| interval_of_all_alike(value, patients_with(&|shown| shown == class), level));
        *recall = exact.or(*recall);
    }
    Ok((metrics, recalls))
}

/// Returns the headline metrics without intervals.
fn headline(confusion: &Confusion, judged: Vec<ScoredRow>, groupings: &[Grouping]) -> Vec<Metric> {
    let share = |name: &str, value| Metric { name: name.to_owned(), value, interval: None, is_share: true };
    let number = |name: &str, value| Metric { is_share: false, ..share(name, value) };
    let calibration = calibration_metrics(judged);
    let mut metrics = vec![
        share("accuracy", confusion.accuracy()),
        share("macro_f1", confusion.macro_f1()),
        share("micro_f1", confusion.micro_f1()),
        share("balanced_accuracy", confusion.balanced_accuracy()),
        share("macro_precision", confusion.macro_precision()),
        share("macro_specificity", confusion.macro_specificity()),
        number("kappa", confusion.kappa()),
        share("expected_calibration_error", calibration.expected_error),
        share("adaptive_calibration_error", calibration.adaptive_error),
        number("brier", calibration.brier),
        number("log_loss", calibration.log_loss),
    ];
    for group in groupings {
        let grouped = confusion.grouped(&group.group_of_class).ok().and_then(|grouped| grouped.accuracy());
        metrics.push(share(&format!("accuracy_{}", group.name), grouped));
    }
    metrics
}
