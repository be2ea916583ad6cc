//! Care of the database.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `echolabel db`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel db check --db lab.db                     faults, and exit code 1, if there are any
  echolabel db backup /backup/lab.db --db lab.db     a copy of one moment
  echolabel db copy --from lab.db --to postgres://echo@db.lab/echo    a lab moves to a server

Each works beside a running `echolabel watch` and writes nothing to the database that it reads.")]
pub struct DbOptions {
    /// Action
    #[command(subcommand)]
    pub command: DbCommand,
    /// Database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE", global = true)]
    pub db: Option<PathBuf>,
}

/// Actions on the database.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Look at every page, row and index for damage
    #[command(after_help = "Example:
  echolabel db check --db lab.db")]
    Check,
    /// Copy a lab, with all its studies, jobs, labels and reviews, into an empty database of either kind
    #[command(after_help = "Example:
  echolabel db copy --from lab.db --to postgres://echo@db.lab/echo

The copy is of one moment and appears whole or not at all. It is read back and compared: each table with its rows and their digest
is printed. Files that come meanwhile are taken by the next `echolabel watch` on the copy.")]
    Copy {
        /// Database to read: a file, or postgres://USER@HOST/NAME
        #[arg(long, value_name = "DATABASE")]
        from: PathBuf,
        /// Empty database to write
        #[arg(long, value_name = "DATABASE")]
        to: PathBuf,
    },
    /// Copy the database into one file; a server's is copied by pg_dump
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
