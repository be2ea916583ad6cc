//! Labels that three experts gave to TTE47's test images (`experts_analysis.py` of
//! github.com/PreshenNaidoo/EchoView47).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use zoo::LabelSet;

use super::tte47::{SplitFile, class_lookup, read_json};
use crate::{Result, TrainError};

/// The file of the experts' labels in TTE47's folder.
pub const EXPERTS_FILE: &str = "experts.json";

/// The keys of the file that are used: lists beside `test_files` of `data_split.json`, `null` for "not sure".
#[derive(Deserialize)]
struct ExpertFile {
    expert1_labels: Vec<Option<Label>>,
    expert2_labels: Vec<Option<Label>>,
    expert3_labels: Vec<Option<Label>>,
}

/// A label by its index in `class_lookup.json`, or by its name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Index(usize),
    Name(String),
}

/// Labels of the three experts for one image; `None` is "not sure".
pub type ExpertLabels = [Option<usize>; 3];

/// The experts' labels of the test images, by image; `None` where the folder has no `experts.json`.
///
/// Nothing stands in for an expert.
///
/// # Errors
/// Lists that are not as long as that of the test images, a label that is no class.
pub fn tte47_experts(folder: &Path, views: &LabelSet) -> Result<Option<BTreeMap<String, ExpertLabels>>> {
    let path = folder.join(EXPERTS_FILE);
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(TrainError::File { path, source }),
        Ok(_) => {}
    }
    let fault = |problem: String| TrainError::Format { path: path.clone(), problem };
    let classes = class_lookup(folder, views)?;
    let split: SplitFile = read_json(&folder.join("data_split.json"))?;
    let said: ExpertFile = read_json(&path)?;
    let lists = [&said.expert1_labels, &said.expert2_labels, &said.expert3_labels];
    for (number, list) in (1..).zip(lists) {
        if list.len() != split.test_files.len() {
            let (found, expected) = (list.len(), split.test_files.len());
            return Err(fault(format!("expert{number}_labels has {found} labels for {expected} test images")));
        }
    }
    let class_of = |label: &Option<Label>| match label {
        None => Ok(None),
        Some(Label::Index(index)) => {
            let class = classes.get(&index.to_string());
            class.copied().map(Some).ok_or_else(|| fault(format!("class {index} is not in class_lookup.json")))
        }
        Some(Label::Name(name)) => {
            views.index_of(name).map(Some).ok_or_else(|| fault(format!("{} has no view {name:?}", views.name)))
        }
    };
    let mut experts = BTreeMap::new();
    for (row, file) in split.test_files.iter().enumerate() {
        let [one, two, three] = lists.map(|list| class_of(&list[row]));
        experts.insert(file.clone(), [one?, two?, three?]);
    }
    Ok(Some(experts))
}
