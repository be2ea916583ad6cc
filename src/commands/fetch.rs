//! `echolabel fetch`: studies of an archive into a watched folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use domain::SecretSource;
use domain::StudyUid;
use files::{Access, AtomicFile};
use jiff::Zoned;

use super::{Failure, Outcome};
use crate::archive::{Archive, ArchiveError, ArchivedObject, StudyQuery};
use crate::cli::{Common, FetchOptions};
use crate::output;

/// Tries of a question or an object.
const MAX_TRIES: u32 = 3;

/// Wait after the first try; the next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Free space below which nothing more is fetched.
const MIN_FREE_BYTES: u64 = 1 << 30;

/// Fetches what is not there yet.
pub fn run(common: &Common, options: &FetchOptions) -> Outcome {
    ensure_usable(options)?;
    let out = match &options.out {
        Some(out) => out.clone(),
        None => {
            let settings = super::settings(common, daemon::Overrides::default())?;
            settings.inbox.folders.first().cloned().context("no folder to write to: name one with --out")?
        }
    };
    let token = options.token_file.clone().map(SecretSource::File);
    let token = token.as_ref().map(crate::secret::read).transpose().map_err(anyhow::Error::msg)?;
    let archive = Archive::new(&options.archive, token);
    let mut fetch = Fetch { archive, out, pace: Pace::new(options.max_mbps), fetched: 0, there: 0, failed: 0 };
    for query in queries(options)? {
        fetch.query(&query)?;
    }
    output::line(format_args!(
        "{} objects fetched, {} were there, {} failed",
        fetch.fetched, fetch.there, fetch.failed
    ))?;
    if fetch.failed > 0 { Err(Failure::SomeInputs) } else { Ok(()) }
}

fn ensure_usable(options: &FetchOptions) -> anyhow::Result<()> {
    let address = &options.archive;
    ensure!(
        address.starts_with("https://") || address.starts_with("http://"),
        "{address:?} is no address that begins with https://"
    );
    ensure!(options.max_mbps.is_none_or(|rate| rate > 0.0), "--max-mbps must be above 0");
    Ok(())
}

/// Returns the questions: days from the newest on, or accession numbers in their order.
fn queries(options: &FetchOptions) -> anyhow::Result<Vec<StudyQuery>> {
    if let Some(since) = options.since {
        let until = options.until.unwrap_or_else(|| Zoned::now().date());
        ensure!(since <= until, "{since} comes after {until}");
        let days = since.series(jiff::Span::new().days(1)).take_while(|day| *day <= until);
        let mut days: Vec<StudyQuery> = days.map(StudyQuery::Day).collect();
        days.reverse();
        return Ok(days);
    }
    let mut numbers = options.accession.clone();
    if let Some(file) = &options.accessions {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        numbers.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(numbers.into_iter().map(StudyQuery::AccessionNumber).collect())
}

struct Fetch {
    archive: Archive,
    out: PathBuf,
    pace: Pace,
    fetched: u64,
    there: u64,
    failed: u64,
}

impl Fetch {
    fn query(&mut self, query: &StudyQuery) -> anyhow::Result<()> {
        let studies = match patiently(|| self.archive.studies(query)) {
            Ok(studies) => studies,
            Err(error) => return self.named(&error),
        };
        for study in studies {
            self.study(&study)?;
        }
        Ok(())
    }

    fn study(&mut self, study: &StudyUid) -> anyhow::Result<()> {
        let objects = match patiently(|| self.archive.objects(study)) {
            Ok(objects) => objects,
            Err(error) => return self.named(&error),
        };
        let folder = self.out.join(study.as_str());
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        for object in objects {
            let path = folder.join(format!("{}.dcm", object.sop));
            if path.try_exists().with_context(|| path.display().to_string())? {
                self.there += 1;
                continue;
            }
            let free = files::free_bytes(&folder).with_context(|| folder.display().to_string())?;
            ensure!(free >= MIN_FREE_BYTES, "the disk of {} is nearly full", self.out.display());
            match patiently(|| self.object(&object, &path)) {
                Ok(bytes) => {
                    self.fetched += 1;
                    self.pace.wait_after(bytes);
                }
                Err(error) => self.named(&error)?,
            }
        }
        Ok(())
    }

    fn object(&self, object: &ArchivedObject, path: &Path) -> Result<u64, ArchiveError> {
        let transfer = |source| ArchiveError::Transfer { address: object.sop.to_string(), source };
        let mut file = AtomicFile::new(path, Access::Group).map_err(transfer)?;
        let bytes = self.archive.copy(object, &mut file)?;
        file.commit().map_err(transfer)?;
        Ok(bytes)
    }

    /// Names what failed, and goes on.
    fn named(&mut self, error: &ArchiveError) -> anyhow::Result<()> {
        self.failed += 1;
        output::note(format_args!("failed: {error}"));
        Ok(())
    }
}

/// Tries again what may pass: a connection that broke, a server in trouble.
fn patiently<T>(mut part: impl FnMut() -> Result<T, ArchiveError>) -> Result<T, ArchiveError> {
    let mut wait = FIRST_WAIT;
    for _ in 1..MAX_TRIES {
        match part() {
            Err(
                ArchiveError::Connection { .. }
                | ArchiveError::Transfer { .. }
                | ArchiveError::Status { status: 429 | 500.., .. },
            ) => {
                std::thread::sleep(wait);
                wait *= 2;
            }
            done => return done,
        }
    }
    part()
}

/// Keeps the average rate below a bound.
struct Pace {
    bytes_per_second: Option<f64>,
    start: Instant,
    bytes: u64,
}

impl Pace {
    fn new(megabytes_per_second: Option<f64>) -> Self {
        Self { bytes_per_second: megabytes_per_second.map(|rate| rate * 1e6), start: Instant::now(), bytes: 0 }
    }

    fn wait_after(&mut self, bytes: u64) {
        self.bytes += bytes;
        if let Some(rate) = self.bytes_per_second {
            let due = Duration::try_from_secs_f64(self.bytes as f64 / rate).unwrap_or_default();
            std::thread::sleep(due.saturating_sub(self.start.elapsed()));
        }
    }
}
