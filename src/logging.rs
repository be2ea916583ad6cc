//! The log on stderr. It carries UIDs and tags of paths, never names or paths.

use std::io::{IsTerminal, stderr};

use clap::ColorChoice;
use tracing_subscriber::EnvFilter;

use crate::cli::{Common, LogFormat};

/// Starts the log. WARN: nothing is lost but a person should know; ERROR: a person must act; INFO with -v.
pub fn start(common: &Common) {
    let level = match common.verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    // The drawing library warns of every bar of a picture that is empty.
    let usual = format!("{level},morning=info,tiny_skia=error,tiny_skia_path=error");
    let filter = EnvFilter::try_from_env("ECHOLABEL_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt().with_writer(stderr).with_env_filter(filter).with_target(false);
    match common.log_format {
        LogFormat::Text => builder.with_ansi(has_color(common.color)).init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// `NO_COLOR` with any value but an empty one turns colors off, as https://no-color.org asks.
fn has_color(choice: ColorChoice) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}
