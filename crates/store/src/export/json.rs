//! One JSON object a study: its inventory with every prediction, and header values and reviews of its loops.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{ExportFormat, ExportOptions, write_file};
use crate::{Inventory, LabelStore, Review, StoreError, StoredLoop, Study};

/// `<study>.json`.
pub(super) const FORMAT: ExportFormat = ExportFormat { name: "json", about: "<study>.json, one object a study", write };

#[derive(Serialize)]
struct StudyObject {
    #[serde(flatten)]
    study: Study,
    inventory: Inventory,
    loops: Vec<LoopObject>,
}

#[derive(Serialize)]
struct LoopObject {
    #[serde(flatten)]
    stored: StoredLoop,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    reviews: Vec<Review>,
}

/// Writes one file a study.
fn write(
    labels: &dyn LabelStore,
    studies: &[Study],
    folder: &Path,
    options: &ExportOptions,
) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    for study in studies {
        let path = folder.join(format!("{}.json", study.study_instance_uid));
        let object = study_object(labels, study, options)?;
        let mut bytes = serde_json::to_vec_pretty(&object)
            .map_err(|error| StoreError::Export { path: path.clone(), source: error.into() })?;
        bytes.push(b'\n');
        write_file(&path, &bytes)?;
        files.push(path);
    }
    Ok(files)
}

fn study_object(labels: &dyn LabelStore, study: &Study, options: &ExportOptions) -> Result<StudyObject, StoreError> {
    let uid = &study.study_instance_uid;
    let paths = if options.include_paths { labels.paths(uid)? } else { BTreeMap::new() };
    let reviews = labels.reviews(uid)?;
    let loops = labels
        .loops(uid)?
        .into_iter()
        .map(|stored| {
            let sop = &stored.facts.sop_instance_uid;
            LoopObject {
                path: super::current_path(paths.get(sop)),
                reviews: reviews.iter().filter(|review| review.sop_instance_uid == *sop).cloned().collect(),
                stored,
            }
        })
        .collect();
    Ok(StudyObject { study: study.clone(), inventory: labels.inventory(uid)?, loops })
}
