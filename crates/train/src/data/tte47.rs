//! The layout of TTE47 (github.com/thrive-centre/EchoForge): `class_lookup.json`, `data_split.json` and folders of
//! images.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use zoo::LabelSet;

use super::{Example, ImageClip, Split};
use crate::{Result, TrainError};

/// `data_split.json`: lists side by side.
#[derive(Deserialize)]
pub(super) struct SplitFile {
    train_files: Vec<String>,
    train_labels: Vec<usize>,
    val_files: Vec<String>,
    val_labels: Vec<usize>,
    pub(super) test_files: Vec<String>,
    test_labels: Vec<usize>,
}

/// The images of a TTE47 folder, each a clip of one frame.
///
/// The set names no patients: an image's loop, the long number in its name, stands for one.
///
/// # Errors
/// A list of labels that does not fit its files, a class that the label set lacks.
pub fn tte47_clips(folder: &Path, views: &LabelSet) -> Result<Vec<ImageClip>> {
    let classes = class_lookup(folder, views)?;
    let split_path = folder.join("data_split.json");
    let split: SplitFile = read_json(&split_path)?;
    let sides = [
        (Split::Train, split.train_files, split.train_labels),
        (Split::Validation, split.val_files, split.val_labels),
        (Split::Test, split.test_files, split.test_labels),
    ];
    let mut clips = Vec::new();
    for (side, files, labels) in sides {
        let fault = |problem: String| TrainError::Format { path: split_path.clone(), problem };
        if files.len() != labels.len() {
            let problem = format!("{} files and {} labels in {}", files.len(), labels.len(), side.name());
            return Err(fault(problem));
        }
        for (file, label) in files.into_iter().zip(labels) {
            let class = classes.get(&label.to_string());
            let class = *class.ok_or_else(|| fault(format!("{file}: class {label} is not in class_lookup.json")))?;
            let source = loop_of(&file).to_owned();
            let example = Example {
                patient: source.clone(),
                study: source,
                source: file.clone(),
                class: Some(class),
                frames: 1,
                split: side,
            };
            clips.push(ImageClip { example, frames: vec![folder.join(file)] });
        }
    }
    Ok(clips)
}

/// The views that the indexes of `class_lookup.json` stand for.
pub(super) fn class_lookup(folder: &Path, views: &LabelSet) -> Result<BTreeMap<String, usize>> {
    let lookup_path = folder.join("class_lookup.json");
    let lookup: BTreeMap<String, String> = read_json(&lookup_path)?;
    let mut classes = BTreeMap::new();
    for (index, name) in &lookup {
        let class = views.index_of(name).ok_or_else(|| TrainError::Format {
            path: lookup_path.clone(),
            problem: format!("class {index} is {name:?}, which {} does not have", views.name),
        })?;
        classes.insert(index.clone(), class);
    }
    Ok(classes)
}

/// The part of `.../01-<loop>-<frame>.png` that names the loop; the whole name where it has another form.
fn loop_of(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match stem.split('-').collect::<Vec<_>>().as_slice() {
        [_, source, _] => source,
        _ => stem,
    }
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|source| TrainError::File { path: path.to_owned(), source })?;
    serde_json::from_str(&text)
        .map_err(|error| TrainError::Format { path: path.to_owned(), problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_a_loop_are_known_by_its_number() {
        assert_eq!(loop_of("Data/Set/a4ch-lv/01-0fe1c2-0012.png"), "0fe1c2");
        assert_eq!(loop_of("other.png"), "other");
    }
}
