//! One CSV row a loop.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use domain::{SopUid, StudyUid};

use super::{ExportFormat, ExportOptions, write_file};
use crate::{Inventory, LabelStore, Review, StoreError, StoredPrediction, Study, latest_reviews};

/// Name of the file.
const FILE: &str = "loops.csv";

/// `loops.csv`.
pub(super) const FORMAT: ExportFormat = ExportFormat { name: "csv", about: "loops.csv, one row a loop", write };

const COLUMNS: [&str; 35] = [
    "study_instance_uid",
    "series_instance_uid",
    "sop_instance_uid",
    "acquired",
    "mode",
    "frames",
    "frame_time_ms",
    "final_view",
    "best",
    "pipeline",
    "pipeline_sha256",
    "weights_sha256",
    "precision",
    "standing",
    "weights_note",
    "view",
    "confidence",
    "abstained",
    "reason",
    "prediction_set",
    "energy",
    "clips",
    "frames_used",
    "ecg_source",
    "findings",
    "predicted_at",
    "first_view",
    "first_probability",
    "second_view",
    "second_probability",
    "third_view",
    "third_probability",
    "reviewed_view",
    "reviewer",
    "content_sha256",
];
/// Columns from `pipeline` to `third_probability`.
const PREDICTION_COLUMNS: usize = 23;
/// Place of `reason` among them.
const REASON_COLUMN: usize = 9;
/// Likeliest views that have columns of their own.
const LIKELIEST_VIEWS: usize = 3;

/// Writes `loops.csv`, each loop with its latest prediction and review.
fn write(
    labels: &dyn LabelStore,
    studies: &[Study],
    folder: &Path,
    options: &ExportOptions,
) -> Result<Vec<PathBuf>, StoreError> {
    let path = folder.join(FILE);
    let studies: Vec<&StudyUid> = studies.iter().map(|study| &study.study_instance_uid).collect();
    write_file(&path, &table(labels, &studies, options.include_paths)?)?;
    Ok(vec![path])
}

/// Returns the loops of studies as a table, each with its latest prediction and review.
///
/// # Errors
/// The database cannot be read.
pub fn table(labels: &dyn LabelStore, studies: &[&StudyUid], include_paths: bool) -> Result<Vec<u8>, StoreError> {
    let failed = |source: io::Error| StoreError::Export { path: FILE.into(), source };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns(include_paths)).map_err(|error| failed(error.into()))?;
    for study in studies {
        for row in rows(labels, study, include_paths)? {
            writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(|error| failed(error.into()))?;
        }
    }
    writer.into_inner().map_err(|error| failed(error.into_error()))
}

/// Returns the names of the columns.
pub(super) fn columns(include_paths: bool) -> Vec<&'static str> {
    COLUMNS.into_iter().chain(include_paths.then_some("path")).collect()
}

