use super::headline::headline_with_intervals;
use super::parts::CoverageAt;
use super::{ClassRow, CoverageMetrics, Evaluation, EvaluationOptions, Experts, Mistake, OodMetrics, Rows, RunHeader};
use crate::abstention::{accuracy_over_coverage, area_under_risk, coverage_at_accuracy};
use crate::aggregate::{Level, aggregate};
use crate::calibration::{BinKind, reliability};
use crate::error::{Result, need_at_least, need_size};
use crate::inventory::inventory_metrics;
use crate::loop_decision::LoopDecision;
use crate::metrics::{Confusion, SubsetAccuracy};
use crate::predictions::{Prediction, Predictions};
use crate::roc::{auroc, roc};

/// The accuracies at which coverage is given.
const ACCURACIES: [f64; 4] = [0.95, 0.97, 0.98, 0.99];

impl Evaluation {
    /// Computes all metrics of `predictions`, whose rows each stand for one `options.level`: they are joined before.
    ///
    /// # Errors
    /// Without rows, where rows are not joined, and where an option has another number of rows or classes.
    pub fn new(predictions: &Predictions, header: RunHeader, options: EvaluationOptions) -> Result<Self> {
        let rows = predictions.rows();
        need_at_least("rows", 1, rows.len())?;
        need_size(
            format!("rows at the level `{:?}`", options.level),
            aggregate(predictions, options.level)?.rows().len(),
            rows.len(),
        )?;
        for group in &options.groupings {
            need_size(format!("classes of {}", group.name), predictions.classes().len(), group.group_of_class.len())?;
        }
        let likeliest = Confusion::from_top_classes(predictions)?;
        let (metrics, recalls) = headline_with_intervals(predictions, &options)?;
        let judged: Vec<(&Prediction, bool)> =
            rows.iter().filter_map(|row| row.is_correct().map(|correct| (row, correct))).collect();
        let confidences: Vec<f64> = judged.iter().map(|(row, _)| row.confidence()).collect();
        let correct: Vec<bool> = judged.iter().map(|(_, correct)| *correct).collect();
        let (coverage, coverage_curve, abstention_roc) = if judged.is_empty() {
            (None, Vec::new(), Vec::new())
        } else {
            let curve = accuracy_over_coverage(&confidences, &correct)?;
            let doubt: Vec<f64> = confidences.iter().map(|confidence| 1.0 - confidence).collect();
            let wrong: Vec<bool> = correct.iter().map(|correct| !correct).collect();
            let at = |accuracy| {
                let point = coverage_at_accuracy(&curve, accuracy);
                let (coverage, abstain_below) = (point.map(|point| point.coverage), point.map(|point| point.threshold));
                CoverageAt { accuracy, coverage, abstain_below }
            };
            let metrics = CoverageMetrics {
                area_under_risk: area_under_risk(&confidences, &correct)?,
                abstention_auroc: auroc(&doubt, &wrong),
                at_accuracy: ACCURACIES.into_iter().map(at).collect(),
            };
            (Some(metrics), curve, roc(&doubt, &wrong)?)
        };
        let decided = match &options.decisions {
            Some(decisions) => decisions.classes.clone(),
            None => rows.iter().map(|row| Some(row.top_class())).collect(),
        };
        let subset = match options.subset.clone() {
            Some(subset) => Some((subset.clone(), SubsetAccuracy::from_confusion(&likeliest, &subset.classes)?)),
            None => None,
        };
        let conformal = options.conformal.and_then(|sets| sets.metrics(predictions).map(|metrics| (sets, metrics)));
        let embedding = match &options.embedding {
            Some(points) => {
                need_size("places of rows on a plane", rows.len(), points.len())?;
                points.iter().copied().zip(rows.iter().map(|row| row.truth.class())).collect()
            }
            None => Vec::new(),
        };
        let loops = rows.iter().zip(&decided).map(|(row, label)| LoopDecision {
            study: &row.study,
            truth: row.truth,
            label: *label,
        });
        Ok(Self {
            format: 4,
            header,
            level: options.level,
            interval_level: options.interval_level,
            rows: Rows::from_predictions(predictions),
            classes: predictions.classes().to_vec(),
            metrics,
            per_class: ClassRow::all(predictions, &likeliest.without_outside(), recalls),
            subset,
            reliability: reliability(predictions, BinKind::EqualWidth, 15)?,
            coverage,
            coverage_curve,
            abstention_roc,
            ood: OodMetrics::from_predictions(predictions),
            operating_point: options.decisions.map(|decisions| decisions.operating_point(predictions)).transpose()?,
            conformal,
            experts: Experts::from_predictions(predictions)?,
            inventory: if options.level == Level::Loop { inventory_metrics(loops) } else { None },
            comparison: options.comparison.clone(),
            worst_mistakes: Mistake::most_confident(predictions, options.worst_mistakes),
            embedding,
            confusion: Confusion::from_decisions(predictions, &decided)?,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::evaluation::{ClassSubset, Decisions, Grouping};
    use crate::predictions::Truth;
    use crate::predictions::tests::{names, row};

    pub(in crate::evaluation) fn header() -> RunHeader {
        RunHeader {
            title: "Evaluation".to_owned(),
            model: "test".to_owned(),
            weights: "none".to_owned(),
            data: "made up".to_owned(),
            data_fingerprint: "0".to_owned(),
            data_note: "made up for a test".to_owned(),
            seed: 1,
            date: "2026-01-01".to_owned(),
            more: Vec::new(),
        }
    }

    fn predictions() -> Predictions {
        let with = |patient: &str, loop_name: &str, truth, p: [f64; 3]| Prediction {
            experts: vec![Some(0), Some(0), Some(1)],
            energy: Some(-p[0]),
            ..row(patient, loop_name, truth, &p)
        };
        let rows = vec![
            with("a", "1", Truth::Class(0), [0.8, 0.1, 0.1]),
            with("a", "2", Truth::Class(1), [0.9, 0.1, 0.0]),
            with("b", "1", Truth::Class(1), [0.2, 0.7, 0.1]),
            with("b", "2", Truth::Class(0), [0.4, 0.3, 0.3]),
            with("c", "1", Truth::Outside, [0.1, 0.3, 0.6]),
            with("c", "2", Truth::Unlabelled, [0.1, 0.3, 0.6]),
        ];
        Predictions::new(names(3), rows).unwrap()
    }

    #[test]
    fn every_metric_is_computed() {
        let options = EvaluationOptions {
            groupings: vec![Grouping { name: "two".to_owned(), group_of_class: vec![0, 0, 1] }],
            subset: Some(ClassSubset { name: "first".to_owned(), classes: vec![0] }),
            embedding: Some(vec![[0.0, 1.0]; 6]),
            bootstrap_rounds: 50,
            decisions: Some(Decisions::from_thresholds(&predictions(), 0.65, None)),
            worst_mistakes: 1,
            ..EvaluationOptions::new(Level::Loop)
        };
        let evaluation = Evaluation::new(&predictions(), header(), options).unwrap();
        let rows = evaluation.rows;
        assert_eq!((rows.labelled, rows.outside, rows.unlabelled, rows.patients, rows.studies), (4, 1, 1, 3, 3));
        let value = |name: &str| evaluation.metric(name).unwrap().value.unwrap();
        assert_eq!(value("accuracy"), 0.75);
        assert_eq!(value("accuracy_two"), 1.0);
        // All of two patients: 0.025 to the power of one half.
        let interval = evaluation.metric("accuracy_two").unwrap().interval.unwrap();
        assert!((interval.low - 0.025_f64.sqrt()).abs() < 1e-12 && interval.high == 1.0);
        assert!(evaluation.metric("accuracy").unwrap().interval.is_some());
        // Truths 0, 1, 1, 0 and answers 0, 0, 1, 0; the row outside, called 2, is in none of these.
        let near = |name: &str, expected: f64| assert!((value(name) - expected).abs() < 1e-12, "{name}");
        near("micro_f1", 0.75);
        near("macro_f1", (0.8 + 2.0 / 3.0) / 2.0);
        near("macro_precision", (2.0 / 3.0 + 1.0) / 2.0);
        assert_eq!(evaluation.per_class[2].precision, None);
        // Below 0.65 lie one row of class 0 and the one outside.
        assert_eq!(evaluation.confusion.abstained(), [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(evaluation.confusion.outside(), [0.0, 0.0, 0.0]);
        assert_eq!(evaluation.per_class[1].recall, Some(0.5));
        assert_eq!(evaluation.per_class[1].most_confused_with, Some(("view0".to_owned(), 0.5)));
        assert_eq!(evaluation.subset.as_ref().unwrap().1.pooled, Some(1.0));
        assert_eq!(evaluation.worst_mistakes.len(), 1);
        assert_eq!(evaluation.worst_mistakes[0].location, "study a, loop 2");
        // The row outside has less confidence than three of the four others, and more energy than all but itself.
        let outliers = evaluation.ood.unwrap();
        assert_eq!((outliers.by_confidence, outliers.by_energy), (Some(0.75), Some(1.0)));
        assert_eq!(evaluation.experts.as_ref().unwrap().subsets.majority.rows, 6);
        // Below 0.65 no label is given: a has 0 and 1 and gets 0, b has 0 and 1 and gets 1, c has nothing and gets nothing.
        let inventory = evaluation.inventory.unwrap();
        assert_eq!((inventory.studies, inventory.exact), (3, 1.0 / 3.0));
        assert_eq!((inventory.precision, inventory.recall), (Some(1.0), Some(0.5)));
        // Three of four rows are answered, two of them correctly; the row outside is not.
        let point = evaluation.operating_point.as_ref().unwrap();
        assert_eq!((point.coverage, point.accuracy, point.outside_labelled), (Some(0.75), Some(2.0 / 3.0), Some(0.0)));
        // Class 0: one correct, of two that show it and two called so; class 1: one correct of two, nothing else called so.
        assert!((point.macro_f1.unwrap() - (0.5 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        // Three of five predictions are correct, the most confident one is wrong.
        assert_eq!(evaluation.coverage_curve.last().unwrap().accuracy, 0.6);
        assert_eq!(evaluation.coverage_curve[0].accuracy, 0.0);
        let json: serde_json::Value = serde_json::from_str(&evaluation.to_json().unwrap()).unwrap();
        assert_eq!(json["metrics"][0]["name"], "accuracy");
        assert_eq!(json["metrics"][0]["value"], 0.75);
        assert_eq!(json["header"]["data_note"], "made up for a test");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |options| Evaluation::new(&predictions(), header(), options).unwrap_err().to_string();
        let usual = || EvaluationOptions { bootstrap_rounds: 5, ..EvaluationOptions::new(Level::Clip) };
        let grouping = Grouping { name: "bad".to_owned(), group_of_class: vec![0] };
        assert!(refused(EvaluationOptions { groupings: vec![grouping], ..usual() }).contains("classes of bad"));
        assert!(refused(EvaluationOptions { embedding: Some(vec![]), ..usual() }).contains("places"));
        let decisions = Decisions { classes: vec![None], rule: String::new() };
        assert!(refused(EvaluationOptions { decisions: Some(decisions), ..usual() }).contains("decisions"));
        let twice = [predictions().rows(), predictions().rows()].concat();
        let twice = Predictions::new(names(3), twice).unwrap();
        let error = Evaluation::new(&twice, header(), EvaluationOptions::new(Level::Loop)).unwrap_err().to_string();
        assert_eq!(error, "rows at the level `Loop`: 12 where 6 were expected");
        let none = Predictions::new(names(2), Vec::new()).unwrap();
        assert!(Evaluation::new(&none, header(), usual()).is_err());
    }

    #[test]
    fn rows_without_truth_give_no_figures_and_no_error() {
        let rows = vec![row("a", "1", Truth::Unlabelled, &[0.5, 0.5]), row("b", "1", Truth::Unlabelled, &[1.0, 0.0])];
        let predictions = Predictions::new(names(2), rows).unwrap();
        let options = EvaluationOptions { bootstrap_rounds: 5, ..EvaluationOptions::new(Level::Loop) };
        let evaluation = Evaluation::new(&predictions, header(), options).unwrap();
        assert!(evaluation.metrics.iter().all(|metric| metric.value.is_none() && metric.interval.is_none()));
        assert_eq!((evaluation.coverage, evaluation.inventory), (None, None));
    }
}
