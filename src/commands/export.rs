//! `echolabel export`: inventories for other programs.

use std::path::PathBuf;

use jiff::Timestamp;
use store::export::{self, ExportOptions as Choice};
use store::{Inventory, LabelStore as _, StudyName};

use super::{Outcome, names};
use crate::cli::{Common, ExportOptions};
use crate::output;

/// Writes the files and names them.
pub fn run(common: &Common, options: &ExportOptions) -> Outcome {
    let store = super::open_store_read_only(common, options.db.clone())?;
    let study = options.study.as_ref().map(|name| names::study(&store, name)).transpose()?;
    let choice = Choice { study_instance_uid: study, include_paths: options.paths };
    for file in export::export(&store, options.format, &options.out, &choice)? {
        output::line(file.display())?;
    }
    Ok(())
}

/// Returns the inventory of one study, or of every study that was active since a time.
pub fn inventories(
    common: &Common,
    db: Option<PathBuf>,
    study: Option<&StudyName>,
    since: Option<Timestamp>,
) -> anyhow::Result<Vec<Inventory>> {
    let store = super::open_store_read_only(common, db)?;
    let mut studies = store.studies()?;
    studies.retain(|study| since.is_none_or(|since| study.last_activity >= since));
    let studies = match study {
        Some(name) => vec![names::study(&store, name)?],
        None => studies.into_iter().map(|study| study.study_instance_uid).collect(),
    };
    studies.iter().map(|uid| Ok(store.inventory(uid)?)).collect()
}
