//! Studies, loops and views by the names that people type.

use anyhow::{anyhow, ensure};
use daemon::Overrides;
use domain::{SopUid, StudyUid};
use pipeline::{PipelineError, PipelineSource};
use store::{LabelStore as _, LoopName, Store, StudyName};
use zoo::{LabelSet, Registry, ZooError};

use crate::cli::Common;

/// Likeness from which a name is suggested, of 1 for the same.
const MIN_LIKENESS: f64 = 0.75;

/// Returns the one study of a name.
pub fn study(store: &Store, name: &StudyName) -> anyhow::Result<StudyUid> {
    let mut found = store.studies_named(name)?;
    ensure!(found.len() < 2, "more than one study begins with {name}: type more of the UID");
    found.pop().ok_or_else(|| anyhow!("no study {name} in the database"))
}

/// Returns the one loop of a name.
pub fn loop_uid(store: &Store, name: &LoopName) -> anyhow::Result<SopUid> {
    match name {
        LoopName::UidPrefix(prefix) => {
            let mut found = store.loops_named(prefix)?;
            ensure!(found.len() < 2, "more than one loop begins with {name}: type more of the UID");
            found.pop().ok_or_else(|| anyhow!("no loop {name} in the database"))
        }
        LoopName::InStudy { study: of, number } => {
            let loops = store.numbered_loops(&study(store, of)?)?;
            let count = loops.len();
            loops.into_iter().nth(number - 1).ok_or_else(|| anyhow!("study {of} has {count} loops, none is {name}"))
        }
    }
}

/// Returns the view of a list that a name means: in any case, or as an alias in a label set.
pub fn view(views: &[String], name: &str) -> Option<String> {
    let is_same = |view: &&String| view.eq_ignore_ascii_case(name);
    if let Some(view) = views.iter().find(is_same) {
        return Some(view.clone());
    }
    let is_alias = |alias: &String| alias.eq_ignore_ascii_case(name);
    LabelSet::all()
        .into_iter()
        .flat_map(|set| set.views)
        .filter(|view| views.contains(&view.name))
        .find(|view| view.aliases.iter().any(is_alias))
        .map(|view| view.name)
}

/// Returns words that suggest the name that may have been meant, or nothing.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&lower, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness >= MIN_LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| format!("; did you mean {known}?"))
        .unwrap_or_default()
}

/// Returns a suggestion for the name of a model, pipeline or label set that an error says there is none of.
pub fn suggestion(error: &anyhow::Error, common: &Common) -> String {
    for cause in error.chain() {
        if let Some(ZooError::UnknownName { name, known, .. }) = cause.downcast_ref() {
            return did_you_mean(name, known.split(", "));
        }
        if let Some(PipelineError::Unknown { name, .. }) = cause.downcast_ref() {
            let registry = super::settings(common, Overrides::default())
                .and_then(|settings| Ok(Registry::open(&settings.models)?));
            let models = registry.map(|registry| registry.models().to_vec()).unwrap_or_default();
            let mut known: Vec<&str> = models.iter().map(|card| card.name.as_str()).collect();
            for shipped in PipelineSource::shipped() {
                known.push(shipped);
            }
            return did_you_mean(name, known);
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_found_in_any_case_and_by_alias() {
        let set = LabelSet::named("tte11").expect("it ships").view_names();
        assert_eq!(view(&set, "apical-4CH").as_deref(), Some("Apical-4ch"));
        assert_eq!(view(&set, "a4c").as_deref(), Some("Apical-4ch"));
        assert_eq!(view(&set, "liver"), None);
        assert_eq!(view(&["Apical-4ch".to_owned()], "PLAX"), None, "of another list");
    }

    #[test]
    fn a_near_name_is_suggested() {
        let known = ["Apical-4ch", "PLAX"];
        assert_eq!(did_you_mean("PLXA", known), "; did you mean PLAX?");
        assert_eq!(did_you_mean("zzz", known), "");
    }
}
