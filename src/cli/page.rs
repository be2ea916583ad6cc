//! Options of the page.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// `echolabel page`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel page --db lab.db                          beside a running daemon, or without one
  echolabel page --db lab.db --listen 127.0.0.1:9000

It shows the studies, plays their loops, and keeps reviews; browsers are asked for the token of the token file. The table [page] of the
configuration has the rest: names of reviewers, links to viewers, host names behind a proxy. `watch` answers browsers too where the
configuration has that table.")]
pub struct PageOptions {
    /// Database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE")]
    pub db: Option<PathBuf>,
    /// Address and port to listen on; 127.0.0.1:8042 by default
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// File that holds the token, made where there is none; beside the database by default
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}
