//! Lists of views, how they map onto each other, and what their views are in DICOM's codes.

mod crosswalk;
mod dicom_codes;

use std::collections::BTreeSet;
use std::path::Path;

use domain::Mode;
use serde::Deserialize;

pub use crosswalk::Crosswalk;
pub use dicom_codes::{CodeMatch, ViewCodes};

use crate::folder::files_ending_in;
use crate::{Result, ZooError};

/// A named list of views; the order is the order of a model's outputs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSet {
    /// `tte11`, `tte47`, ...
    pub name: String,
    /// The origin of the list.
    pub source: String,
    /// The image modes that have views in this list (`2d`, `colour`, `pw`, ...); loops of other modes are not shown to
    /// a model of it.
    pub modes: Vec<Mode>,
    /// The names of the coarser lists that the views fall into.
    #[serde(default)]
    pub groupings: Vec<String>,
    /// The views, by index.
    pub views: Vec<View>,
}

/// One view of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Its name in outputs, files and reports.
    pub name: String,
    /// Other spellings that are accepted.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its group in each of the list's groupings.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Other views of the list that an image with this label may show: a partial label.
    #[serde(default)]
    pub may_be: Vec<String>,
    /// The number of images of it in a published data set of whole studies: how often labs record it.
    pub recorded: Option<u32>,
    /// The anatomy that it shows, in a few words.
    pub meaning: String,
}

/// A coarser list that the views of a label set fall into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The groups, in the order in which the views name them first.
    pub names: Vec<String>,
    /// For each view, by index, the index of its group.
    pub of_views: Vec<usize>,
}

const FILES: [&str; 5] = [
    include_str!("../../../../models/label_sets/tte11.toml"),
    include_str!("../../../../models/label_sets/tte47.toml"),
    include_str!("../../../../models/label_sets/tmed2.toml"),
    include_str!("../../../../models/label_sets/echoprime11.toml"),
    include_str!("../../../../models/label_sets/layout.toml"),
];

impl LabelSet {
    /// The label set `name`.
    ///
    /// # Errors
    /// There is no such label set.
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

    /// Reads the label sets that are files `NAME.views.toml` in `folder`, by name.
    ///
    /// # Errors
    /// A file cannot be read, has an unknown key, no views or two of one name, or the name of a shipped label set.
    pub fn in_folder(folder: &Path) -> Result<Vec<Self>> {
        let mut sets = Vec::new();
        for path in files_ending_in(folder, Self::EXTENSION)? {
            let fault = |problem: String| ZooError::Format { path: path.clone(), format: "label set", problem };
            let text =
                std::fs::read_to_string(&path).map_err(|source| ZooError::Read { path: path.clone(), source })?;
            let set: Self = toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
            if Self::all().iter().chain(&sets).any(|known: &Self| known.name == set.name) {
                return Err(fault(format!("there is another label set {}: give this one a name of its own", set.name)));
            }
            set.check().map_err(fault)?;
            sets.push(set);
        }
        Ok(sets)
    }

    /// The ending of the names of files that hold a label set each.
    pub const EXTENSION: &str = ".views.toml";

    /// Checks that there are views, that no spelling stands for two, and that `may_be` names views.
    fn check(&self) -> std::result::Result<(), String> {
        if self.views.is_empty() {
            return Err("it has no views".to_owned());
        }
        let mut seen = BTreeSet::new();
        for spelling in self.views.iter().flat_map(|view| std::iter::once(&view.name).chain(&view.aliases)) {
            if !seen.insert(spelling.to_ascii_lowercase()) || spelling.eq_ignore_ascii_case("none") {
                return Err(format!("{spelling:?} stands for two views, or for none"));
            }
        }
        match self.views.iter().flat_map(|view| &view.may_be).find(|other| self.index_of(other).is_none()) {
            Some(other) => Err(format!("may_be names {other:?}, which is no view of it")),
            None => Ok(()),
        }
    }

    /// Returns how often labs record each view, as shares that add up to 1, by index; `None` where the list does not say it of
    /// each.
    pub fn recorded_shares(&self) -> Option<Vec<f64>> {
        let counts: Vec<f64> = self.views.iter().map(|view| view.recorded.map(f64::from)).collect::<Option<_>>()?;
        let sum: f64 = counts.iter().sum();
        (sum > 0.0).then(|| counts.iter().map(|count| count / sum).collect())
    }

    /// The views' names, by index.
    pub fn view_names(&self) -> Vec<String> {
        self.views.iter().map(|view| view.name.clone()).collect()
    }

