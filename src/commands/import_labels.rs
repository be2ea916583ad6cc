//! `echolabel import-labels`: brings a file of labels into a database, with the keys that a daemon would have given.

use anyhow::Context as _;
use daemon::{LabelFailure, Labelling, Overrides};
use domain::{ModelKey, Sha256};
use jiff::{SignedDuration, Timestamp};
use store::{
    DicomIdentity, FileIdentity, FileKnowledge, Holder, Job, JobFailure, LabelStore as _, Queue as _, Retry,
    SettledFile, Store, StoreError,
};

use super::Outcome;
use crate::cli::{Common, ImportLabelsOptions};
use crate::database::Database;
use crate::labeller::{ARCHIVE_KIND, NOT_DICOM_KIND};
use crate::labels_file::{LabelRow, LabelsFormat, read_labels};
use crate::output;

/// Recording a row takes no time; a job whose holder was killed waits so long.
const LEASE: SignedDuration = SignedDuration::from_mins(1);

/// Result of importing a row.
enum Imported {
    New,
    Known,
    /// The file could not be read when it was to be labelled, so nothing says which version it was.
    NoFile,
}

/// Imports the files one after the other; a row that is known changes nothing.
pub fn run(common: &Common, options: &ImportLabelsOptions) -> Outcome {
    let overrides = Overrides { database: options.db.clone(), ..Overrides::default() };
    let settings = super::settings(common, overrides)?;
    // Read once before anything is written: a row of another layout refuses the whole file.
    for path in &options.files {
        for row in read_labels(path, LabelsFormat::from_path(path)?).with_context(|| path.display().to_string())? {
            row.with_context(|| path.display().to_string())?;
        }
    }
    let store = Database::new_or_existing(&settings)?.open()?;
    for path in &options.files {
        let (mut new, mut known, mut no_file) = (0, 0, 0);
        let mut model: Option<ModelKey> = None;
        for row in read_labels(path, LabelsFormat::from_path(path)?).with_context(|| path.display().to_string())? {
            let row = row.with_context(|| path.display().to_string())?;
            if model.as_ref() != Some(&row.model) {
                store.keep_label_set(&row.model, &row.views, Timestamp::now())?;
                model = Some(row.model.clone());
            }
            match import(&store, row)? {
                Imported::New => new += 1,
                Imported::Known => known += 1,
                Imported::NoFile => no_file += 1,
            }
        }
        output::line(format_args!(
            "{new} rows imported, {known} known, {no_file} of files that could not be read; {}",
            output::path(path)
        ))?;
    }
    Ok(())
}

fn import(store: &Store, row: LabelRow) -> Result<Imported, StoreError> {
    let Some((file, version)) = row.file_identity() else { return Ok(Imported::NoFile) };
    let now = Timestamp::now();
    if let Err(LabelFailure { kind, message, .. }) = &row.answer {
        let settled = match kind.as_str() {
            NOT_DICOM_KIND => Some(SettledFile::NotDicom),
            ARCHIVE_KIND => Some(SettledFile::Archive),
            _ => None,
        };
        if let Some(how) = settled {
            return settle(store, (&file, version.sample_sha256), &how, message, now);
        }
    }
    let identity = identity(&row.answer);
    let holder = Holder { worker: "import-labels", lease: LEASE, identity: identity.as_ref() };
    match store.enqueue_held(&file, version.sample_sha256, &holder, now)? {
        Some(job) => record(store, &job, version.sha256, row.answer, now).map(|()| Imported::New),
        None => add_prediction(store, row.answer, now),
    }
}

fn settle(
    store: &Store,
    (file, sample): (&FileIdentity, Sha256),
    how: &SettledFile,
    reason: &str,
    now: Timestamp,
) -> Result<Imported, StoreError> {
    // A version that was seen by its daemon has an inode and a time of change there, which rows do not have.
    let is_known = match store.knowledge(file)? {
        FileKnowledge::Known => true,
        FileKnowledge::KnownBySample(known) => known == sample,
        FileKnowledge::Unknown => false,
    };
    if is_known {
        return Ok(Imported::Known);
    }
    store.settle(file, sample, how, reason, now)?;
    Ok(Imported::New)
}

fn identity(answer: &Result<Labelling, LabelFailure>) -> Option<DicomIdentity> {
    match answer {
        Ok(Labelling::Labelled { facts, .. } | Labelling::Skipped { facts: Some(facts), .. }) => Some(DicomIdentity {
            study_instance_uid: facts.study_instance_uid.clone(),
            sop_instance_uid: facts.sop_instance_uid.clone(),
        }),
        Ok(Labelling::Skipped { facts: None, .. }) => None,
        Err(failure) => failure.identity.clone(),
    }
}

/// Ends the job as a worker would.
fn record(
    store: &Store,
    job: &Job,
    content_sha256: Sha256,
    answer: Result<Labelling, LabelFailure>,
    now: Timestamp,
) -> Result<(), StoreError> {
    match answer {
        Ok(Labelling::Labelled { facts, prediction }) => {
            store.record_labelled(job, &facts, content_sha256, &prediction, now).map(drop)
        }
        Ok(Labelling::Skipped { facts: Some(facts), reason }) => {
            store.record_skipped(job, &facts, content_sha256, &reason, now).map(drop)
        }
        Ok(Labelling::Skipped { facts: None, reason }) => store.skip(job, "no_image", &reason, now),
        Err(LabelFailure { kind, message, identity, .. }) => {
            store.fail(job, &JobFailure { kind, message, identity }, Retry::Never, now)
        }
    }
}

/// Adds the answer of another model to a loop that is there.
fn add_prediction(
    store: &Store,
    answer: Result<Labelling, LabelFailure>,
    now: Timestamp,
) -> Result<Imported, StoreError> {
    let Ok(Labelling::Labelled { facts, prediction }) = answer else { return Ok(Imported::Known) };
    match store.add_prediction(&facts.sop_instance_uid, &prediction, now) {
        Ok(true) => Ok(Imported::New),
        // Without the loop a worker has the file in hand.
        Ok(false) | Err(StoreError::UnknownLoop(_)) => Ok(Imported::Known),
        Err(error) => Err(error),
    }
}
