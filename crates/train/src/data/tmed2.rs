//! The layout of TMED2 (github.com/tufts-ml/tmed2-echocardiogram-classifiers): a CSV a fold and folders of images.

use std::path::Path;

use serde::Deserialize;
use zoo::LabelSet;

use super::{Example, ImageClip, Split, read_csv};
use crate::{Result, TrainError};

#[derive(Deserialize)]
struct Row {
    query_key: String,
    #[serde(rename = "SourceFolder")]
    source_folder: String,
    view_label: String,
    view_classifier_split: String,
}

/// The images of one fold, each a clip of one frame; `fold` is its CSV, for instance
/// `DEV479/TMED2_fold0_labeledpart.csv`. Images without a view label are left out.
///
/// # Errors
/// The CSV cannot be read, lacks a column or names an unknown view.
pub fn tmed2_clips(folder: &Path, fold: &Path, views: &LabelSet) -> Result<Vec<ImageClip>> {
    let path = folder.join(fold);
    let mut clips = Vec::new();
    for (line, row) in read_csv::<Row>(&path, |name| name)? {
        let fault =
            |problem: String| TrainError::Format { path: path.clone(), problem: format!("line {line}: {problem}") };
        if row.view_label == "Not_Provided" {
            continue;
        }
        let class = views.index_of(&row.view_label);
        let class = class.ok_or_else(|| fault(format!("{} has no view {:?}", views.name, row.view_label)))?;
        let split = match row.view_classifier_split.as_str() {
            "train" => Split::Train,
            "val" => Split::Validation,
            "test" => Split::Test,
            other => return Err(fault(format!("split {other:?} is none of train, val, test"))),
        };
        // <patient>s<study>_<n>.png
        let named = row.query_key.split_once('_').and_then(|(study, _)| Some((study, study.split_once('s')?.0)));
        let (study, patient) =
            named.ok_or_else(|| fault(format!("{:?} is not <patient>s<study>_<n>.png", row.query_key)))?;
        let example = Example {
            patient: patient.to_owned(),
            study: study.to_owned(),
            source: row.query_key.clone(),
            class: Some(class),
            frames: 1,
            split,
        };
        clips.push(ImageClip { example, frames: vec![folder.join(&row.source_folder).join(&row.query_key)] });
    }
    Ok(clips)
}
