//! `echolabel export`: inventories for other programs.

use std::path::PathBuf;

use anyhow::Context as _;
use domain::StudyUid;
use store::export::{self, ExportOptions as Choice};
use store::{Inventory, LabelStore as _, SqliteStore};

use super::Outcome;
use crate::cli::{Common, ExportFormat, ExportOptions};
use crate::output;

/// Writes the files and names them.
pub fn run(common: &Common, options: &ExportOptions) -> Outcome {
    let (store, label_set) = open(common, options.db.clone())?;
    let format = match options.format {
        ExportFormat::Csv => export::ExportFormat::Csv,
        ExportFormat::Json => export::ExportFormat::Json,
    };
    let choice = Choice { study_instance_uid: options.study.clone(), label_set, include_paths: options.paths };
    for file in export::export(&store, format, &options.out, &choice)? {
        output::line(file.display())?;
    }
    Ok(())
}

/// The inventory of one study, or of every study.
pub fn inventories(common: &Common, db: Option<PathBuf>, study: Option<&StudyUid>) -> anyhow::Result<Vec<Inventory>> {
    let (store, label_set) = open(common, db)?;
    let studies = match study {
        Some(uid) => vec![uid.clone()],
        None => store.studies()?.into_iter().map(|study| study.study_instance_uid).collect(),
    };
    studies.iter().map(|uid| Ok(store.inventory(uid, &label_set)?)).collect()
}

/// Opens an existing database and tells the views of the pipeline's label set.
pub(super) fn open(common: &Common, db: Option<PathBuf>) -> anyhow::Result<(SqliteStore, Vec<String>)> {
    let settings = super::settings(common, daemon::Overrides { database: db, ..Default::default() })?;
    let label_set = super::pipeline_source(common, &settings)?.read(&common.models)?.label_set;
    let views = match label_set {
        Some(name) => zoo::LabelSet::named(&name)?.view_names(),
        None => Vec::new(),
    };
    anyhow::ensure!(
        settings.database.is_file(),
        "there is no database {}: name one with --db, or make one with `echolabel watch DIR --db FILE`",
        settings.database.display()
    );
    let store = SqliteStore::open(&settings.database).context("cannot open the database")?;
    Ok((store, views))
}
