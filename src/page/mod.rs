//! The page beside the daemon, or alone: its token, its connections to the database.

mod background;
mod explaining;
mod learning;
mod reports;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use daemon::Settings;
use daemon::settings::PageSettings;
use store::PageBackend;
use web::{Program, Server, ServerSettings, Stores, Token};

use crate::cli::Common;
use crate::database::Database;

/// Connections that read, beside the one that writes.
const READERS: usize = 3;

/// Listens as the settings say, until the server is dropped.
///
/// # Errors
/// The address is taken, the database or the token file cannot be used.
pub fn start(common: &Common, page: &PageSettings, settings: &Settings) -> anyhow::Result<Server> {
    let sampling = crate::commands::pipeline_source(settings)?.read(&settings.models)?.sampling;
    let plan =
        ecg::PlanSettings { strategy: sampling.strategy, frames_per_clip: sampling.frames_per_clip, max_clips: None };
    let token = token(&token_file(page, settings))?;
    let server = ServerSettings {
        token,
        hosts: page.hosts.clone(),
        reviewers: page.reviewers.clone(),
        show_burned_in_text: page.show_burned_in_text,
        mask_on_server: page.mask_on_server,
        viewers: page.viewers.clone(),
        plan,
    };
    let database = Database::new(settings)?;
    let writer: Arc<dyn PageBackend> = Arc::new(database.open()?);
    let reader = |_| Ok(Arc::new(database.open_read_only()?) as Arc<dyn PageBackend>);
    let readers = (0..READERS).map(reader).collect::<anyhow::Result<_>>()?;
    let program = Program {
        learning: Arc::new(learning::Learner::new(common, settings)),
        explain: Arc::new(explaining::Explainer::new(common)),
        reports: Arc::new(reports::StudyReports::new(database, settings)),
    };
    Ok(Server::start(&page.listen.to_string(), server, Stores::new(readers, writer), program)?)
}

/// Returns the file that holds the token: the one of the settings, else one beside the database.
pub fn token_file(page: &PageSettings, settings: &Settings) -> PathBuf {
    page.token_file.clone().unwrap_or_else(|| {
        // A server has no folder for it: it lies where the program runs.
        let file = settings.database.file().unwrap_or(Path::new("echolabel"));
        let mut name = file.to_owned().into_os_string();
        name.push(".page-token");
        name.into()
    })
}

/// Reads the token, or makes one that nobody but the owner can read.
fn token(file: &Path) -> anyhow::Result<Token> {
    match fs::read_to_string(file) {
        Ok(text) => Token::from_text(&text).with_context(|| {
            format!("{} holds no token of at least 16 characters: delete it, and a new one is made", file.display())
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let token = Token::random().context("no random numbers")?;
            files::write(file, format!("{}\n", token.secret()).as_bytes(), files::Access::Owner)
                .with_context(|| format!("cannot write {}", file.display()))?;
            Ok(token)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}
