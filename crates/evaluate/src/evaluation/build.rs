use std::collections::BTreeSet;

use super::parts::CoverageAt;
use super::{
    ClassRow, CoverageFigures, Evaluation, EvaluationOptions, Experts, Figure, Grouping, Interval, Mistake,
    OutlierFigures, Rows, RunHeader,
};
use crate::abstention::{accuracy_over_coverage, area_under_risk, coverage_at_accuracy};
use crate::aggregate::{Level, aggregate, inventory};
use crate::calibration::{BinKind, Judged, calibration_figures, reliability};
use crate::comparison::{bootstrap_by_patient, interval_of_all_alike};
use crate::error::{Result, need_at_least, need_size};
use crate::metrics::{Confusion, SubsetAccuracy};
use crate::predictions::{Prediction, Predictions};
use crate::roc::{auroc, roc};

/// The accuracies for which the price in coverage is given.
const ACCURACIES: [f64; 4] = [0.95, 0.97, 0.98, 0.99];

impl Evaluation {
    /// Judges `predictions`, whose rows must each stand for what `options.level` says: they are joined before.
    pub fn of(predictions: &Predictions, header: RunHeader, options: EvaluationOptions) -> Result<Self> {
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
        let likeliest = Confusion::of_best(predictions)?;
        let (figures, recalls) = with_intervals(predictions, &options)?;
        let judged: Vec<(&Prediction, bool)> =
            rows.iter().filter_map(|row| row.is_right().map(|right| (row, right))).collect();
        let confidences: Vec<f64> = judged.iter().map(|(row, _)| row.confidence()).collect();
        let right: Vec<bool> = judged.iter().map(|(_, right)| *right).collect();
        let (coverage, coverage_curve, abstention_roc) = if judged.is_empty() {
            (None, Vec::new(), Vec::new())
        } else {
            let curve = accuracy_over_coverage(&confidences, &right)?;
            let doubt: Vec<f64> = confidences.iter().map(|confidence| 1.0 - confidence).collect();
            let wrong: Vec<bool> = right.iter().map(|right| !right).collect();
            let at = |accuracy| {
                let point = coverage_at_accuracy(&curve, accuracy);
                let (coverage, abstain_below) = (point.map(|point| point.coverage), point.map(|point| point.threshold));
                CoverageAt { accuracy, coverage, abstain_below }
            };
            let figures = CoverageFigures {
                area_under_risk: area_under_risk(&confidences, &right)?,
                abstention_auroc: auroc(&doubt, &wrong),
                at_accuracy: ACCURACIES.into_iter().map(at).collect(),
            };
            (Some(figures), curve, roc(&doubt, &wrong)?)
        };
        let said = match &options.answers {
            Some(answers) => answers.of_rows.clone(),
            None => rows.iter().map(|row| Some(row.best())).collect(),
        };
        let subset = match options.subset.clone() {
            Some(subset) => Some((subset.clone(), SubsetAccuracy::of(&likeliest, &subset.classes)?)),
            None => None,
        };
        let conformal = options.conformal.and_then(|sets| sets.judge(predictions).map(|figures| (sets, figures)));
        let embedding = match &options.embedding {
            Some(points) => {
                need_size("places of rows on a plane", rows.len(), points.len())?;
                points.iter().copied().zip(rows.iter().map(|row| row.truth.class())).collect()
            }
            None => Vec::new(),
        };
        Ok(Self {
            format: 3,
            header,
            level: options.level,
            interval_level: options.interval_level,
            rows: Rows::of(predictions),
            classes: predictions.classes().to_vec(),
            figures,
            per_class: ClassRow::all(predictions, &likeliest.of_the_classes(), recalls),
            subset,
            reliability: reliability(predictions, BinKind::EqualWidth, 15)?,
            coverage,
            coverage_curve,
            abstention_roc,
            outliers: OutlierFigures::of(predictions, options.ood_score.as_deref())?,
            operating_point: options.answers.map(|answers| answers.judge(predictions)).transpose()?,
            conformal,
            experts: Experts::of(predictions)?,
            inventory: if options.level == Level::Loop { inventory(predictions, &said)? } else { None },
            comparison: options.comparison.clone(),
            worst_mistakes: Mistake::surest(predictions, options.worst_mistakes),
            embedding,
            confusion: Confusion::of(predictions, &said)?,
        })
    }
}

