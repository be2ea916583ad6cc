//! Protocols.

use clap::Args;

/// `echolabel protocols`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel protocols                             their names
  echolabel protocols ase-2019                    the items of one
  echolabel inventory 12 --protocol ase-2019 --db lab.db

A lab's own protocol is a file NAME.protocol.toml in the folder of models, or any .toml file named by its path.")]
pub struct ProtocolsOptions {
    /// A name, or a .toml file; every protocol when it is left out
    #[arg(value_name = "NAME|FILE")]
    pub protocol: Option<String>,
    /// One JSON object a protocol
    #[arg(long)]
    pub json: bool,
}
