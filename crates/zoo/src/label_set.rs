use serde::Deserialize;

use crate::{Result, ZooError};

/// A named list of views; the order is the order of a model's outputs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSet {
    /// `tte11`, `tte47`, ...
    pub name: String,
    /// Where the list comes from.
    pub source: String,
    /// The image modes that have views in this list (`2d`, `colour`, `pw`, ...); loops of other modes are not shown to a
    /// model of it.
    pub modes: Vec<String>,
    /// The views, by index.
    pub views: Vec<String>,
}

const FILES: [&str; 2] =
    [include_str!("../../../models/label_sets/tte11.toml"), include_str!("../../../models/label_sets/tte47.toml")];

impl LabelSet {
    /// The label set `name`.
    pub fn named(name: &str) -> Result<Self> {
        let all = Self::all();
        let known = all.iter().map(|set| set.name.clone()).collect::<Vec<_>>().join(", ");
        all.into_iter().find(|set| set.name == name).ok_or_else(|| ZooError::UnknownName {
            kind: "label set",
            name: name.to_owned(),
            known,
        })
    }

    /// Every label set of this build.
    pub fn all() -> Vec<Self> {
        // The files are part of the program; the test below reads them all.
        FILES.iter().filter_map(|text| toml::from_str(text).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_label_set_reads_and_has_unique_views() {
        let sets = LabelSet::all();
        assert_eq!(sets.len(), FILES.len());
        for (set, count) in sets.iter().zip([11, 47]) {
            assert_eq!(set.views.len(), count, "{}", set.name);
            assert_eq!(set.views.iter().collect::<HashSet<_>>().len(), count, "{}", set.name);
        }
        assert_eq!(LabelSet::named("tte11").unwrap().views[7], "Apical-5ch");
        assert_eq!(LabelSet::named("tte11").unwrap().views[8], "Apical-4ch");
        assert!(LabelSet::named("tte12").unwrap_err().to_string().contains("tte47"));
    }
}
