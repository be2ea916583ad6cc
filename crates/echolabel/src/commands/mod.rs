//! One file a command.

pub mod bench;
pub mod config;
pub mod demo;
pub mod export;
pub mod inspect;
pub mod inventory;
pub mod label;
pub mod models;
pub mod phantom;
pub mod watch;

use anyhow::Context as _;
use pipeline::{Pipeline, PipelineSource};

use crate::cli::Common;

/// Why a command did not end well.
#[derive(Debug)]
pub enum Failure {
    /// Some inputs failed; each was named with its reason. Exit code 1.
    SomeInputs,
    /// Usage, configuration, or the machine. Exit code 2.
    Setup(anyhow::Error),
    /// Whoever read our output has gone away, which is no failure.
    ReaderGone,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Setup(error.into())
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
        ..overrides
    };
    Ok(daemon::Settings::load(common.config.as_deref(), overrides)?)
}

/// Opens the pipeline that the settings name.
fn open_pipeline(common: &Common, settings: &daemon::Settings) -> anyhow::Result<Pipeline> {
    if let Some(threads) = settings.labelling.threads {
        nn::limit_threads(threads.min(usize::from(u16::MAX)) as u16);
    }
    let source = pipeline_source(settings)?;
    let device = settings.labelling.device.parse::<nn::DeviceChoice>().context("labelling.device")?;
    Ok(Pipeline::open(&source, &common.models, device)?)
}

/// The pipeline that the settings name, or the default one.
fn pipeline_source(settings: &daemon::Settings) -> anyhow::Result<PipelineSource> {
    Ok(PipelineSource::named(settings.labelling.pipeline.as_deref().unwrap_or(PipelineSource::DEFAULT))?)
}
