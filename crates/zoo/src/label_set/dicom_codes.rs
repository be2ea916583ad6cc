use std::collections::BTreeMap;

use domain::DicomCode;
use serde::{Deserialize, Serialize};

use super::LabelSet;
use crate::{Result, ZooError};

/// The DICOM codes of a view, from `models/dicom_codes.toml`.
///
/// The codes are those of PS3.16 (CID 12226 for views); which of them a view gets is our choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewCodes {
    /// The fit of the code to the view.
    pub fit: CodeMatch,
    /// For View Code Sequence (0054,0220); `None` where no code says the view.
    pub view: Option<DicomCode>,
    /// For View Modifier Code Sequence (0054,0222): words of the transducer's place.
    pub modifiers: Vec<DicomCode>,
    /// Anatomic sites, for Finding Site (363698007, SCT) of a report.
    pub sites: Vec<DicomCode>,
    /// A remark on the choice.
    pub note: Option<String>,
}

/// The relation of a view to its code, in the sense of a FHIR concept map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeMatch {
    /// The code says the same.
    Equivalent,
    /// The view adds a focus that only the site carries.
    Narrower,
    /// The view covers more planes than the code.
    Broader,
    /// There is no code for the view.
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodesFile {
    codes: BTreeMap<String, DicomCode>,
    /// By label set, then by view.
    views: BTreeMap<String, BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    r#match: CodeMatch,
    view: Option<String>,
    #[serde(default)]
    modifiers: Vec<String>,
    #[serde(default)]
    sites: Vec<String>,
    note: Option<String>,
}

const CODES: &str = include_str!("../../../../models/dicom_codes.toml");

impl ViewCodes {
    /// The codes of the view `view` of the label set `label_set`.
    ///
    /// # Errors
    /// The label set or view has no codes.
    pub fn of(label_set: &str, view: &str) -> Result<Self> {
        let file = CodesFile::read()?;
        let set = LabelSet::named(label_set)?;
        let name = set.index_of(view).and_then(|index| set.views.get(index)).map(|view| view.name.as_str());
        let entry = name.and_then(|name| file.views.get(label_set)?.get(name));
        entry.ok_or_else(|| file.unknown(label_set, view)).and_then(|entry| file.resolve(entry))
    }

    /// Returns the codes of the view `view` of a label set that consists of `views`; `None` where no label set with codes
    /// has these views.
    ///
    /// # Errors
    /// The table of codes is damaged.
    pub fn among(views: &[String], view: &str) -> Result<Option<Self>> {
        let file = CodesFile::read()?;
        let has_all = |set: &BTreeMap<String, Entry>| views.iter().all(|view| set.contains_key(view));
        let entry = file.views.values().filter(|set| has_all(set)).find_map(|set| set.get(view));
        entry.map(|entry| file.resolve(entry)).transpose()
    }
}

impl CodesFile {
    fn read() -> Result<Self> {
        toml::from_str(CODES).map_err(|error| problem(error.to_string()))
    }

    fn code(&self, key: &str) -> Result<DicomCode> {
        self.codes.get(key).cloned().ok_or_else(|| problem(format!("there is no code {key:?}")))
    }

    fn resolve(&self, entry: &Entry) -> Result<ViewCodes> {
        let all = |keys: &[String]| keys.iter().map(|key| self.code(key)).collect::<Result<Vec<_>>>();
        Ok(ViewCodes {
            fit: entry.r#match,
            view: entry.view.as_deref().map(|key| self.code(key)).transpose()?,
            modifiers: all(&entry.modifiers)?,
            sites: all(&entry.sites)?,
            note: entry.note.clone(),
        })
    }

    fn unknown(&self, label_set: &str, view: &str) -> ZooError {
        let views = self.views.get(label_set).into_iter().flat_map(BTreeMap::keys);
        ZooError::UnknownName {
            kind: "coded view",
            name: format!("{label_set} {view}"),
            known: views.map(String::as_str).collect::<Vec<_>>().join(", "),
        }
    }
}

fn problem(problem: String) -> ZooError {
    ZooError::Format { path: "models/dicom_codes.toml".into(), format: "table of codes", problem }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const CODED: [&str; 4] = ["tte47", "tte11", "tmed2", "echoprime11"];

    #[test]
    fn every_view_has_an_entry_that_is_complete() {
        let file = CodesFile::read().unwrap();
        assert_eq!(file.views.keys().collect::<BTreeSet<_>>(), CODED.map(str::to_owned).iter().collect());
        for set in CODED {
            let views = LabelSet::named(set).unwrap().view_names();
            assert_eq!(file.views[set].keys().collect::<BTreeSet<_>>(), views.iter().collect(), "{set}");
            for view in views {
                let codes = ViewCodes::of(set, &view).unwrap();
                assert_eq!(codes.view.is_none(), codes.fit == CodeMatch::None, "{set} {view}");
                assert!(
                    codes.modifiers.iter().all(|code| code.meaning == "Apical"),
                    "{set} {view}: sites are not here"
                );
            }
        }
    }

    #[test]
    fn every_code_is_there_once_and_used() {
        let file = CodesFile::read().unwrap();
        let values: BTreeSet<_> = file.codes.values().map(|code| (&code.scheme, &code.value)).collect();
        assert_eq!(values.len(), file.codes.len());
        let entries: Vec<&Entry> = file.views.values().flat_map(BTreeMap::values).collect();
        for (key, code) in &file.codes {
            assert!(code.value.bytes().all(|byte| byte.is_ascii_digit()), "{key}");
            assert!(["SCT", "DCM"].contains(&code.scheme.as_str()), "{key}");
            let used = entries
                .iter()
                .any(|entry| entry.view.iter().chain(&entry.modifiers).chain(&entry.sites).any(|used| used == key));
            assert!(used, "{key}");
        }
    }

    #[test]
    fn as_many_views_fit_as_the_table_of_the_standard_says() {
        let count = |set: &str, fit: CodeMatch| {
            let views = LabelSet::named(set).unwrap().view_names();
            views.iter().filter(|view| ViewCodes::of(set, view).unwrap().fit == fit).count()
        };
        let of = |set| {
            [CodeMatch::Equivalent, CodeMatch::Narrower, CodeMatch::Broader, CodeMatch::None].map(|fit| count(set, fit))
        };
        assert_eq!(of("tte47"), [10, 24, 2, 11]);
        assert_eq!(of("tte11"), [7, 2, 2, 0]);
        assert_eq!(of("tmed2"), [4, 0, 0, 1]);
        assert_eq!(of("echoprime11"), [8, 0, 2, 1]);
    }

    #[test]
    fn codes_are_found_by_the_views_of_a_label_set() {
        let views = LabelSet::named("tte11").unwrap().view_names();
        let apical = ViewCodes::among(&views, "PSAX-apical").unwrap().unwrap();
        assert_eq!(apical.view.unwrap().value, "399306005");
        assert_eq!(ViewCodes::among(&["liver".to_owned()], "liver").unwrap(), None);
    }

    #[test]
    fn codes_are_found_by_any_spelling() {
        let codes = ViewCodes::of("tte47", "a5ch-outflow").unwrap();
        assert_eq!(codes.view.unwrap().value, "398994001");
        assert_eq!(codes.modifiers[0].value, "43674008");
        assert_eq!(codes.sites[0].value, "13418002");
        let descending = ViewCodes::of("tte47", "doppler-ao").unwrap();
        assert_eq!((descending.view, descending.sites[0].value.as_str()), (None, "32672002"));
        assert!(ViewCodes::of("tte11", "a2ch-full").unwrap_err().to_string().contains("Apical-2ch"));
    }
}