/// The headline figures, all of the rows that show a class, and each class's recall.
fn with_intervals(
    predictions: &Predictions,
    options: &EvaluationOptions,
) -> Result<(Vec<Figure>, Vec<Option<Interval>>)> {
    let rows = predictions.rows();
    let judged: Vec<Option<Judged>> = rows.iter().map(Judged::of).collect();
    let best: Vec<usize> = rows.iter().map(Prediction::best).collect();
    let confusion_of = |drawn: &[usize]| {
        let of_classes = drawn.iter().filter(|row| rows[**row].truth.class().is_some());
        let cells = of_classes.map(|row| (rows[*row].truth.class(), Some(best[*row]), rows[*row].weight));
        Confusion::count(predictions.classes().len(), cells)
    };
    let figures_of = |confusion: &Confusion, drawn: &[usize]| {
        headline(confusion, drawn.iter().filter_map(|row| judged[*row]).collect(), &options.groupings)
    };
    let all: Vec<usize> = (0..rows.len()).collect();
    let confusion = confusion_of(&all)?;
    let mut figures = figures_of(&confusion, &all);
    let (rounds, level) = (options.bootstrap_rounds, options.interval_level);
    let patients = predictions.patients();
    let mut intervals = bootstrap_by_patient(&patients, rounds, level, options.bootstrap_seed, |drawn| {
        // Classes were checked when the predictions were made, so counting cannot fail.
        let Ok(confusion) = confusion_of(drawn) else { return Vec::new() };
        let values = figures_of(&confusion, drawn).into_iter().map(|figure| figure.value);
        values.chain((0..confusion.classes()).map(|class| confusion.class_figures(class).recall)).collect()
    })?;
    let mut recalls = intervals.split_off(figures.len());
    for (figure, interval) in figures.iter_mut().zip(intervals) {
        figure.interval = interval;
    }
    let patients_with = |shows: &dyn Fn(usize) -> bool| {
        let numbers =
            (0..rows.len()).filter(|row| rows[*row].truth.class().is_some_and(shows)).map(|row| patients[row]);
        numbers.collect::<BTreeSet<_>>().len()
    };
    for figure in figures.iter_mut().filter(|figure| figure.name.starts_with("accuracy")) {
        let exact = figure.value.and_then(|value| interval_of_all_alike(value, patients_with(&|_| true), level));
        figure.interval = exact.or(figure.interval);
    }
    for (class, recall) in recalls.iter_mut().enumerate() {
        let value = confusion.class_figures(class).recall;
        let exact = value.and_then(|value| interval_of_all_alike(value, patients_with(&|shown| shown == class), level));
        *recall = exact.or(*recall);
    }
    Ok((figures, recalls))
}

