//! The `echolabel` program: reads the command line, wires the crates together, prints results.
//!
//! stdout carries results, stderr carries logs and progress. `exit_code` lists the exit codes.

mod active_model;
mod archive;
mod cli;
mod commands;
mod database;
mod database_password;
mod decoding;
mod exit_code;
mod hub;
mod isolation;
mod labeller;
mod labels_file;
mod logging;
mod notifying;
mod object_intake;
mod output;
mod page;
mod picture;
mod place;
mod progress;
mod protocols;
mod receive;
mod reporting;
mod secret;
mod sending;
mod systemd;

use crate::cli::{Arguments, Command, Common};
use crate::commands::{Failure, Outcome};
use crate::exit_code::ExitCode;

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_command_line();
    logging::start(&arguments.common);
    if let Some(threads) = arguments.common.threads {
        // Candle's matrix products and our own operations both take their number of threads from here. Set before any
        // other thread exists.
        nn::limit_threads(threads);
    }
    let code = match run(&arguments.common, &arguments.command) {
        Ok(()) | Err(Failure::ReaderGone) => ExitCode::Done,
        Err(Failure::SomeInputs) => ExitCode::SomeInputsFailed,
        Err(Failure::UnreadableFolder) => ExitCode::CannotWorkNow,
        Err(Failure::Error(error)) => {
            let suggestion = commands::suggestion(&error, &arguments.common);
            output::note(format_args!("error: {}{suggestion}", output::error_text(&error)));
            ExitCode::from_error(&error)
        }
    };
    code.into()
}

fn run(common: &Common, command: &Command) -> Outcome {
    if !matches!(command, Command::DecodeWorker) {
        decoding::use_workers()?;
    }
    match command {
        Command::Demo(options) => commands::demo::run(common, options),
        Command::Watch(options) => commands::watch::run(common, options),
        Command::DecodeWorker => decoding::run_worker().map_err(Failure::from),
        Command::LabelIsolated { path } => commands::label_isolated::run(common, path),
        Command::Label(options) => commands::label::run(common, options),
        Command::Manifest(options) => commands::manifest::run(options),
        Command::Upload(options) => commands::upload::run(options),
        Command::Work(options) => commands::work::run(common, options),
        Command::PlanBackfill(options) => commands::plan_backfill::run(options),
        Command::ImportLabels(options) => commands::import_labels::run(common, options),
        Command::Inspect(options) => commands::inspect::run(common, options),
        Command::Inventory(options) => commands::inventory::run(common, options),
        Command::Fetch(options) => commands::fetch::run(common, options),
        Command::Protocols(options) => commands::protocols::run(common, options),
        Command::Status(options) => commands::status::run(common, options),
        Command::Export(options) => commands::export::run(common, options),
        Command::Review(options) => commands::review::run(common, options),
        Command::Jobs(options) => commands::jobs::run(common, options),
        Command::Page(options) => commands::page::run(common, options),
        Command::Relabel(options) => commands::relabel::run(common, options),
        Command::Db(options) => commands::db::run(common, options),
        Command::Models(options) => commands::models::run(common, options),
        Command::Config(options) => commands::config::run(common, options),
        Command::Phantom(options) => commands::phantom::run(options),
        Command::Adapt(options) => commands::adapt::run(common, options),
        Command::Train(options) => commands::train::run(common, options),
        Command::Eval(options) => commands::eval::run(common, options),
        Command::Bench(options) => commands::bench::run(common, options),
        Command::Completions(options) => commands::documents::completions(options),
        Command::Man(options) => commands::documents::man(options),
    }
}
