//! `echolabel export`: inventories for other programs, and reports for archives.

use anyhow::Context as _;
use domain::StudyUid;
use jiff::Timestamp;
use store::export::{self, ExportFormat, ExportOptions as Choice};
use store::{Inventory, LabelStore as _, Store, StudyName};

use super::{Failure, Outcome, names};
use crate::cli::{Common, ExportOptions, Format};
use crate::output;
use crate::reporting::ReportSource;

/// Writes the files and names them.
pub fn run(common: &Common, options: &ExportOptions) -> Outcome {
    let store = super::open_store_read_only(common, options.db.clone())?;
    let study = options.study.as_ref().map(|name| names::study(&store, name)).transpose()?;
    let since = options.since.map(|time| Timestamp::now().checked_sub(time)).transpose().context("--since")?;
    match options.format {
        Format::Table(format) => {
            tables(&store, format, options, Choice { study_instance_uid: study, since, include_paths: options.paths })
        }
        Format::Dicom => documents(common, &store, options, study, since),
    }
}

fn tables(store: &Store, format: ExportFormat, options: &ExportOptions, choice: Choice) -> Outcome {
    for file in export::export(store, format, &options.out, &choice)? {
        output::line(file.display())?;
    }
    Ok(())
}

/// Writes the reports; a study that cannot be reported is named, and the others go on.
fn documents(
    common: &Common,
    store: &Store,
    options: &ExportOptions,
    study: Option<StudyUid>,
    since: Option<Timestamp>,
) -> Outcome {
    let settings = super::settings(common, daemon::Overrides::default())?;
    let source = ReportSource { store, time_zone: &settings.labelling.time_zone };
    std::fs::create_dir_all(&options.out).with_context(|| options.out.display().to_string())?;
    let mut some_failed = false;
    for uid in studies(store, study, since)? {
        let documents = match source.next_revision(&uid).and_then(|revision| revision.documents()) {
            Ok(documents) => documents,
            Err(error) => {
                output::note(format_args!("study {uid}: {error}"));
                some_failed = true;
                continue;
            }
        };
        let parts = [("sr", Some(documents.report)), ("ko", documents.key_objects)];
        for (name, bytes) in parts.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))) {
            let path = options.out.join(format!("{uid}.{name}.dcm"));
            // It names the patient, and whoever runs the export decides who reads it.
            files::write(&path, &bytes, files::Access::Group).with_context(|| path.display().to_string())?;
            output::line(path.display())?;
        }
    }
    if some_failed { Err(Failure::SomeInputs) } else { Ok(()) }
}

fn studies(store: &Store, study: Option<StudyUid>, since: Option<Timestamp>) -> anyhow::Result<Vec<StudyUid>> {
    let mut studies = store.studies()?;
    studies.retain(|known| study.as_ref().is_none_or(|study| known.study_instance_uid == *study));
    studies.retain(|study| since.is_none_or(|since| study.last_activity >= since));
    Ok(studies.into_iter().map(|study| study.study_instance_uid).collect())
}

/// Returns the inventory of one study, or of every study that was active since a time.
pub fn inventories(
    store: &Store,
    study: Option<&StudyName>,
    since: Option<Timestamp>,
) -> anyhow::Result<Vec<Inventory>> {
    let study = study.map(|name| names::study(store, name)).transpose()?;
    let since = since.filter(|_| study.is_none());
    studies(store, study, since)?.iter().map(|uid| Ok(store.inventory(uid)?)).collect()
}
