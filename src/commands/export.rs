//! `echolabel export`: inventories for other programs.

use std::path::PathBuf;

use domain::StudyUid;
use store::export::{self, ExportOptions as Choice};
use store::{Inventory, LabelStore as _};

use super::Outcome;
use crate::cli::{Common, ExportFormat, ExportOptions};
use crate::output;

/// Writes the files and names them.
pub fn run(common: &Common, options: &ExportOptions) -> Outcome {
    let store = super::open_store_read_only(common, options.db.clone())?;
    let format = match options.format {
        ExportFormat::Csv => export::ExportFormat::Csv,
        ExportFormat::Json => export::ExportFormat::Json,
    };
    let choice = Choice { study_instance_uid: options.study.clone(), include_paths: options.paths };
    for file in export::export(&store, format, &options.out, &choice)? {
        output::line(file.display())?;
    }
    Ok(())
}

/// Returns the inventory of one study, or of every study.
pub fn inventories(common: &Common, db: Option<PathBuf>, study: Option<&StudyUid>) -> anyhow::Result<Vec<Inventory>> {
    let store = super::open_store_read_only(common, db)?;
    let studies = match study {
        Some(uid) => vec![uid.clone()],
        None => store.studies()?.into_iter().map(|study| study.study_instance_uid).collect(),
    };
    studies.iter().map(|uid| Ok(store.inventory(uid)?)).collect()
}
