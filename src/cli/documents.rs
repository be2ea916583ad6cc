//! Documents made from this command line.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// `echolabel completions`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel completions bash > ~/.local/share/bash-completion/completions/echolabel
  echolabel completions zsh > \"${fpath[1]}/_echolabel\"
  echolabel completions fish > ~/.config/fish/completions/echolabel.fish")]
pub struct CompletionsOptions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `echolabel man`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  echolabel man man1 && man ./man1/echolabel-watch.1")]
pub struct ManOptions {
    /// Folder to write to
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}