    /// Returns the index of the view `name`, which may be another spelling of it in any case.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let is_meant = |view: &View| {
            std::iter::once(&view.name).chain(&view.aliases).any(|spelling| spelling.eq_ignore_ascii_case(name))
        };
        // Of two views that differ in case alone the exact spelling counts.
        self.views.iter().position(|view| view.name == name).or_else(|| self.views.iter().position(is_meant))
    }

    /// The grouping `name` of this list.
    ///
    /// # Errors
    /// The label set has no such grouping.
    pub fn groups(&self, name: &str) -> Result<Groups> {
        let unknown =
            || ZooError::UnknownName { kind: "grouping", name: name.to_owned(), known: self.groupings.join(", ") };
        let position = self.groupings.iter().position(|grouping| grouping == name).ok_or_else(unknown)?;
        let mut groups = Groups { names: Vec::new(), of_views: Vec::new() };
        for view in &self.views {
            let group = view.groups.get(position).ok_or_else(unknown)?;
            let index = groups.names.iter().position(|known| known == group).unwrap_or_else(|| {
                groups.names.push(group.clone());
                groups.names.len() - 1
            });
            groups.of_views.push(index);
        }
        Ok(groups)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_folder_adds_label_sets_and_faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("mylab2.views.toml"), text).unwrap();
        write(
            "name = \"mylab2\"\nsource = \"our lab\"\nmodes = [\"2d\"]\nviews = [\n  { name = \"A4C\", aliases = [\"4ch\"], meaning = \"apical\" },\n  { name = \"PLAX\", meaning = \"long axis\" },\n]\n",
        );
        let sets = LabelSet::in_folder(folder.path()).unwrap();
        assert_eq!((sets.len(), sets[0].index_of("4CH"), sets[0].index_of("plax")), (1, Some(0), Some(1)));
        let cases = [
            ("name = \"tte11\"\nsource = \"x\"\nmodes = []\nviews = []\n", "another label set tte11"),
            ("name = \"x\"\nsource = \"x\"\nmodes = []\nviews = []\n", "no views"),
            ("name = \"x\"\nsourc = \"x\"\n", "sourc"),
            (
                "name = \"x\"\nsource = \"x\"\nmodes = []\nviews = [{ name = \"A\", meaning = \"\" }, { name = \"a\", meaning = \"\" }]\n",
                "two views",
            ),
        ];
        for (text, problem) in cases {
            write(text);
            let error = LabelSet::in_folder(folder.path()).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
        assert!(LabelSet::in_folder(&folder.path().join("nowhere")).unwrap().is_empty());
    }

    #[test]
    fn every_label_set_reads_and_is_complete() {
        let sets = LabelSet::all();
        assert_eq!(sets.len(), FILES.len());
        for (set, (name, count)) in
            sets.iter().zip([("tte11", 11), ("tte47", 47), ("tmed2", 5), ("echoprime11", 11), ("layout", 2)])
        {
            assert_eq!((set.name.as_str(), set.views.len()), (name, count));
            let spellings: Vec<&String> =
                set.views.iter().flat_map(|view| view.aliases.iter().chain([&view.name])).collect();
            assert_eq!(spellings.iter().collect::<HashSet<_>>().len(), spellings.len(), "{name}");
            for (index, view) in set.views.iter().enumerate() {
                assert_eq!(set.index_of(&view.name), Some(index), "{name}");
                assert!(!view.meaning.is_empty(), "{name} {}", view.name);
                assert_eq!(view.groups.len(), set.groupings.len(), "{name} {}", view.name);
                assert!(view.may_be.iter().all(|other| set.index_of(other).is_some()), "{name} {}", view.name);
            }
        }
        assert!(LabelSet::named("tte12").unwrap_err().to_string().contains("tte47"));
    }

    #[test]
    fn indexes_are_those_of_the_reference_systems() {
        let index = |set: &str, view: &str| LabelSet::named(set).unwrap().index_of(view);
        assert_eq!(index("tte11", "Apical-5ch"), Some(7));
        assert_eq!(index("tte11", "Apical-4ch"), Some(8));
        assert_eq!(index("tte47", "doppler-ao-descending"), Some(16));
        assert_eq!(index("tte47", "doppler-ao"), Some(16));
        assert_eq!(index("tte47", "plax-full-out"), Some(32));
        assert_eq!(index("tte47", "suprasternal"), Some(46));
        assert_eq!(index("tmed2", "A4CorA2CorOther"), Some(4));
        assert_eq!(index("tte47", "PLAX"), None);
        let names = LabelSet::named("tte47").unwrap().view_names();
        assert!(names.is_sorted(), "the authors' order is alphabetical");
    }

    #[test]
    fn the_47_views_fall_into_20_and_7_groups() {
        let set = LabelSet::named("tte47").unwrap();
        let (fine, coarse) = (set.groups("groups20").unwrap(), set.groups("groups7").unwrap());
        assert_eq!((fine.names.len(), coarse.names.len()), (20, 7));
        assert_eq!((fine.of_views.len(), coarse.of_views.len()), (47, 47));
        let sizes: Vec<usize> = (0..7).map(|group| coarse.of_views.iter().filter(|of| **of == group).count()).collect();
        assert_eq!(coarse.names, ["apical", "doppler", "mmode", "plax", "psax", "subcostal", "suprasternal"]);
        assert_eq!(sizes, [16, 8, 5, 8, 7, 2, 1]);
        // A fine group lies within one coarse group.
        let pairs: HashSet<_> = fine.of_views.iter().zip(&coarse.of_views).collect();
        assert_eq!(pairs.len(), 20);
        assert!(set.groups("groups8").unwrap_err().to_string().contains("groups20"));
    }
}