/// The headline figures, without intervals.
fn headline(confusion: &Confusion, judged: Vec<Judged>, groupings: &[Grouping]) -> Vec<Figure> {
    let share = |name: &str, value| Figure { name: name.to_owned(), value, interval: None, is_share: true };
    let number = |name: &str, value| Figure { is_share: false, ..share(name, value) };
    let calibration = calibration_figures(judged);
    let mut figures = vec![
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
        figures.push(share(&format!("accuracy_{}", group.name), grouped));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::{Answers, ClassSubset};
    use crate::predictions::Truth;
    use crate::predictions::tests::{names, row};

    pub(super) fn header() -> RunHeader {
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
    fn everything_is_judged_once() {
        let options = EvaluationOptions {
            groupings: vec![Grouping { name: "two".to_owned(), group_of_class: vec![0, 0, 1] }],
            subset: Some(ClassSubset { name: "first".to_owned(), classes: vec![0] }),
            embedding: Some(vec![[0.0, 1.0]; 6]),
            bootstrap_rounds: 50,
            answers: Some(Answers::of(&predictions(), 0.65, None)),
            worst_mistakes: 1,
            ..EvaluationOptions::at(Level::Loop)
        };
        let evaluation = Evaluation::of(&predictions(), header(), options).unwrap();
        let rows = evaluation.rows;
        assert_eq!((rows.labelled, rows.outside, rows.unlabelled, rows.patients, rows.studies), (4, 1, 1, 3, 3));
        let value = |name: &str| evaluation.figure(name).unwrap().value.unwrap();
        assert_eq!(value("accuracy"), 0.75);
        assert_eq!(value("accuracy_two"), 1.0);
        // All of two patients: 0.025 to the power of one half.
        let interval = evaluation.figure("accuracy_two").unwrap().interval.unwrap();
        assert!((interval.low - 0.025_f64.sqrt()).abs() < 1e-12 && interval.high == 1.0);
        assert!(evaluation.figure("accuracy").unwrap().interval.is_some());
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
        assert_eq!(evaluation.per_class[1].most_called, Some(("view0".to_owned(), 0.5)));
        assert_eq!(evaluation.subset.as_ref().unwrap().1.pooled, Some(1.0));
        assert_eq!(evaluation.worst_mistakes.len(), 1);
        assert_eq!(evaluation.worst_mistakes[0].place, "study a, loop 2");
        // The row outside has less confidence than three of the four others, and more energy than all but itself.
        let outliers = evaluation.outliers.unwrap();
        assert_eq!((outliers.by_confidence, outliers.by_strangeness), (Some(0.75), Some(1.0)));
        assert_eq!(evaluation.experts.as_ref().unwrap().subsets.majority.rows, 6);
        // Below 0.65 nothing is said: a has 0 and 1 and gets 0, b has 0 and 1 and gets 1, c has nothing and gets nothing.
        let inventory = evaluation.inventory.unwrap();
        assert_eq!((inventory.studies, inventory.exact), (3, 1.0 / 3.0));
        assert_eq!((inventory.precision, inventory.recall), (Some(1.0), Some(0.5)));
        // Three of four rows are answered, two of them rightly; the row outside is not.
        let point = evaluation.operating_point.as_ref().unwrap();
        assert_eq!((point.answered, point.accuracy, point.outside_answered), (Some(0.75), Some(2.0 / 3.0), Some(0.0)));
        // Class 0: one right, of two that show it and two called so; class 1: one right of two, nothing else called so.
        assert!((point.macro_f1.unwrap() - (0.5 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        // Three of five answers are right, the surest is wrong.
        assert_eq!(evaluation.coverage_curve.last().unwrap().accuracy, 0.6);
        assert_eq!(evaluation.coverage_curve[0].accuracy, 0.0);
        let json: serde_json::Value = serde_json::from_str(&evaluation.to_json().unwrap()).unwrap();
        assert_eq!(json["figures"][0]["name"], "accuracy");
        assert_eq!(json["figures"][0]["value"], 0.75);
        assert_eq!(json["header"]["data_note"], "made up for a test");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |options| Evaluation::of(&predictions(), header(), options).unwrap_err().to_string();
        let usual = || EvaluationOptions { bootstrap_rounds: 5, ..EvaluationOptions::at(Level::Clip) };
        let grouping = Grouping { name: "bad".to_owned(), group_of_class: vec![0] };
        assert!(refused(EvaluationOptions { groupings: vec![grouping], ..usual() }).contains("classes of bad"));
        assert!(refused(EvaluationOptions { embedding: Some(vec![]), ..usual() }).contains("places"));
        let answers = Answers { of_rows: vec![None], rule: String::new() };
        assert!(refused(EvaluationOptions { answers: Some(answers), ..usual() }).contains("answers"));
        assert!(refused(EvaluationOptions { ood_score: Some(vec![]), ..usual() }).contains("ood_score"));
        let twice = [predictions().rows(), predictions().rows()].concat();
        let twice = Predictions::new(names(3), twice).unwrap();
        let error = Evaluation::of(&twice, header(), EvaluationOptions::at(Level::Loop)).unwrap_err().to_string();
        assert_eq!(error, "rows at the level `Loop`: 12 where 6 were expected");
        let none = Predictions::new(names(2), Vec::new()).unwrap();
        assert!(Evaluation::of(&none, header(), usual()).is_err());
    }

    #[test]
    fn rows_without_truth_give_no_figures_and_no_error() {
        let rows = vec![row("a", "1", Truth::Unlabelled, &[0.5, 0.5]), row("b", "1", Truth::Unlabelled, &[1.0, 0.0])];
        let predictions = Predictions::new(names(2), rows).unwrap();
        let options = EvaluationOptions { bootstrap_rounds: 5, ..EvaluationOptions::at(Level::Loop) };
        let evaluation = Evaluation::of(&predictions, header(), options).unwrap();
        assert!(evaluation.figures.iter().all(|figure| figure.value.is_none() && figure.interval.is_none()));
        assert_eq!((evaluation.coverage, evaluation.inventory), (None, None));
    }
}
