//! Explanations for the page, by `inspect --why` in a process of its own, whose memory ends with it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, TryLockError};

use anyhow::Context as _;
use pipeline::Explanation;
use web::Explain;

use crate::cli::Common;

/// Asks the model one loop at a time.
pub struct Explainer {
    common: Common,
    turn: Mutex<()>,
}

impl Explainer {
    /// Returns explanations by the pipeline of the settings.
    pub fn new(common: &Common) -> Self {
        Self { common: common.clone(), turn: Mutex::new(()) }
    }

    fn ask(&self, file: &Path) -> anyhow::Result<Explanation> {
        // Nobody waits: threads that wait would be missing for other requests.
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => {
                anyhow::bail!("the model explains another loop: try again in some seconds")
            }
        };
        let mut command = Command::new(std::env::current_exe().context("the path of this program")?);
        command.args(["inspect", "--why", "--json"]).args(self.common.as_flags()).arg("--").arg(file);
        let output =
            command.env("ECHOLABEL_LOG", "off").stdin(Stdio::null()).output().context("cannot ask the model")?;
        let Ok(answer) = serde_json::from_slice::<Answer>(&output.stdout) else {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or("the model gave no answer");
            // Other messages name the file.
            let known = last.strip_prefix("error: no model was asked: ");
            anyhow::bail!("{}", known.unwrap_or("the model could not be asked; `echolabel inspect --why` says more"));
        };
        Ok(answer.why)
    }
}

#[derive(serde::Deserialize)]
struct Answer {
    why: Explanation,
}

impl Explain for Explainer {
    fn explain(&self, file: &Path) -> Result<Explanation, String> {
        self.ask(file).map_err(|error| crate::output::error_text(&error))
    }
}
