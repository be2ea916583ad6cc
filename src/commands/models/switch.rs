//! `echolabel models use`: the model that labels from now on.

use std::path::Path;

use anyhow::Context as _;
use daemon::Settings;
use jiff::Timestamp;
use pipeline::{Pipeline, PipelineSource};
use store::PageStore as _;

use crate::active_model::ActiveModel;
use crate::cli::Common;
use crate::commands::Outcome;
use crate::database::Database;
use crate::output;

/// Switches to the model `name`, or back to the one before, and says so.
pub fn run(common: &Common, name: Option<&str>) -> Outcome {
    let settings = crate::commands::settings(common, daemon::Overrides::default())?;
    let was = ActiveModel::read(&settings.models)?;
    let next = switch(&settings, name)?;
    output::line(format_args!("{} labels from now on (was {})", next.name(), was.name()))?;
    if let Some(other) = settings.labelling.pipeline.filter(|pipeline| pipeline != next.name()) {
        output::note(format_args!(
            "the configuration or --pipeline names {other}, which is used instead while it does"
        ));
    }
    Ok(())
}

/// Makes the predictions of a model count where a loop has several, so that going back undoes what was labelled again.
fn prefer_its_predictions(settings: &Settings, name: &str) -> anyhow::Result<()> {
    if !settings.database.file().is_none_or(Path::is_file) {
        return Ok(());
    }
    let (pipeline, _) = Pipeline::check(&PipelineSource::named(name, &settings.models)?, &settings.models)?;
    Ok(Database::new(settings)?.open()?.prefer_predictions(&pipeline.name, Timestamp::now())?)
}

/// Puts the model `name` in use, or the one before where there is no name.
///
/// # Errors
/// There is no such model, it labels no views, none was in use before, or the folder of models or the database cannot be written.
pub fn switch(settings: &Settings, name: Option<&str>) -> anyhow::Result<ActiveModel> {
    let models = &settings.models;
    let active = ActiveModel::read(models)?;
    let next = match name {
        Some(name) => {
            // A model that cannot be used is refused now, not at night.
            let (_, card) = Pipeline::check(&PipelineSource::named(name, models)?, models)?;
            crate::commands::labels_views(&card)?;
            active.switched_to(name)
        }
        None => active.back().context("there is no model to go back to: none was in use before")?,
    };
    next.write(models)?;
    prefer_its_predictions(settings, next.name())?;
    Ok(next)
}
