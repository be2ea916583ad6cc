//! One file a command.

pub mod adapt;
mod archive;
pub mod bench;
pub mod config;
pub mod db;
pub mod demo;
pub mod documents;
pub mod eval;
pub mod export;
pub mod fetch;
pub mod import_labels;
pub mod inspect;
pub mod inventory;
pub mod jobs;
pub mod label;
pub mod label_isolated;
pub mod manifest;
mod model_switch;
pub mod models;
mod names;
mod outbox;
pub mod page;
mod parallel;
pub mod phantom;
pub mod plan_backfill;
pub mod protocols;
mod queue_files;
pub mod relabel;
pub mod review;
pub mod status;
pub mod train;
pub mod upload;
pub mod watch;
pub mod work;

pub use names::{did_you_mean, suggestion};

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pipeline::{Pipeline, PipelineSource};
use store::{Store, StoreError};
use zoo::Registry;

use crate::cli::Common;
use crate::database::Database;

/// An error of a command.
#[derive(Debug)]
pub enum Failure {
    /// Some inputs failed; each was named with its reason. Exit code 1.
    SomeInputs,
    /// A folder could not be read, so what is in it was not seen; it was named. Exit code 3.
    UnreadableFolder,
    /// The error that ended the command; it decides the exit code.
    Error(anyhow::Error),
    /// Whoever read our output has gone away, which is no failure.
    ReaderGone,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Result of a command.
pub type Outcome = Result<(), Failure>;

/// The configuration with the command line laid over it.
fn settings(common: &Common, overrides: daemon::Overrides) -> anyhow::Result<daemon::Settings> {
    let overrides = daemon::Overrides {
        pipeline: common.pipeline.clone(),
        device: common.device.clone(),
        threads: common.threads.map(usize::from),
        models: common.models.clone(),
        ..overrides
    };
    let settings = daemon::Settings::load(common.config.as_deref(), overrides)?;
    Ok(daemon::Settings { database: crate::database_password::complete(settings.database), ..settings })
}

/// Opens the registry of models, with the folder that the command line or the configuration names.
fn open_registry(common: &Common) -> anyhow::Result<Registry> {
    Ok(Registry::open(&settings(common, daemon::Overrides::default())?.models)?)
}

/// Opens an existing database to write to it.
fn open_store(common: &Common, db: Option<PathBuf>) -> anyhow::Result<Store> {
    Ok(existing_database(common, db)?.open()?)
}

/// Opens the database for a worker, which may be one of several.
fn open_worker_store(settings: &daemon::Settings) -> anyhow::Result<Store> {
    let database = Database::new(settings)?;
    // A file has one writer of labels, a server any number.
    Ok(if settings.database.file().is_some() { database.open_for_daemon()? } else { database.open()? })
}

/// Opens an existing database to read it; neither the file nor its folder need be writable, unless the database is that of
/// an older version.
fn open_store_read_only(common: &Common, db: Option<PathBuf>) -> anyhow::Result<Store> {
    let database = existing_database(common, db)?;
    match database.open_read_only() {
        Err(StoreError::OlderSchema { .. }) => Ok(database.open()?),
        opened => Ok(opened?),
    }
}

/// Returns the database, which must be there.
fn existing_database(common: &Common, db: Option<PathBuf>) -> anyhow::Result<Database> {
    Database::new(&settings_of_database(common, db)?)
}

/// Returns the settings of a database, which must be there; on a server this is found out when it is opened.
fn settings_of_database(common: &Common, db: Option<PathBuf>) -> anyhow::Result<daemon::Settings> {
    let settings = settings(common, daemon::Overrides { database: db, ..Default::default() })?;
    anyhow::ensure!(
        settings.database.file().is_none_or(Path::is_file),
        "there is no database {}: name one with --db, or make one with `echolabel watch DIR --db FILE`",
        settings.database
    );
    Ok(settings)
}

/// Opens the pipeline that the settings name.
fn open_pipeline(settings: &daemon::Settings) -> anyhow::Result<Pipeline> {
    let (source, device) = pipeline_and_device(settings)?;
    Ok(Pipeline::open(&source, &settings.models, device)?)
}

/// Opens it with untrained weights instead of its model's.
fn open_untrained_pipeline(settings: &daemon::Settings) -> anyhow::Result<Pipeline> {
    let (source, device) = pipeline_and_device(settings)?;
    Ok(Pipeline::open_untrained(&source, &settings.models, device)?)
}

/// Opens it for an inventory, where only views may stand.
fn open_view_pipeline(settings: &daemon::Settings) -> anyhow::Result<Pipeline> {
    let (_, card) = Pipeline::check(&pipeline_source(settings)?, &settings.models)?;
    labels_views(&card)?;
    open_pipeline(settings)
}

/// Refuses a model that is for something else than views.
fn labels_views(card: &zoo::ModelCard) -> anyhow::Result<()> {
    anyhow::ensure!(
        card.task == zoo::Task::Views,
        "model {} does not label views, its task is {}: only `echolabel label` runs it",
        card.name,
        card.task
    );
    Ok(())
}

fn pipeline_and_device(settings: &daemon::Settings) -> anyhow::Result<(PipelineSource, nn::DeviceChoice)> {
    if let Some(threads) = settings.labelling.threads {
        nn::limit_threads(threads.min(usize::from(u16::MAX)) as u16);
    }
    let source = pipeline_source(settings)?;
    let device = settings.labelling.device.parse::<nn::DeviceChoice>().context("labelling.device")?;
    Ok((source, device))
}

/// The device that the command line or the configuration names.
fn open_device(common: &Common) -> anyhow::Result<nn::Device> {
    let settings = settings(common, daemon::Overrides::default())?;
    let choice = settings.labelling.device.parse::<nn::DeviceChoice>().context("labelling.device")?;
    Ok(choice.open()?)
}

/// The pipeline that the settings name, else the one that `models use` has chosen, else the default one.
pub fn pipeline_source(settings: &daemon::Settings) -> anyhow::Result<PipelineSource> {
    let active = crate::active_model::ActiveModel::read(&settings.models)?;
    let name = settings.labelling.pipeline.as_deref().unwrap_or(active.name());
    Ok(PipelineSource::named(name, &settings.models)?)
}
