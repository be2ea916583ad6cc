use std::collections::BTreeMap;

use serde::Deserialize;

use super::LabelSet;
use crate::{Result, ZooError};

/// The view of a coarser list that each view of a finer list is; our proposal, from `models/crosswalk.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crosswalk {
    from: LabelSet,
    to: LabelSet,
    targets: Vec<Option<usize>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CrosswalkFile {
    /// One view of the finest list each, with what it is in the others, by the lists' names.
    rows: Vec<BTreeMap<String, String>>,
}

const CROSSWALK: &str = include_str!("../../../../models/crosswalk.toml");

impl Crosswalk {
    /// The label sets that crosswalks join, from fine to coarse.
    pub const LISTS: [&str; 3] = ["tte47", "tte11", "tmed2"];

    /// Returns the crosswalk from the views of `from` to those of `to`, which must be a coarser list.
    ///
    /// # Errors
    /// No such list, or `to` is not coarser than `from`.
    pub fn between(from: &str, to: &str) -> Result<Self> {
        let place = |name| Self::LISTS.iter().position(|list| *list == name);
        match (place(from), place(to)) {
            (Some(fine), Some(coarse)) if fine < coarse => Self::read(from, to),
            _ => Err(ZooError::UnknownName {
                kind: "crosswalk",
                name: format!("{from} to {to}"),
                known: format!("from finer to coarser in {}", Self::LISTS.join(", ")),
            }),
        }
    }

    fn read(from: &str, to: &str) -> Result<Self> {
        let problem =
            |problem: String| ZooError::Format { path: "models/crosswalk.toml".into(), format: "crosswalk", problem };
        let file: CrosswalkFile = toml::from_str(CROSSWALK).map_err(|error| problem(error.to_string()))?;
        let (from, to) = (LabelSet::named(from)?, LabelSet::named(to)?);
        let mut targets = vec![None; from.views.len()];
        for row in &file.rows {
            let (Some(view), Some(target)) = (row.get(&from.name), row.get(&to.name)) else { continue };
            let index = |set: &LabelSet, view: &str| {
                set.index_of(view).ok_or_else(|| problem(format!("{} has no view {view:?}", set.name)))
            };
            targets[index(&from, view)?] = Some(index(&to, target)?);
        }
        Ok(Self { from, to, targets })
    }

    /// The index in the coarser list of the view with this index in the finer list; `None` where it has no counterpart.
    pub fn index(&self, view: usize) -> Option<usize> {
        self.targets.get(view).copied().flatten()
    }

    /// The name in the coarser list of the view `name`; `None` where it has no counterpart or is not in the finer list.
    pub fn view(&self, name: &str) -> Option<&str> {
        let target = self.index(self.from.index_of(name)?)?;
        self.to.views.get(target).map(|view| view.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_view_has_one_row_and_every_target_exists() {
        let file: CrosswalkFile = toml::from_str(CROSSWALK).unwrap();
        let views: Vec<&String> = file.rows.iter().map(|row| &row["tte47"]).collect();
        assert_eq!(views, LabelSet::named("tte47").unwrap().view_names().iter().collect::<Vec<_>>());
        for row in &file.rows {
            for (list, view) in row {
                assert!(LabelSet::named(list).unwrap().index_of(view).is_some(), "{list} {view}");
            }
            assert!(row.contains_key("tmed2"), "{row:?}");
        }
    }

    #[test]
    fn the_two_ways_to_the_coarsest_list_agree() {
        let mut of_eleven: HashMap<String, String> = HashMap::new();
        let file: CrosswalkFile = toml::from_str(CROSSWALK).unwrap();
        for row in &file.rows {
            let Some(eleven) = row.get("tte11") else { continue };
            let coarsest = of_eleven.entry(eleven.clone()).or_insert_with(|| row["tmed2"].clone());
            assert_eq!(*coarsest, row["tmed2"], "{eleven}");
        }
        assert_eq!(of_eleven.len(), 11, "every one of the eleven is reached");
        let step = Crosswalk::between("tte11", "tmed2").unwrap();
        assert!(of_eleven.iter().all(|(eleven, coarsest)| step.view(eleven) == Some(coarsest)));
    }

    #[test]
    fn views_are_translated_to_coarser_lists_only() {
        let eleven = Crosswalk::between("tte47", "tte11").unwrap();
        assert_eq!(eleven.view("psax-all"), Some("PSAX-ves"));
        assert_eq!(eleven.view("a5ch-outflow"), Some("Apical-5ch"));
        assert_eq!(eleven.view("plax-tv"), None);
        assert_eq!((0..47).filter(|view| eleven.index(*view).is_some()).count(), 32);
        assert_eq!(Crosswalk::between("tte47", "tmed2").unwrap().view("doppler-ao"), Some("A4CorA2CorOther"));
        assert!(Crosswalk::between("tmed2", "tte47").unwrap_err().to_string().contains("tmed2 to tte47"));
        assert_eq!(eleven.index(47), None);
    }
}
