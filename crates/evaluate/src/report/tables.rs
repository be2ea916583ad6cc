use maud::{Markup, html};

use super::words::{decimal, percent, percent_range, readable};
use crate::comparison::RunComparison;
use crate::evaluation::Experts;

pub(super) fn expert_tables(experts: &Experts) -> Markup {
    let (subsets, agreement) = (&experts.subsets, &experts.agreement);
    let lines = [
        ("every row, expert 1", subsets.full),
        ("all agree", subsets.all_agree),
        ("majority", subsets.majority),
        ("no majority, expert 1", subsets.no_majority),
        ("all labelled, expert 1", subsets.intersection),
        ("any expert", subsets.any_expert),
    ];
    let kappas = |kappas: &[Option<f64>; 3]| kappas.map(decimal).join(", ");
    html! {
        table {
            thead { tr { th { "Rows where" } th.number { "Rows" } th.number { "Correct" } } }
            tbody { @for (name, metrics) in lines { tr { td { (name) } td.number { (metrics.rows) } td.number { (percent(metrics.accuracy)) } } } }
        }
        p { "Kappas on " (agreement.rows) " rows that all three labelled: model and experts " (kappas(&agreement.model_expert))
            "; experts among themselves " (kappas(&agreement.expert_expert)) "; modified Williams index "
            (decimal(agreement.williams_index)) "." }
    }
}

pub(super) fn comparison_table(comparison: &RunComparison) -> Markup {
    let mcnemar = &comparison.mcnemar;
    html! {
        p { (comparison.first) " minus " (comparison.second) ", on " (comparison.rows) " rows." }
        table {
            thead { tr { th { "Metric" } th.number { "Difference" } th.number { "95% interval" } th.number { "p" } th.number { "p, Holm" } } }
            tbody {
                @for difference in &comparison.differences {
                    tr {
                        td { (readable(&difference.name)) }
                        td.number { (percent(difference.test.map(|test| test.difference))) }
                        td.number { (difference.interval.as_ref().map(percent_range).unwrap_or_default()) }
                        td.number { (decimal(difference.test.map(|test| test.p_value))) }
                        td.number { (decimal(difference.adjusted_p_value)) }
                    }
                }
            }
        }
        p.quiet { "p: the two runs' predictions exchanged at random, patient by patient. McNemar's exact test, which takes rows as "
            "independent: " (mcnemar.only_first) " rows correct in the first only, " (mcnemar.only_second)
            " in the second only, p " (decimal(Some(mcnemar.p_value))) "." }
    }
}
