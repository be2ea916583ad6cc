//! The log on stderr. It carries UIDs and tags of paths, never names or paths.

use std::io::{IsTerminal, stderr};

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
    let usual = format!("{level},tiny_skia=error,tiny_skia_path=error");
    let filter = EnvFilter::try_from_env("ECHOLABEL_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt().with_writer(stderr).with_env_filter(filter).with_target(false);
    match common.log_format {
        LogFormat::Text => builder.with_ansi(stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
}
