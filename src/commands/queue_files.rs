//! `echolabel jobs add`: queues files or objects without labelling them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use daemon::{Completeness, Overrides};
use jiff::Timestamp;
use store::{DicomIdentity, Enqueued, FileIdentity, Queue as _};

use super::label::find_files;
use super::{Failure, Outcome};
use crate::cli::Common;
use crate::database::Database;
use crate::labeller::check_file;
use crate::output;
use crate::place::{Place, objects};

/// A file to queue, as the store knows it.
struct Found {
    file: FileIdentity,
    sample_sha256: domain::Sha256,
    identity: Option<DicomIdentity>,
}

/// Queues what is whole; what is no DICOM is passed over.
pub fn run(common: &Common, db: Option<PathBuf>, paths: &[PathBuf]) -> Outcome {
    let settings = super::settings(common, Overrides { database: db, ..Overrides::default() })?;
    let store = Database::new_or_existing(&settings)?.open()?;
    let (files, mut failures) = find_files(paths);
    let (mut queued, mut known, mut passed_over) = (0, 0, 0);
    for file in files {
        match find(&file.path) {
            Ok(Some(Found { file, sample_sha256, identity })) => {
                match store.enqueue(&file, sample_sha256, identity.as_ref(), Timestamp::now())? {
                    Enqueued::New { .. } => queued += 1,
                    Enqueued::Known => known += 1,
                }
            }
            Ok(None) => passed_over += 1,
            Err(error) => failures.push((file.path, format!("{error:#}"))),
        }
    }
    for (path, message) in &failures {
        output::note(format_args!("{}: {message}", output::path(path)));
    }
    output::line(format_args!("{queued} queued, {known} known, {passed_over} passed over, {} failed", failures.len()))?;
    if failures.is_empty() { Ok(()) } else { Err(Failure::SomeInputs) }
}

fn find(path: &Path) -> anyhow::Result<Option<Found>> {
    let path = match Place::new(path) {
        Place::Object(address) => {
            let object = objects::info(address)?;
            let sample_sha256 = object.sample_sha256()?;
            return Ok(Some(Found { file: object.identity(), sample_sha256, identity: None }));
        }
        // A file has one path in the database, without links in it.
        Place::File(path) => path.canonicalize()?,
    };
    let identity = match check_file(&path) {
        Completeness::Complete { identity } => identity,
        Completeness::Incomplete { reason, .. } => anyhow::bail!("{reason}"),
        Completeness::Archive { .. } | Completeness::NotDicom { .. } => return Ok(None),
    };
    let found = daemon::stat(&path)?.context("it is no longer there")?;
    Ok(Some(Found { file: found.identity, sample_sha256: daemon::sample_sha256(&path)?, identity }))
}
