//! `echolabel db`: checks and copies the database.

use store::{Store, StoreError};

use super::{Failure, Outcome};
use crate::cli::{Common, DbCommand, DbOptions};
use crate::output;

/// Runs one of the subcommands.
pub fn run(common: &Common, options: &DbOptions) -> Outcome {
    let database = super::settings_of_database(common, options.db.clone())?.database;
    match &options.command {
        DbCommand::Check => {
            let faults = match Store::open_read_only(&database).and_then(|store| store.check()) {
                Ok(faults) => faults,
                Err(StoreError::Damaged { problem, .. }) => vec![problem],
                Err(error) => return Err(error.into()),
            };
            faults.iter().try_for_each(output::line)?;
            let path = &database;
            match faults.len() {
                0 => output::line(format_args!("{path} is sound")),
                count => {
                    output::line(format_args!("{path} is damaged: {count} fault(s)"))?;
                    Err(Failure::SomeInputs)
                }
            }
        }
        DbCommand::Backup { file } => {
            Store::open_read_only(&database)?.backup(file)?;
            output::line(output::path(file))
        }
    }
}
