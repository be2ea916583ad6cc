//! `echolabel models use`: the model that labels from now on.

use anyhow::Context as _;
use daemon::Settings;
use pipeline::{Pipeline, PipelineSource};

use crate::active_model::ActiveModel;
use crate::cli::Common;
use crate::commands::Outcome;
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

/// Puts the model `name` in use, or the one before where there is no name.
///
/// # Errors
/// There is no such model, it labels no views, none was in use before, or the folder of models cannot be written.
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
    Ok(next)
}
