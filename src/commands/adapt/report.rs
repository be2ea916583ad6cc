//! The judgement of an adaptation, for people and for programs.

use std::collections::BTreeMap;
use std::path::Path;

use adapt::{Adaptation, CurvePoint, Judgement, ViewChange};
use evaluate::comparison::Interval;
use serde::Serialize;

use super::vectors::LeftOut;
use crate::cli::AdaptOptions;
use crate::commands::Outcome;
use crate::output;

#[derive(Serialize)]
struct Report<'a> {
    name: &'a str,
    from: Option<&'a str>,
    accepted: bool,
    card: Option<&'a Path>,
    loops: usize,
    patients: usize,
    ridge: f64,
    before: Option<&'a Judgement>,
    after: &'a Judgement,
    gain: Option<Interval>,
    views: &'a [ViewChange],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    learning_curve: &'a [CurvePoint],
}

/// Prints the table, and what to do next. `before` is the model's name where its own layer knows these views.
pub fn print(
    options: &AdaptOptions,
    before: Option<&str>,
    (adapted, curve): (&Adaptation, &[CurvePoint]),
    written: Option<&Path>,
) -> Outcome {
    if options.json {
        return output::json_line(&Report {
            name: &options.name,
            from: before,
            accepted: adapted.is_better,
            card: written,
            loops: adapted.loops,
            patients: adapted.patients,
            ridge: adapted.ridge,
            before: before.map(|_| &adapted.before),
            after: &adapted.after,
            gain: adapted.gain,
            views: &adapted.views,
            learning_curve: curve,
        });
    }
    output::line(format_args!(
        "{} loops of {} patients, judged by layers that learned from the other patients (95 % intervals over patients)",
        adapted.loops, adapted.patients
    ))?;
    output::line(format_args!("{:<18} {:>5}  {:>22}  {:>22}", "view", "loops", before.unwrap_or("-"), options.name))?;
    for view in &adapted.views {
        let (before, after) = (percent(view.before.filter(|_| before.is_some())), percent(view.after));
        output::line(format_args!("{:<18} {:>5}  {before:>22}  {after:>22}", view.view, view.loops))?;
    }
    let own = before.map(|_| &adapted.before);
    let (all_before, all_after) = (percent(own.and_then(|own| own.accuracy)), percent(adapted.after.accuracy));
    output::line(format_args!("{:<18} {:>5}  {all_before:>22}  {all_after:>22}", "all", adapted.loops))?;
    output::line(format_args!(
        "{:<18} {:>5}  {:>22}  {:>22}",
        "calibration error",
        "",
        own.map_or_else(|| "-".to_owned(), error),
        error(&adapted.after)
    ))?;
    print_curve(curve)?;
    match written {
        Some(path) => output::line(format_args!(
            "better: wrote {}; `echolabel models use {}` labels with it, `models use --back` goes back",
            path.display(),
            options.name
        )),
        None => output::line(format_args!(
            "not clearly better on patients left out: nothing was written. More loops of the weakest views help most"
        )),
    }
}

/// Prints what layers learned from fewer loops are worth.
fn print_curve(curve: &[CurvePoint]) -> Outcome {
    if curve.is_empty() {
        return Ok(());
    }
    output::line(
        "loops of each view that a layer learned from, judged on a fifth of the patients (mean of draws, worst and best)",
    )?;
    for point in curve {
        let CurvePoint { loops_per_view, draws, before, after, gain, gain_range: (worst, best) } = point;
        output::line(format_args!(
            "{loops_per_view:>5} loops, {draws} draws: {:.1} % right before, {:.1} % after; gain {:+.1} points ({:+.1} to {:+.1})",
            100.0 * before,
            100.0 * after,
            100.0 * gain,
            100.0 * worst,
            100.0 * best
        ))?;
    }
    Ok(())
}

/// Says on stderr which loops were not used: their number by reason, and one of each.
pub fn print_left_out(left_out: &LeftOut) {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    left_out.iter().for_each(|(uid, reason)| by_reason.entry(reason).or_default().push(uid));
    for (reason, uids) in by_reason {
        output::note(format_args!("{} labelled loops not used: {reason} (such as {})", uids.len(), uids[0]));
    }
}

/// One sentence for the model's card.
pub fn summary(adapted: &Adaptation) -> String {
    format!(
        "Likeliest view right on patients left out: {} before, {} after.",
        percent(adapted.before.accuracy),
        percent(adapted.after.accuracy)
    )
}

fn percent(interval: Option<Interval>) -> String {
    match interval {
        Some(Interval { value, low, high }) => {
            format!("{:.0} % ({:.0} to {:.0})", 100.0 * value, 100.0 * low, 100.0 * high)
        }
        None => "-".to_owned(),
    }
}

fn error(judgement: &Judgement) -> String {
    judgement.calibration_error.map_or_else(|| "-".to_owned(), |error| format!("{:.1} %", 100.0 * error))
}
