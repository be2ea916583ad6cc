//! `echolabel label`: labels files or folders without a database.

mod manifest;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use cine::Loop;
use daemon::Completeness;
use domain::WeightStatus;
use files::Links;
use pipeline::{LoopLabel, Pipeline};
use serde::Serialize;
use store::JobFailure;

use super::parallel::in_order;
use super::{Failure, Outcome};
use crate::cli::{Common, LabelOptions};
use crate::labeller::{ARCHIVE_KIND, NO_IMAGE_KIND, NO_IMAGE_REASON, NOT_DICOM_KIND, check_file, label_at};
use crate::output;
use crate::place::{Place, objects};

/// Labels every file and prints a line each, in the order given.
pub fn run(common: &Common, options: &LabelOptions) -> Outcome {
    if let (Some(manifest), Some(out)) = (&options.manifest, &options.out) {
        return manifest::run(common, options, manifest, out);
    }
    let settings = super::settings(common, daemon::Overrides::default())?;
    let (files, unreadable) = find_files(&options.paths);
    if files.is_empty() && unreadable.is_empty() {
        let names: Vec<String> = options.paths.iter().map(|path| output::path(path)).collect();
        output::note(format_args!("there is no file in {}", names.join(", ")));
        return Ok(());
    }
    // A worker takes as long to start as some loops to decode; that passes while the model opens.
    if files.first().is_some_and(|file| needs_worker(&file.path)) {
        crate::decoding::start_worker();
    }
    let pipeline = match options.untrained {
        true => super::open_untrained_pipeline(&settings)?,
        false => super::open_pipeline(&settings)?,
    };
    if let Some(warning) = pipeline.status().warning() {
        output::note(warning);
    }
    let bar = crate::progress::bar(files.len() as u64, "labelling");
    let mut failed = false;
    for (path, message) in unreadable {
        failed = true;
        print(options.json, &path, &Err(FileError { kind: "io".to_owned(), message }))?;
    }
    let work = |file: &File| label(&pipeline, &file.path);
    in_order(settings.labelling.workers, &files, work, |file, result| {
        bar.inc(1);
        match &result {
            Err(error) if !file.named && error.kind == NOT_DICOM_KIND => return Ok(()),
            // Reports, key objects, waveforms and empty images are no failures: the daemon skips them with the same words.
            Err(error) if error.kind == NO_IMAGE_KIND => {
                return bar.suspend(|| print_skipped(options.json, &file.path, NO_IMAGE_REASON));
            }
            Err(error) if !file.named && error.kind == ARCHIVE_KIND => {
                return bar.suspend(|| print_skipped(options.json, &file.path, &error.message));
            }
            _ => {}
        }
        failed |= result.is_err();
        bar.suspend(|| print(options.json, &file.path, &result))
    })?;
    bar.finish_and_clear();
    if failed { Err(Failure::SomeInputs) } else { Ok(()) }
}

/// Returns true if a worker will decode the frames of a file.
fn needs_worker(path: &Path) -> bool {
    files::require_file(path).is_ok() && Loop::open(path).is_ok_and(|mut source| !source.has_bounded_decoder())
}

/// Labels one file as the daemon does: one that is not whole is no loop yet.
fn label(pipeline: &Pipeline, path: &Path) -> Result<Box<LoopLabel>, FileError> {
    let error = |kind: &str, message: String| FileError { kind: kind.to_owned(), message };
    match check_file(path) {
        Completeness::Incomplete { reason, .. } => Err(error(JobFailure::INCOMPLETE, reason)),
        Completeness::Archive { reason } => Err(error(ARCHIVE_KIND, reason)),
        Completeness::NotDicom { reason } => Err(error(NOT_DICOM_KIND, reason)),
        Completeness::Complete { .. } => {
            label_at(pipeline, path).map(Box::new).map_err(|failure| error(failure.kind(), failure.message()))
        }
    }
}

fn print_skipped(json: bool, path: &Path, reason: &str) -> Outcome {
    match json {
        true => output::json_line(&Line { path, rest: Skipped { skipped: true, reason } }),
        false => output::line(format_args!("{:<14} {reason}  {}", "-", output::path(path))),
    }
}

/// A file to label.
pub(super) struct File {
    pub(super) path: PathBuf,
    /// True where a person named it, rather than its folder.
    pub(super) named: bool,
}

#[derive(Serialize)]
struct FileError {
    kind: String,
    message: String,
}

#[derive(Serialize)]
struct Line<'a, T> {
    path: &'a Path,
    #[serde(flatten)]
    rest: T,
}

#[derive(Serialize)]
struct Skipped<'a> {
    skipped: bool,
    reason: &'a str,
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    error: &'a FileError,
}

fn print(json: bool, path: &Path, result: &Result<Box<LoopLabel>, FileError>) -> Outcome {
    match (json, result) {
        (true, Ok(label)) => output::json_line(&Line { path, rest: label }),
        (true, Err(error)) => output::json_line(&Line { path, rest: ErrorLine { error } }),
        (false, Ok(label)) => {
            let view = label.prediction.view.as_deref().unwrap_or("-");
            let standing = standing_note(label);
            let why = label.prediction.reason.as_deref().map(|reason| format!("  ({reason})")).unwrap_or_default();
            let (path, mode, confidence) = (output::path(path), label.mode, label.prediction.confidence);
            output::line(format_args!(
                "{view:<14} {confidence:>5.2}  {mode:<8} ecg {:<18} {path}{why}{standing}",
                label.prediction.ecg_source
            ))
        }
        (false, Err(error)) => {
            output::line(format_args!("failed         {}: {}  {}", error.kind, error.message, output::path(path)))
        }
    }
}

/// Returns what the weights are, where a person could take the view for more than it is.
fn standing_note(label: &LoopLabel) -> String {
    match label.prediction.weights_status {
        Some(status) if label.prediction.view.is_some() && status != WeightStatus::Validated => {
            format!("  [{status} weights]")
        }
        _ => String::new(),
    }
}

/// Returns the files under `paths`, in a stable order, and the paths that cannot be read.
pub(super) fn find_files(paths: &[PathBuf]) -> (Vec<File>, Vec<(PathBuf, String)>) {
    let mut files = Vec::new();
    let mut unreadable = Vec::new();
    for path in paths {
        if let Place::Object(url) = Place::new(path) {
            match objects::list(url) {
                Ok(found) => {
                    let named = !url.ends_with('/');
                    files.extend(found.into_iter().map(|object| File { path: object.path, named }));
                }
                Err(error) => unreadable.push((path.clone(), error.to_string())),
            }
            continue;
        }
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let is_entered = |name: &OsStr| !daemon::is_ignored_name(name);
                for found in files::walk(std::slice::from_ref(path), Links::Follow, is_entered) {
                    match found {
                        Ok(path) if path.file_name().is_some_and(daemon::is_ignored_name) => {}
                        Ok(path) => files.push(File { path, named: false }),
                        Err(unread) => unreadable.push((unread.path, unread.error.to_string())),
                    }
                }
            }
            _ => match files::require_file(path) {
                Ok(()) => files.push(File { path: path.clone(), named: true }),
                Err(error) => unreadable.push((path.clone(), error.to_string())),
            },
        }
    }
    (files, unreadable)
}
