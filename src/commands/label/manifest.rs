//! `echolabel label --manifest`: labels the files of a manifest into one file.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use daemon::{Completeness, LabelFailure, Labeller as _, Labelling, Shutdown};
use store::{FileIdentity, JobFailure};

use crate::cli::{Common, LabelOptions};
use crate::commands::parallel::in_order;
use crate::commands::watch::stop_on_signals;
use crate::commands::{Failure, Outcome, open_untrained_pipeline, open_view_pipeline, settings};
use crate::exit_code::ExitCode;
use crate::labeller::{ARCHIVE_KIND, NOT_DICOM_KIND, PipelineLabeller, check_file};
use crate::labels_file::{FileVersion, LabelRow, LabelsFormat, ManifestEntry, RowCounts, StartedLabels, read_manifest};
use crate::output;
use crate::place::{Place, objects};

/// Kind of the failure of a file whose bytes are not those that the manifest names.
const OTHER_CONTENT_KIND: &str = "other_content";
/// Tries of a file whose failure may pass.
const MAX_TRIES: u32 = 3;
/// Wait after the first try; the next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Labels what no earlier call has labelled, and writes the file when every line has its row.
pub fn run(common: &Common, options: &LabelOptions, manifest: &Path, out: &Path) -> Outcome {
    LabelsFormat::from_path(out)?;
    let settings = settings(common, daemon::Overrides::default())?;
    let entries = read_manifest(manifest)?;
    let shutdown = stop_on_signals(ExitCode::CannotWorkNow)?;
    let pipeline = match options.untrained {
        true => open_untrained_pipeline(&settings)?,
        false => open_view_pipeline(&settings)?,
    };
    if let Some(warning) = pipeline.status().warning() {
        output::note(warning);
    }
    let labeller = PipelineLabeller::new(pipeline, common)?;
    let mut unfinished = match StartedLabels::open(out, &entries, &labeller.model())? {
        StartedLabels::Finished(counts) => return end(counts, out),
        StartedLabels::Unfinished(unfinished) => unfinished,
    };
    let there = unfinished.counts().all();
    if there > 0 {
        output::note(format_args!("{there} of {} files were labelled before", entries.len()));
    }
    let bar = crate::progress::bar(entries.len() as u64, "labelling");
    bar.set_position(there as u64);
    let rest = entries.get(there..).unwrap_or_default();
    let work = |entry: &ManifestEntry| (!shutdown.requested()).then(|| row(&labeller, entry, &shutdown));
    in_order(settings.labelling.workers, rest, work, |_, row| {
        let Some(row) = row else {
            let message = "stopped by a signal: the same call goes on with the files that are left";
            return Err(io::Error::new(io::ErrorKind::Interrupted, message).into());
        };
        unfinished.add(&row)?;
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    end(unfinished.finish()?, out)
}

fn end(counts: RowCounts, out: &Path) -> Outcome {
    output::line(format_args!(
        "{} files: {} labelled, {} skipped, {} failed; {}",
        counts.all(),
        counts.labelled,
        counts.skipped,
        counts.failed,
        output::path(out)
    ))?;
    if counts.failed > 0 { Err(Failure::SomeInputs) } else { Ok(()) }
}

/// Labels the file of a line, again where its failure may pass.
fn row(labeller: &PipelineLabeller, entry: &ManifestEntry, shutdown: &Shutdown) -> LabelRow {
    let mut wait = FIRST_WAIT;
    let mut tries = 1;
    loop {
        let mut file = None;
        let label = || label(labeller, entry, &mut file);
        let answer = catch_unwind(AssertUnwindSafe(label))
            .unwrap_or_else(|_| Err(failure("panic", "labelling this file panicked", false)));
        if answer.as_ref().is_err_and(|failure| failure.temporary) && tries < MAX_TRIES && !shutdown.requested() {
            std::thread::sleep(wait);
            wait *= 2;
            tries += 1;
            continue;
        }
        let (path, id) = (entry.path.clone(), entry.id.clone());
        return LabelRow { path, id, file, model: labeller.model(), views: labeller.views(), answer };
    }
}

/// Labels a file as the daemon does: one that is not whole is no loop yet.
fn label(
    labeller: &PipelineLabeller,
    entry: &ManifestEntry,
    file: &mut Option<FileVersion>,
) -> Result<Labelling, LabelFailure> {
    let path = Path::new(&entry.path);
    let unreadable = |error: io::Error| failure("read", &error.to_string(), files::is_temporary(&error));
    let version = version(labeller, path).map_err(unreadable)?;
    *file = Some(version);
    if entry.sha256.is_some_and(|expected| expected != version.sha256) {
        return Err(failure(OTHER_CONTENT_KIND, "the file is not the one that the manifest names", false));
    }
    match check_file(path) {
        Completeness::Complete { .. } => labeller.label(path),
        Completeness::Incomplete { reason, identity } => {
            Err(LabelFailure { identity, ..failure(JobFailure::INCOMPLETE, &reason, false) })
        }
        Completeness::Archive { reason } => Err(failure(ARCHIVE_KIND, &reason, false)),
        Completeness::NotDicom { reason } => Err(failure(NOT_DICOM_KIND, &reason, false)),
    }
}

fn version(labeller: &PipelineLabeller, path: &Path) -> io::Result<FileVersion> {
    let (found, sample_sha256) = match Place::new(path) {
        Place::File(path) => {
            files::require_file(path)?;
            (labeller.file_identity(path)?, daemon::sample_sha256(path)?)
        }
        Place::Object(address) => {
            let found = objects::info(address)?;
            (Some(found.identity()), found.sample_sha256()?)
        }
    };
    let FileIdentity { size_bytes, modified_unix_ns, .. } =
        found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    Ok(FileVersion { size_bytes, modified_unix_ns, sample_sha256, sha256: labeller.content_sha256(path)? })
}

fn failure(kind: &str, message: &str, temporary: bool) -> LabelFailure {
    LabelFailure { kind: kind.to_owned(), message: message.to_owned(), temporary, identity: None }
}
