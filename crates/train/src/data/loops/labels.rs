//! The CSV of labels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zoo::LabelSet;

use super::super::{LeftOut, Split, csv_columns, read_csv};
use crate::{Result, TrainError};

/// A loop and what it shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct LabelRow {
    pub sop_instance_uid: String,
    /// `None` shows none of the views.
    pub class: Option<usize>,
    pub split: Option<Split>,
    pub path: Option<PathBuf>,
    pub patient: Option<String>,
}

/// The content of a CSV of labels.
pub(super) struct Labels {
    pub rows: Vec<LabelRow>,
    pub left_out: Vec<LeftOut>,
    /// Rows whose view is empty: nobody has looked at them yet.
    pub without_label: usize,
    pub has_paths: bool,
}

impl Labels {
    /// The files that the column `path` names.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.rows.iter().filter_map(|row| row.path.clone()).collect()
    }
}

#[derive(Deserialize)]
struct Row {
    sop_instance_uid: String,
    view: Option<String>,
    reviewed_view: Option<String>,
    split: Option<String>,
    path: Option<String>,
    patient: Option<String>,
}

/// The label that means "shows none of the views".
const NONE: &str = "none";

/// Reads the labels; a view that the label set lacks, and a loop that is labelled in two ways, are left out.
///
/// A column `reviewed_view` is the label where there is one: `view` then holds a model's answer.
///
/// # Errors
/// A column is missing, a split that is none of train, validation, test.
pub(super) fn read_labels(path: &Path, views: &LabelSet) -> Result<Labels> {
    let fault = |problem: String| TrainError::Format { path: path.to_owned(), problem };
    let columns = csv_columns(path, column_name)?;
    let has = |name: &str| columns.iter().any(|column| column == name);
    if !has("sop_instance_uid") || !(has("view") || has("reviewed_view")) {
        let found = columns.join(", ");
        let problem = format!("needs the columns sop_instance_uid and view, or reviewed_view: found {found}");
        return Err(fault(problem));
    }
    let (reviewed, has_split) = (has("reviewed_view"), has("split"));
    let mut labels = Labels { rows: Vec::new(), left_out: Vec::new(), without_label: 0, has_paths: has("path") };
    let mut row_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut contradictory = BTreeSet::new();
    for (line, row) in read_csv::<Row>(path, column_name)? {
        let Some(view) = (if reviewed { row.reviewed_view } else { row.view }) else {
            labels.without_label += 1;
            continue;
        };
        let uid = row.sop_instance_uid;
        let class = views.index_of(&view);
        if class.is_none() && view != NONE {
            labels.left_out.push(LeftOut::new(&uid, format!("{} has no view {view:?}", views.name)));
            continue;
        }
        let split = has_split.then(|| split_named(row.split.as_deref().unwrap_or_default())).transpose();
        let split = split.map_err(|problem| fault(format!("line {line}: {problem}")))?;
        let path = row.path.map(|text| beside(path, plain(&text)));
        if labels.has_paths && path.is_none() {
            labels.left_out.push(LeftOut::new(&uid, "its path is empty"));
            continue;
        }
        if let Some(&known) = row_of.get(&uid) {
            if labels.rows[known].class != class {
                contradictory.insert(uid);
            }
            continue;
        }
        row_of.insert(uid.clone(), labels.rows.len());
        labels.rows.push(LabelRow { sop_instance_uid: uid, class, split, path, patient: row.patient });
    }
    labels.rows.retain(|row| !contradictory.contains(&row.sop_instance_uid));
    labels.left_out.extend(contradictory.iter().map(|uid| LeftOut::new(uid, "labelled twice, with two views")));
    Ok(labels)
}

/// Our name of a column: the keyword or the name of the DICOM attribute, and other usual words, stand for it too.
fn column_name(found: &str) -> &str {
    let key: String = found.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect::<String>().to_lowercase();
    match key.as_str() {
        "sopinstanceuid" | "sopuid" | "instanceuid" => "sop_instance_uid",
        "reviewedview" => "reviewed_view",
        "view" | "viewlabel" | "viewname" => "view",
        "patient" | "patientid" => "patient",
        "path" | "filepath" | "filename" | "file" => "path",
        "split" | "subset" => "split",
        _ => found,
    }
}

fn split_named(name: &str) -> Result<Split, String> {
    match name {
        "train" => Ok(Split::Train),
        "validation" | "val" => Ok(Split::Validation),
        "test" => Ok(Split::Test),
        other => Err(format!("split {other:?} is none of train, validation, test")),
    }
}

/// A path of the CSV that is not absolute begins where the CSV lies.
fn beside(csv: &Path, path: &str) -> PathBuf {
    csv.parent().unwrap_or(Path::new("")).join(path)
}

/// The export puts an apostrophe before a cell that a spreadsheet would run.
fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_may_stand_between_other_marks_and_columns_may_have_dicom_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        let views = LabelSet::named("tte11").unwrap();
        let plax = views.index_of("PLAX");
        for text in [
            "sop_instance_uid,view,split\n1.2.3,PLAX,train\n",
            "\u{feff}SOPInstanceUID;View;Split\r\n1.2.3;PLAX;train\r\n",
            "SOP Instance UID\tview_label\tsubset\n1.2.3\tPLAX\ttrain\n",
        ] {
            std::fs::write(&path, text).unwrap();
            let labels = read_labels(&path, &views).unwrap();
            let row = &labels.rows[0];
            assert_eq!(
                (row.sop_instance_uid.as_str(), row.class, row.split),
                ("1.2.3", plax, Some(Split::Train)),
                "{text}"
            );
        }
    }
}
