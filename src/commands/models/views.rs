//! The views of a label set: their DICOM codes and their counterparts in other label sets.

use zoo::{Crosswalk, LabelSet, ViewCodes};

use super::super::Outcome;
use crate::output;

/// Prints one line a view of the label set.
pub fn show(set: &LabelSet) -> Outcome {
    let name = &set.name;
    let crosswalks: Vec<(&str, Crosswalk)> = Crosswalk::PAIRS
        .into_iter()
        .filter(|(from, _)| from == name)
        .filter_map(|(from, to)| Some((to, Crosswalk::between(from, to).ok()?)))
        .collect();
    for view in &set.views {
        // A label set that is no list of views, such as the layouts of a screen, has no codes.
        let code = ViewCodes::of(name, &view.name).ok().and_then(|codes| codes.view);
        let code =
            code.map(|code| format!("({}, {}, {:?})", code.value, code.scheme, code.meaning)).unwrap_or_default();
        let others: String = crosswalks
            .iter()
            .filter_map(|(other, crosswalk)| Some(format!("  {other} {}", crosswalk.view(&view.name)?)))
            .collect();
        output::line(format_args!("    {:<24} {code}{others}", view.name))?;
    }
    Ok(())
}
