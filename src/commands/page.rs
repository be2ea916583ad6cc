//! `echolabel page`: the page beside a running daemon.

use daemon::settings::PageSettings;

use super::Outcome;
use crate::cli::{Common, PageOptions};
use crate::exit_code::ExitCode;
use crate::{output, page};

/// Answers until a signal comes.
pub fn run(common: &Common, options: &PageOptions) -> Outcome {
    let settings = super::settings_of_database(common, options.db.clone())?;
    let configured = settings.page.clone().unwrap_or_default();
    let page = PageSettings {
        listen: options.listen.unwrap_or(configured.listen),
        token_file: options.token_file.clone().or(configured.token_file),
        ..configured
    };
    let shutdown = super::watch::stop_on_signals(ExitCode::Done)?;
    let server = page::start(common, &page, &settings)?;
    output::line(format_args!("http://{}", server.address()))?;
    output::note(format_args!(
        "open it in a browser; the token stands in {}; Ctrl-C ends it",
        page::token_file(&page, &settings).display()
    ));
    shutdown.wait();
    drop(server);
    Ok(())
}
