use std::collections::BTreeMap;

use serde::Deserialize;

use super::LabelSet;
use crate::{Result, ZooError};

/// The view of another list that each view of a list is, where that list tells it; our proposal, from `models/crosswalk.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crosswalk {
    from: LabelSet,
    to: LabelSet,
    targets: Vec<Option<usize>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CrosswalkFile {
    /// One view of `tte47` or of `echoprime11` each, with what it is in other lists, by the lists' names.
    rows: Vec<BTreeMap<String, String>>,
}

const CROSSWALK: &str = include_str!("../../../../models/crosswalk.toml");

impl Crosswalk {
    /// The pairs of label sets that are joined: from, to.
    pub const PAIRS: [(&str, &str); 5] = [
        ("tte47", "tte11"),
        ("tte47", "tmed2"),
        ("tte11", "tmed2"),
        ("echoprime11", "tte11"),
        ("echoprime11", "tmed2"),
    ];

    /// Returns the crosswalk from the views of `from` to those of `to`.
    ///
    /// # Errors
    /// The two are not among [`Self::PAIRS`].
    pub fn between(from: &str, to: &str) -> Result<Self> {
        if Self::PAIRS.contains(&(from, to)) {
            return Self::read(from, to);
        }
        let known: Vec<String> = Self::PAIRS.iter().map(|(from, to)| format!("{from} to {to}")).collect();
        Err(ZooError::UnknownName { kind: "crosswalk", name: format!("{from} to {to}"), known: known.join(", ") })
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

    /// Returns the index in the other list of the view with this index; `None` where it has no counterpart.
    pub fn index(&self, view: usize) -> Option<usize> {
        self.targets.get(view).copied().flatten()
    }

    /// Returns the name in the other list of the view `name`; `None` where it has no counterpart or is not in the list.
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
        for (set, rows) in [("tte47", &file.rows[..47]), ("echoprime11", &file.rows[47..])] {
            let views: Vec<&String> = rows.iter().map(|row| &row[set]).collect();
            assert_eq!(views, LabelSet::named(set).unwrap().view_names().iter().collect::<Vec<_>>());
        }
        for row in &file.rows {
            for (list, view) in row {
                assert!(LabelSet::named(list).unwrap().index_of(view).is_some(), "{list} {view}");
            }
            assert!(row.contains_key("tmed2") || row.contains_key("echoprime11"), "{row:?}");
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
    fn views_without_a_counterpart_are_not_translated() {
        let eleven = Crosswalk::between("tte47", "tte11").unwrap();
        assert_eq!(eleven.view("psax-all"), Some("PSAX-ves"));
        assert_eq!(eleven.view("a5ch-outflow"), Some("Apical-5ch"));
        assert_eq!(eleven.view("plax-tv"), None);
        assert_eq!((0..47).filter(|view| eleven.index(*view).is_some()).count(), 32);
        assert_eq!(Crosswalk::between("tte47", "tmed2").unwrap().view("doppler-ao"), Some("A4CorA2CorOther"));
        assert!(Crosswalk::between("tmed2", "tte47").unwrap_err().to_string().contains("tmed2 to tte47"));
        assert_eq!(eleven.index(47), None);
        let echo_prime = Crosswalk::between("echoprime11", "tte11").unwrap();
        assert_eq!(echo_prime.view("Doppler_Parasternal_Long"), Some("PLAX"));
        assert_eq!((echo_prime.view("Parasternal_Short"), echo_prime.view("Apical_Doppler")), (None, None));
    }
}
