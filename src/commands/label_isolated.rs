//! `echolabel label-isolated`: labels one file for the daemon that started this process.

use std::path::Path;

use daemon::Labeller;

use super::Outcome;
use crate::cli::Common;
use crate::isolation::Answer;
use crate::labeller::PipelineLabeller;
use crate::output;

/// Labels the file and prints the answer as JSON.
pub fn run(common: &Common, path: &Path) -> Outcome {
    let settings = super::settings(common, daemon::Overrides::default())?;
    let pipeline = super::open_view_pipeline(&settings)?;
    let answer: Answer = PipelineLabeller::new(pipeline, common)?.label(path);
    output::json_line(&answer)
}