/// Returns the rows of a study's loops, a text a cell.
pub(super) fn rows(
    labels: &dyn LabelStore,
    uid: &StudyUid,
    include_paths: bool,
) -> Result<Vec<Vec<String>>, StoreError> {
    let inventory = labels.inventory(uid)?;
    let final_views = final_views(&inventory);
    let predictions = labels.predictions(uid)?;
    let reviews = labels.reviews(uid)?;
    // Both come oldest first, so the latest of a loop is what stays in the map.
    let latest: HashMap<_, _> = predictions.iter().map(|said| (&said.sop_instance_uid, said)).collect();
    let latest_review = latest_reviews(&reviews);
    let paths = if include_paths { labels.paths(uid)? } else { BTreeMap::new() };
    let mut rows = Vec::new();
    for stored in labels.loops(uid)? {
        let facts = &stored.facts;
        let said = latest.get(&facts.sop_instance_uid).copied();
        let review = latest_review.get(&facts.sop_instance_uid).copied();
        let (final_view, is_best) = final_views.get(&facts.sop_instance_uid).copied().unwrap_or_default();
        let mut row = vec![
            facts.study_instance_uid.to_string(),
            facts.series_instance_uid.to_string(),
            facts.sop_instance_uid.to_string(),
            facts.acquired.as_deref().map(iso_8601).unwrap_or_default(),
            facts.mode.to_string(),
            text(facts.frames),
            text(facts.frame_time_ms),
            final_view.to_owned(),
            is_best.to_string(),
        ];
        row.extend(said.map_or_else(|| no_prediction(stored.skip_reason.as_deref()), prediction_cells));
        row.push(review.map(reviewed_view).unwrap_or_default());
        row.push(review.map(|review| review.reviewer.clone()).unwrap_or_default());
        row.push(stored.content_sha256.to_string());
        if include_paths {
            row.push(super::current_path(paths.get(&facts.sop_instance_uid)).unwrap_or_default());
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Returns the cell of a review: the view, or why there is none.
fn reviewed_view(review: &Review) -> String {
    match &review.view {
        Some(view) => view.clone(),
        None if review.not_sure => "not sure".to_owned(),
        None => "none".to_owned(),
    }
}

/// Returns the view of each labelled loop, by review or prediction, and whether the loop is the best of it.
fn final_views(inventory: &Inventory) -> HashMap<&SopUid, (&str, bool)> {
    inventory
        .views
        .iter()
        .flat_map(|view| {
            view.loops
                .iter()
                .map(|entry| (&entry.sop_instance_uid, (view.view.as_str(), entry.sop_instance_uid == view.best)))
        })
        .collect()
}

/// Returns the columns of a prediction. Lists are names with spaces between them.
fn prediction_cells(said: &StoredPrediction) -> Vec<String> {
    let prediction = &said.prediction;
    let mut cells = vec![
        prediction.model.pipeline.clone(),
        text(prediction.model.pipeline_sha256),
        prediction.model.weights_sha256.to_string(),
        text(prediction.model.precision),
        text(prediction.weights_status),
        prediction.weights_note.clone().unwrap_or_default(),
        prediction.view.clone().unwrap_or_default(),
        shortest(prediction.confidence),
        prediction.abstained.to_string(),
        prediction.reason.clone().unwrap_or_default(),
        prediction.prediction_set.join(" "),
        prediction.energy.map(shortest).unwrap_or_default(),
        prediction.clips.to_string(),
        prediction.frames_used.to_string(),
        prediction.ecg_source.to_string(),
        prediction.findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>().join(" "),
        said.created_at.to_string(),
    ];
    let mut likeliest: Vec<(&String, f64)> = prediction.probabilities.iter().map(|(view, p)| (view, *p)).collect();
    likeliest.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    for (view, probability) in likeliest.into_iter().take(LIKELIEST_VIEWS) {
        cells.extend([view.clone(), shortest(probability)]);
    }
    cells.resize(PREDICTION_COLUMNS, String::new());
    cells
}

/// The same columns of a loop that no model was asked about: all empty but `reason`.
fn no_prediction(reason: Option<&str>) -> Vec<String> {
    let mut cells = vec![String::new(); PREDICTION_COLUMNS];
    if let Some(cell) = cells.get_mut(REASON_COLUMN) {
        reason.unwrap_or_default().clone_into(cell);
    }
    cells
}

/// Returns a number with the digits that tell it from its neighbors in single precision, in which models compute.
fn shortest(value: f64) -> String {
    (value as f32).to_string()
}

/// Returns a DICOM date and time, `YYYYMMDD[HHMMSS[.F]]`, in the form of ISO 8601; what is none stays as it is.
pub(super) fn iso_8601(digits: &str) -> String {
    let part =
        |range: std::ops::Range<usize>| digits.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(4..6), part(6..8)) else { return digits.to_owned() };
    let date = format!("{year}-{month}-{day}");
    match (part(8..10), part(10..12), part(12..14)) {
        (Some(hour), Some(minute), Some(second)) => {
            format!("{date}T{hour}:{minute}:{second}{}", digits.get(14..).unwrap_or_default())
        }
        _ => date,
    }
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A spreadsheet runs a cell that starts like a formula; header texts come from outside. An apostrophe makes it text.
/// A number, such as a negative energy, is none.
fn harmless(cell: &str) -> String {
    if cell.parse::<f64>().is_err() && cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_8601() {
        for (digits, expected) in [
            ("20260101120005", "2026-01-01T12:00:05"),
            ("20260101120005.25", "2026-01-01T12:00:05.25"),
            ("20260101", "2026-01-01"),
            ("2026", "2026"),
        ] {
            assert_eq!(iso_8601(digits), expected);
        }
        assert_eq!(shortest(f64::from(0.9_f32)), "0.9");
    }

    #[test]
    fn formulas_become_text() {
        for cell in ["=1+1", "+1+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        assert_eq!(harmless("PLAX"), "PLAX");
        assert_eq!(harmless("-4.5"), "-4.5");
        assert_eq!(harmless(""), "");
    }
}
