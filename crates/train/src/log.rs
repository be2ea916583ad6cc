//! Logs of a run: a CSV of steps, a line of JSON for each validation, and the list of training data.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use files::Access;
use serde_json::json;

use crate::{DataSet, Progress, Result, TrainError};

/// Log files of a run.
pub struct RunLog {
    steps: File,
    validations: File,
    step: usize,
}

impl RunLog {
    /// Opens the logs in `folder`, to be continued after `step` steps.
    ///
    /// # Errors
    /// [`TrainError::File`] for a file that cannot be opened.
    pub fn open(folder: &Path, step: usize) -> Result<Self> {
        let open = |name: &str| {
            let path = folder.join(name);
            let opened = OpenOptions::new().create(true).append(step > 0).write(true).truncate(step == 0).open(&path);
            opened.map_err(|source| TrainError::File { path, source })
        };
        let mut steps = open("steps.csv")?;
        if step == 0 {
            // A log that cannot be written is no reason to stop a run of days.
            let _ = writeln!(steps, "step,loss,gradient_norm,clips_per_s");
        }
        Ok(Self { steps, validations: open("validation.jsonl")?, step })
    }

    /// Writes an event.
    pub fn write(&mut self, progress: &Progress) {
        let written = match progress {
            Progress::Step { step, loss, gradient_norm, clips_per_s } => {
                self.step = *step;
                writeln!(self.steps, "{step},{loss:.6},{gradient_norm:.4},{clips_per_s:.2}")
            }
            Progress::Validation { step, validation, is_best } => {
                let line = json!({ "step": step, "validation": validation, "is_best": is_best });
                writeln!(self.validations, "{line}")
            }
        };
        let _ = written;
    }
}

/// File that lists the loops that were left out.
pub const LEFT_OUT: &str = "left-out.csv";

/// Writes `data.json` into `folder`: the digest of all pixels, and who stands on which side of the split; and
/// `left-out.csv` with what could not be used and why.
///
/// # Errors
/// The folder cannot be written.
pub fn write_file_list(data: &DataSet, folder: &Path) -> Result<()> {
    let path: PathBuf = folder.join("data.json");
    let failed = |source: std::io::Error| TrainError::File { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let list = json!({ "sha256_of_clips": data.clips().fingerprint(), "examples": data.clips().examples() });
    files::write(&path, list.to_string().as_bytes(), Access::Umask).map_err(failed)?;
    write_left_out(data, &folder.join(LEFT_OUT))
}

fn write_left_out(data: &DataSet, path: &Path) -> Result<()> {
    if data.left_out().is_empty() {
        // What an earlier run left must not stand beside another list.
        return match std::fs::remove_file(path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(TrainError::File { path: path.to_owned(), source })
            }
            _ => Ok(()),
        };
    }
    let fault = |error: csv::Error| TrainError::Format { path: path.to_owned(), problem: error.to_string() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    data.left_out().iter().try_for_each(|left| writer.serialize(left)).map_err(fault)?;
    let failed = |source| TrainError::File { path: path.to_owned(), source };
    let text = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    files::write(path, &text, Access::Umask).map_err(failed)
}
