//! `echolabel db`: checks and copies the database.

use std::path::Path;

use store::{Store, StoreError};

use super::{Failure, Outcome};
use crate::cli::{Common, DbCommand, DbOptions};
use crate::output;

/// Runs one of the subcommands.
pub fn run(common: &Common, options: &DbOptions) -> Outcome {
    match &options.command {
        DbCommand::Copy { from, to } => copy(common, from, to),
        DbCommand::Check => {
            let database = super::settings_of_database(common, options.db.clone())?.database;
            let faults = match Store::open_read_only(&database).and_then(|store| store.check()) {
                Ok(faults) => faults,
                Err(StoreError::Damaged { problem, .. }) => vec![problem],
                Err(error) => return Err(error.into()),
            };
            faults.iter().try_for_each(output::line)?;
            match faults.len() {
                0 => output::line(format_args!("{database} is sound")),
                count => {
                    output::line(format_args!("{database} is damaged: {count} fault(s)"))?;
                    Err(Failure::SomeInputs)
                }
            }
        }
        DbCommand::Backup { file } => {
            let database = super::settings_of_database(common, options.db.clone())?.database;
            Store::open_read_only(&database)?.backup(file)?;
            output::line(output::path(file))
        }
    }
}

fn copy(common: &Common, from: &Path, to: &Path) -> Outcome {
    let from = super::settings_of_database(common, Some(from.to_owned()))?.database;
    let overrides = daemon::Overrides { database: Some(to.to_owned()), ..Default::default() };
    let to = super::settings(common, overrides)?.database;
    let tables = store::copy_store(&Store::open_read_only(&from)?, &Store::open(&to)?)?;
    for table in &tables {
        output::line(format_args!("{:<12} {:>10} rows  sha256 {}", table.table, table.rows, table.sha256))?;
    }
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    output::line(format_args!("{rows} rows of {from} are in {to}: written, read back and compared"))
}
