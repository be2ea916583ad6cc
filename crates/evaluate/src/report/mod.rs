//! The evaluation of a run as one self-contained HTML page.

mod tables;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::aggregate::Level;
use crate::evaluation::Evaluation;
use crate::plots::{self, Cells, Drawing};
use tables::{comparison_table, expert_tables};
use words::{decimal, interval, percent, percent_range, readable, value};

impl Evaluation {
    /// Returns the evaluation as one HTML page with its plots inside: no scripts, no links, light or dark as the reader's
    /// page is. Every name in it is escaped.
    pub fn to_html(&self) -> String {
        let header = &self.header;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (header.title) " - " (header.model) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (header.title) }
                    @if !header.data_note.is_empty() { p.note role="note" { (header.data_note) } }
                    (self.facts())
                    h2 { "Metrics" }
                    (self.figure_table())
                    @if let Some((subset, metrics)) = &self.subset {
                        p { "Rows of " (subset.name) " only: " (percent(metrics.pooled)) " of them correct; mean of the recalls "
                            (percent(metrics.mean_recall)) "." }
                    }
                    @if let Some(inventory) = &self.inventory {
                        p { "Inventories of " (inventory.studies) " studies: " (percent(Some(inventory.exact)))
                            " exactly right, loop by loop; precision of the views in them " (percent(inventory.precision))
                            ", recall " (percent(inventory.recall))
                            @if let Some(point) = &self.operating_point { ", abstaining " (point.rule) }
                            "." }
                    }
                    h2 { "Views" }
                    (self.class_table())
                    h2 { "Confusion" }
                    @if let Some(point) = &self.operating_point {
                        p { "The labels given, abstaining " (point.rule) "." }
                    }
                    (plot(&plots::confusion(&self.confusion, &self.classes, Cells::Shares)))
                    (plot(&plots::confusion(&self.confusion, &self.classes, Cells::Counts)))
                    h2 { "Confidence" }
                    div.plots {
                        (plot(&plots::reliability(&self.reliability)))
                        (plot(&plots::coverage(&self.coverage_curve)))
                        (plot(&plots::roc(&self.abstention_roc, "wrong predictions abstained from", "correct predictions lost")))
                    }
                    (self.abstention())
                    @if !self.embedding.is_empty() {
                        h2 { "Features" }
                        (self.embedding_plot())
                    }
                    @if let Some(experts) = &self.experts { h2 { "Experts" } (expert_tables(experts)) }
                    @if let Some(comparison) = &self.comparison { h2 { "Comparison" } (comparison_table(comparison)) }
                    h2 { "Most confident mistakes" }
                    (self.mistakes())
                }
            }
        };
        page.into_string()
    }

    fn facts(&self) -> Markup {
        let header = &self.header;
        let rows = &self.rows;
        let level = match self.level {
            Level::Clip => "a clip",
            Level::Beat => "a beat",
            Level::Loop => "a loop",
        };
        let seed = header.seed.to_string();
        let facts = [
            ("Model", &header.model),
            ("Weights", &header.weights),
            ("Data", &header.data),
            ("Data fingerprint", &header.data_fingerprint),
            ("Seed", &seed),
            ("Date", &header.date),
        ];
        let more = header.more.iter().map(|(name, value)| (name.as_str(), value));
        html! {
            dl {
                @for (name, value) in facts.into_iter().chain(more) { dt { (name) } dd { (value) } }
                dt { "Rows" }
                dd { (rows.labelled) " labelled, " (rows.outside) " outside the views, " (rows.unlabelled)
                    " unlabelled; a row is " (level) }
                dt { "From" }
                dd { (rows.studies) " studies of " (rows.patients) " patients" }
            }
        }
    }

    fn figure_table(&self) -> Markup {
        let level = format!("{}% interval", (1000.0 * self.interval_level).round() / 10.0);
        html! {
            table {
                thead { tr { th { "Metric" } th.number { "Value" } th.number { (level) } } }
                tbody {
                    @for metric in &self.metrics {
                        tr { td { (readable(&metric.name)) } td.number { (value(metric)) } td.number { (interval(metric)) } }
                    }
                }
            }
            p.quiet { "Of the rows that show one of the views, each by its most likely one. Loops that show \
                none of them, and abstaining, are under Confidence." }
            p.quiet { "Intervals: patients drawn with replacement, with all their rows; where every row is alike, the exact one of as \
                many patients." }
        }
    }

    fn class_table(&self) -> Markup {
        html! {
            table {
                thead {
                    tr { th { "View" } th.number { "Rows" } th.number { "Recall" } th.number { "Interval" }
                        th.number { "Precision" } th.number { "F1" } th { "Most often confused with" } }
                }
                tbody {
                    @for class in &self.per_class {
                        tr {
                            td { (class.name) }
                            td.number { ((class.support * 10.0).round() / 10.0) }
                            td.number { (percent(class.recall)) }
                            td.number { (class.recall_interval.as_ref().map(percent_range).unwrap_or_default()) }
                            td.number { (percent(class.precision)) }
                            td.number { (percent(class.f1)) }
                            td { @if let Some((name, share)) = &class.most_confused_with { (name) " (" (percent(Some(*share))) ")" } }
                        }
                    }
                }
            }
        }
    }

    fn abstention(&self) -> Markup {
        html! {
            @if let Some(coverage) = &self.coverage {
                table {
                    thead { tr { th { "Accuracy" } th.number { "Coverage" } th.number { "Abstain below" } } }
                    tbody {
                        @for at in &coverage.at_accuracy {
                            tr {
                                td { (percent(Some(at.accuracy))) }
                                td.number { (at.coverage.map_or("not reached".to_owned(), |share| percent(Some(share)))) }
                                td.number { (at.abstain_below.map_or(String::new(), |confidence| format!("{confidence:.3}"))) }
                            }
                        }
                    }
                }
                p.quiet { "Thresholds read off the rows that are evaluated here are too optimistic: choose them on others." }
                p { "Area under the risk-coverage curve " (decimal(Some(coverage.area_under_risk)))
                    "; low confidence finds wrong predictions with an area under the ROC of "
                    (decimal(coverage.abstention_auroc)) "." }
            }
            @if let Some(point) = &self.operating_point {
                p { "Abstaining " (point.rule) ": "
                    (percent(point.coverage)) " of the rows that show a view are labelled, and of all labels "
                    (percent(point.accuracy)) " are correct; of the rows outside the views " (percent(point.outside_labelled))
                    " are labelled all the same. The macro F1 of these labels, where an abstention is a false negative and a \
                    label of a row outside the views a false positive, is " (percent(point.macro_f1)) "." }
            }
            @if let Some(ood) = &self.ood {
                p { "Rows outside the views are separated by low confidence with an area under the ROC of "
                    (decimal(ood.by_confidence)) ", by their energy with " (decimal(ood.by_energy)) "." }
            }
            @if let Some((sets, metrics)) = &self.conformal {
                p { "Sets that promise " (percent(Some(1.0 - sets.miss_rate))) " hold the true view in "
                    (percent(Some(metrics.coverage))) ", with " (decimal(Some(metrics.mean_size))) " views on average; "
                    (percent(Some(metrics.single))) " hold one, " (percent(Some(metrics.empty))) " none." }
            }
        }
    }

    fn embedding_plot(&self) -> Markup {
        let (points, classes): (Vec<_>, Vec<_>) = self.embedding.iter().copied().unzip();
        html! {
            (plot(&plots::embedding(&points, &classes, &self.classes)))
            p.quiet { "Neighbors mean something here; distances between clusters and their sizes do not." }
        }
    }

    fn mistakes(&self) -> Markup {
        html! {
            @if self.worst_mistakes.is_empty() { p { "None." } } @else {
                table {
                    thead { tr { th { "Where" } th { "Truth" } th { "Predicted" } th.number { "Confidence" } th.number { "Of the truth" } } }
                    tbody {
                        @for mistake in &self.worst_mistakes {
                            tr {
                                td.place { (mistake.location) }
                                td { (mistake.truth.as_deref().unwrap_or("(outside)")) }
                                td { (mistake.predicted) }
                                td.number { (percent(Some(mistake.confidence))) }
                                td.number { (percent(mistake.truth_probability)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn plot(drawing: &Drawing) -> Markup {
    // The SVG writer escapes every word itself.
    html! { figure { (PreEscaped(drawing.to_svg())) } }
}

const STYLE: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use crate::aggregate::Level;
    use crate::evaluation::{Evaluation, EvaluationOptions, RunHeader};
    use crate::predictions::tests::row;
    use crate::predictions::{Predictions, Truth};

    #[test]
    fn a_report_holds_everything_and_lets_nothing_out() {
        let evil = "<script>alert('x')</script>&\"".to_owned();
        let header = RunHeader {
            title: evil.clone(),
            model: evil.clone(),
            weights: evil.clone(),
            data: evil.clone(),
            data_fingerprint: evil.clone(),
            data_note: "simulated images, not for clinical use".to_owned(),
            seed: 7,
            date: evil.clone(),
            more: vec![(evil.clone(), evil.clone())],
        };
        let rows = vec![
            row(&evil, &evil, Truth::Class(1), &[0.9, 0.1]),
            row("b", "1", Truth::Class(0), &[0.8, 0.2]),
            row("c", "1", Truth::Outside, &[0.3, 0.7]),
        ];
        let predictions = Predictions::new(vec![evil.clone(), "other".to_owned()], rows).unwrap();
        let options = EvaluationOptions {
            bootstrap_rounds: 20,
            embedding: Some(vec![[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]]),
            ..EvaluationOptions::new(Level::Loop)
        };
        let page = Evaluation::new(&predictions, header, options).unwrap().to_html();
        assert!(!page.contains("<script"), "a name broke out");
        assert!(page.contains("&lt;script&gt;"));
        assert!(page.contains("simulated images, not for clinical use"));
        assert!(
            !page.contains("http://")
                || page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
        );
        assert!(!page.contains("https://") && !page.contains("src=") && !page.contains("href="), "nothing is fetched");
        assert_eq!(page.matches("<svg").count(), 6);
        for heading in ["Metrics", "Views", "Confusion", "Confidence", "Features", "Most confident mistakes"] {
            assert!(page.contains(&format!("<h2>{heading}</h2>")), "{heading}");
        }
        assert!(!page.contains("<h2>Experts</h2>") && !page.contains("NaN"));
    }
}
