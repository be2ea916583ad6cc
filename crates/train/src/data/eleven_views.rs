//! The layout of the 11-view system (github.com/shokoofa-ghods/Thesis-experiments):
//! `<split>/<study>/<video>/<beat>/<video>_<frame>.jpeg` and a CSV of windows.

use std::path::Path;

use serde::Deserialize;
use zoo::LabelSet;

use super::{Example, ImageClip, Split, read_csv};
use crate::{Result, TrainError};

#[derive(Deserialize)]
struct Row {
    path: String,
    label: String,
    start: usize,
    end: usize,
}

/// Frames between two that are taken from a window.
const EVERY: usize = 3;

/// The windows that `windows`, a CSV of `path,label,start,end`, lists, every third frame of each.
///
/// Labels are names or indexes of views. The set names no patients beside studies: a study stands for one.
///
/// # Errors
/// The CSV cannot be read, lacks a column or names an unknown view.
pub fn eleven_views_clips(folder: &Path, windows: &Path, views: &LabelSet) -> Result<Vec<ImageClip>> {
    let path = folder.join(windows);
    let mut clips = Vec::new();
    for (line, row) in read_csv::<Row>(&path, |name| name)? {
        let fault =
            |problem: String| TrainError::Format { path: path.clone(), problem: format!("line {line}: {problem}") };
        let index = row.label.parse().ok().filter(|index| *index < views.views.len());
        let class = index.or_else(|| views.index_of(&row.label));
        let class = class.ok_or_else(|| fault(format!("{} has no view {:?}", views.name, row.label)))?;
        let parts: Vec<&str> = row.path.split('/').collect();
        let [split, study, video, _beat] = parts.as_slice() else {
            return Err(fault(format!("{:?} is not <split>/<study>/<video>/<beat>", row.path)));
        };
        let split = match split.to_ascii_lowercase().as_str() {
            "train" => Split::Train,
            "val" | "validation" => Split::Validation,
            "test" => Split::Test,
            other => return Err(fault(format!("split {other:?} is none of train, val, validation, test"))),
        };
        if row.end < row.start {
            return Err(fault(format!("a window from {} to {}", row.start, row.end)));
        }
        let frames = (row.start..=row.end).step_by(EVERY);
        let example = Example {
            patient: (*study).to_owned(),
            study: (*study).to_owned(),
            source: format!("{study}/{video}"),
            class: Some(class),
            frames: 0,
            split,
        };
        let in_folder = folder.join(&row.path);
        let frames = frames.map(|frame| in_folder.join(format!("{video}_{frame}.jpeg"))).collect();
        clips.push(ImageClip { example, frames });
    }
    Ok(clips)
}
