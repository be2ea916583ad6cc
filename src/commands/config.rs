//! `echolabel config`: checks the configuration, prints an example or the schema.

use pipeline::Pipeline;

use super::{Failure, Outcome};
use crate::cli::{Common, ConfigCommand, ConfigOptions};
use crate::output;

const EXAMPLE: &str = include_str!("../../docs/echolabel.example.toml");

/// Runs one of the subcommands.
pub fn run(common: &Common, options: &ConfigOptions) -> Outcome {
    match options.command {
        ConfigCommand::Example => output::line(EXAMPLE.trim_end()),
        ConfigCommand::Check => check(common),
        ConfigCommand::Schema => output::json_pretty(&daemon::settings::json_schema()),
    }
}

fn check(common: &Common) -> Outcome {
    let settings = super::settings(common, daemon::Overrides::default())?;
    let mut problems: Vec<String> =
        daemon::settings::check(&settings).into_iter().map(|problem| problem.to_string()).collect();
    match super::pipeline_source(&settings) {
        Ok(source) => {
            let checked = Pipeline::check(&source, &settings.models).map_err(anyhow::Error::new);
            if let Err(error) = checked.and_then(|(_, card)| super::labels_views(&card)) {
                problems.push(format!("{error:#}"));
            }
        }
        Err(error) => problems.push(format!("labelling.pipeline: {error:#}")),
    }
    if let Err(error) = crate::protocols::named(&settings.study_protocol, &settings.models) {
        problems.push(format!("study.protocol: {error:#}"));
    }
    if let Err(error) = settings.labelling.device.parse::<nn::DeviceChoice>() {
        problems.push(format!("labelling.device: {error}"));
    }
    problems.extend(crate::sending::problems(&settings.send));
    problems.extend(crate::receive::problems(&settings));
    output::line(settings.as_file().map_err(anyhow::Error::new)?.trim_end())?;
    if problems.is_empty() {
        return output::line("the configuration is usable");
    }
    Err(Failure::Error(anyhow::anyhow!("{} problem(s)\n  {}", problems.len(), problems.join("\n  "))))
}
