//! A file of labels on its way: rows gather in a part file beside it until there is one for each line of the manifest.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use domain::ModelKey;
use files::{Access, AtomicFile, FileLock};
use serde_json::{Map, Value};

use super::format::{LabelsFormat, read_labels};
use super::manifest::ManifestEntry;
use super::parquet;
use super::row::{LabelRow, LabelsError, RowState};

/// Number of rows by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows with an answer of the model.
    pub labelled: usize,
    /// Rows without anything to label.
    pub skipped: usize,
    /// Rows of files that could not be labelled.
    pub failed: usize,
}

impl RowCounts {
    fn add(&mut self, state: RowState) {
        match state {
            RowState::Labelled => self.labelled += 1,
            RowState::Skipped => self.skipped += 1,
            RowState::Failed => self.failed += 1,
        }
    }

    /// Returns the number of all rows.
    pub const fn all(&self) -> usize {
        self.labelled + self.skipped + self.failed
    }
}

/// A file of labels as a call finds it.
pub enum StartedLabels {
    /// It is there, with a row for each line of the manifest.
    Finished(RowCounts),
    /// There are rows to add.
    Unfinished(UnfinishedLabels),
}

/// A part file, held by this process alone.
pub struct UnfinishedLabels {
    target: PathBuf,
    format: LabelsFormat,
    part: PathBuf,
    file: File,
    counts: RowCounts,
    _lock: FileLock,
}

impl StartedLabels {
    /// Looks for the rows that earlier calls left, which must be of the same manifest and model.
    ///
    /// # Errors
    /// Another process is at it, the rows are of another manifest or model, or the files cannot be read.
    pub fn open(target: &Path, entries: &[ManifestEntry], model: &ModelKey) -> anyhow::Result<Self> {
        let format = LabelsFormat::from_path(target)?;
        let part = part_path(target);
        let doing = || part.display().to_string();
        let mut file = open_or_create(&part).with_context(doing)?;
        let lock = FileLock::new(file.try_clone()?)
            .map_err(|error| anyhow::anyhow!("{}: {error}; it is being written", part.display()))?;
        // Looked for under the lock: whoever held it before may just have finished.
        if target.try_exists().with_context(|| target.display().to_string())? {
            let counts = finished(target, format, entries, model).with_context(|| target.display().to_string())?;
            fs::remove_file(&part).with_context(doing)?;
            return Ok(Self::Finished(counts));
        }
        let counts = keep_complete_rows(&mut file, entries, model).with_context(doing)?;
        Ok(Self::Unfinished(UnfinishedLabels { target: target.to_owned(), format, part, file, counts, _lock: lock }))
    }
}

impl UnfinishedLabels {
    /// Returns the rows that are there.
    pub const fn counts(&self) -> RowCounts {
        self.counts
    }

    /// Adds the row of the next line of the manifest.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, row: &LabelRow) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&row.to_object()?)?;
        line.push(b'\n');
        self.file.write_all(&line).with_context(|| self.part.display().to_string())?;
        self.counts.add(row.state());
        Ok(())
    }

    /// Gives the file its form and name, and takes the part file away.
    ///
    /// # Errors
    /// The file cannot be written; the part file stays.
    pub fn finish(mut self) -> anyhow::Result<RowCounts> {
        let doing = self.target.display().to_string();
        self.write_target().context(doing)?;
        fs::remove_file(&self.part)?;
        Ok(self.counts)
    }

    fn write_target(&mut self) -> anyhow::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut target = AtomicFile::new(&self.target, Access::Group)?;
        match self.format {
            LabelsFormat::JsonLines => {
                io::copy(&mut self.file, &mut target)?;
            }
            LabelsFormat::Parquet => {
                let lines = BufReader::new(&self.file).lines();
                let rows = lines.map(|line| Ok(serde_json::from_str::<Map<String, Value>>(&line?)?));
                parquet::write::<anyhow::Error>(rows, &mut target)?;
            }
        }
        Ok(target.commit()?)
    }
}

/// Returns the path of the part file: `part-0003.parquet.part`.
fn part_path(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn open_or_create(part: &Path) -> io::Result<File> {
    match Access::Group.create_new(part) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::options().read(true).write(true).open(part)
}

/// Counts the rows of a finished file, each of which must be of its line.
fn finished(
    target: &Path,
    format: LabelsFormat,
    entries: &[ManifestEntry],
    model: &ModelKey,
) -> anyhow::Result<RowCounts> {
    let mut counts = RowCounts::default();
    for row in read_labels(target, format)? {
        let row = row?;
        ensure_same(&row, entries.get(counts.all()), model)?;
        counts.add(row.state());
    }
    ensure!(counts.all() == entries.len(), OTHER_MANIFEST);
    Ok(counts)
}

const OTHER_MANIFEST: &str = "it was made of another manifest: remove it, or name another file";

/// Counts the complete rows of a part file and cuts off what follows them, which a kill or a power cut left.
fn keep_complete_rows(file: &mut File, entries: &[ManifestEntry], model: &ModelKey) -> anyhow::Result<RowCounts> {
    let mut counts = RowCounts::default();
    let mut complete_bytes = 0;
    let mut reader = BufReader::new(&mut *file);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line without an end is no row, whatever it says.
        if reader.by_ref().read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
            break;
        }
        let Ok(object) = serde_json::from_slice(&line) else { break };
        let row = match LabelRow::from_object(object, counts.all() + 1) {
            Err(LabelsError::Invalid { .. }) => break,
            row => row?,
        };
        ensure_same(&row, entries.get(counts.all()), model)?;
        counts.add(row.state());
        complete_bytes += line.len() as u64;
    }
    file.set_len(complete_bytes)?;
    file.seek(SeekFrom::Start(complete_bytes))?;
    Ok(counts)
}

/// Refuses a row of another line or model.
fn ensure_same(row: &LabelRow, entry: Option<&ManifestEntry>, model: &ModelKey) -> anyhow::Result<()> {
    let is_of_line = entry.is_some_and(|entry| entry.path == row.path && entry.id == row.id);
    ensure!(is_of_line, OTHER_MANIFEST);
    // An engine without memory goes on in another precision.
    let is_of_model = ModelKey { precision: model.precision, ..row.model.clone() } == *model;
    ensure!(is_of_model, "it was made by another pipeline, {}: remove it, or name another file", row.model.pipeline);
    Ok(())
}
