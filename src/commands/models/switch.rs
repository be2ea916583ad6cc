//! `echolabel models use`: the model that labels from now on.

use anyhow::Context as _;
use pipeline::{Pipeline, PipelineSource};

use crate::active_model::ActiveModel;
use crate::cli::Common;
use crate::commands::Outcome;
use crate::output;

/// Switches to the model `name`, or back to the one before.
pub fn run(common: &Common, name: Option<&str>) -> Outcome {
    let settings = crate::commands::settings(common, daemon::Overrides::default())?;
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
    output::line(format_args!("{} labels from now on (was {})", next.name(), active.name()))?;
    if let Some(other) = settings.labelling.pipeline.filter(|pipeline| pipeline != next.name()) {
        output::note(format_args!(
            "the configuration or --pipeline names {other}, which is used instead while it does"
        ));
    }
    Ok(())
}
