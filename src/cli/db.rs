//! Care of the database.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `echolabel db`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel db check --db lab.db                     faults, and exit code 1, if there are any
  echolabel db backup /backup/lab.db --db lab.db     a copy of one moment

Both work beside a running `echolabel watch` and write nothing to the database.")]
pub struct DbOptions {
    /// Action
    #[command(subcommand)]
    pub command: DbCommand,
    /// Database file
    #[arg(long, value_name = "FILE", global = true)]
    pub db: Option<PathBuf>,
}

/// Actions on the database.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Look at every page, row and index for damage
    #[command(after_help = "Example:
  echolabel db check --db lab.db")]
    Check,
    /// Copy the database into one file
    #[command(after_help = "Example:
  echolabel db backup /backup/lab.db --db lab.db

Copying the file by other means while it is in use gives a damaged copy. A file of that name is replaced, once the copy is
whole and sound.")]
    Backup {
        /// File to write
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}
