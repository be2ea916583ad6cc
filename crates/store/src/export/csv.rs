//! One CSV row a loop.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use super::{ExportOptions, write_file};
use crate::{LabelStore, StoreError, StoredPrediction, Study};

const COLUMNS: [&str; 26] = [
    "study_instance_uid",
    "series_instance_uid",
    "sop_instance_uid",
    "acquired",
    "mode",
    "frames",
    "frame_time_ms",
    "pipeline",
    "pipeline_sha256",
    "weights_sha256",
    "precision",
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
    "reviewed_view",
    "reviewer",
    "content_sha256",
];

/// Writes `loops.csv`, each loop with its latest prediction and review.
pub(super) fn write(
    labels: &dyn LabelStore,
    studies: &[Study],
    folder: &Path,
    options: &ExportOptions,
) -> Result<Vec<PathBuf>, StoreError> {
    let path = folder.join("loops.csv");
    let failed = |source: io::Error| StoreError::Export { path: path.clone(), source };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let path_column = options.include_paths.then_some("path");
    writer.write_record(COLUMNS.into_iter().chain(path_column)).map_err(|error| failed(error.into()))?;
    for study in studies {
        for row in rows(labels, study, options.include_paths)? {
            writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(|error| failed(error.into()))?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    write_file(&path, &bytes)?;
    Ok(vec![path])
}

fn rows(labels: &dyn LabelStore, study: &Study, include_paths: bool) -> Result<Vec<Vec<String>>, StoreError> {
    let uid = &study.study_instance_uid;
    let predictions = labels.predictions(uid)?;
    let reviews = labels.reviews(uid)?;
    // Both come oldest first, so the latest of a loop is what stays in the map.
    let latest: HashMap<_, _> = predictions.iter().map(|said| (&said.sop_instance_uid, said)).collect();
    let latest_review: HashMap<_, _> = reviews.iter().map(|review| (&review.sop_instance_uid, review)).collect();
    let paths = if include_paths { labels.paths(uid)? } else { BTreeMap::new() };
    let mut rows = Vec::new();
    for stored in labels.loops(uid)? {
        let facts = &stored.facts;
        let said = latest.get(&facts.sop_instance_uid).copied();
        let review = latest_review.get(&facts.sop_instance_uid).copied();
        let mut row = vec![
            facts.study_instance_uid.to_string(),
            facts.series_instance_uid.to_string(),
            facts.sop_instance_uid.to_string(),
            facts.acquired.clone().unwrap_or_default(),
            facts.mode.to_string(),
            text(facts.frames),
            text(facts.frame_time_ms),
        ];
        row.extend(said.map_or_else(|| no_prediction(stored.skip_reason.as_deref()), prediction_cells));
        row.push(review.map(|review| review.view.clone().unwrap_or_else(|| "none".to_owned())).unwrap_or_default());
        row.push(review.map(|review| review.reviewer.clone()).unwrap_or_default());
        row.push(stored.content_sha256.to_string());
        if include_paths {
            row.push(paths.get(&facts.sop_instance_uid).map(|path| path.display().to_string()).unwrap_or_default());
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Returns the columns from `pipeline` to `predicted_at`. Lists are names with spaces between them.
fn prediction_cells(said: &StoredPrediction) -> Vec<String> {
    let prediction = &said.prediction;
    vec![
        prediction.model.pipeline.clone(),
        text(prediction.model.pipeline_sha256),
        prediction.model.weights_sha256.to_string(),
        text(prediction.model.precision),
        prediction.weights_note.clone().unwrap_or_default(),
        prediction.view.clone().unwrap_or_default(),
        prediction.confidence.to_string(),
        prediction.abstained.to_string(),
        prediction.reason.clone().unwrap_or_default(),
        prediction.prediction_set.join(" "),
        text(prediction.energy),
        prediction.clips.to_string(),
        prediction.frames_used.to_string(),
        prediction.ecg_source.to_string(),
        prediction.findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>().join(" "),
        said.created_at.to_string(),
    ]
}

/// The same columns of a loop that no model was asked about: all empty but `reason`.
fn no_prediction(reason: Option<&str>) -> Vec<String> {
    let reason = reason.unwrap_or_default();
    ["", "", "", "", "", "", "", "", reason, "", "", "", "", "", "", ""].map(str::to_owned).to_vec()
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
    fn formulas_become_text() {
        for cell in ["=1+1", "+1+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        assert_eq!(harmless("PLAX"), "PLAX");
        assert_eq!(harmless("-4.5"), "-4.5");
        assert_eq!(harmless(""), "");
    }
}
