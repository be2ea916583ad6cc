//! `echolabel completions` and `echolabel man`: documents made from the command line's definition.

use std::fs;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::Outcome;
use crate::cli::{Arguments, CompletionsOptions, ManOptions};
use crate::output;

/// Prints the completion script of a shell.
pub fn completions(options: &CompletionsOptions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "echolabel", &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end())
}

/// Writes a man page for the program and for each command.
pub fn man(options: &ManOptions) -> Outcome {
    let folder = &options.folder;
    let failed = || format!("cannot write to {}", folder.display());
    fs::create_dir_all(folder).with_context(failed)?;
    clap_mangen::generate_to(Arguments::command(), folder).with_context(failed)?;
    Ok(())
}
