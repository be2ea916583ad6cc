//! `echolabel bench --receive`: the same objects to our receiver, to dcmtk's `storescp` and to Orthanc, and to the disk alone, in turns.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use dicom_net::{Destination, SendOutcome, SentObject};
use files::{Access, PartFile};
use serde::Serialize;

use super::super::Outcome;
use super::super::archive::{Archive, ArchiveKind, free_port};
use crate::output;

/// Objects of a round.
const OBJECTS: usize = 200;

/// Simulated loops that the objects are copies of, each with a UID of its own.
const LOOPS: u32 = 4;

/// Senders at once.
const SENDERS: [usize; 2] = [1, 4];

/// Bytes that are written at once to the disk alone, as the receiver does.
const BLOCK_BYTES: usize = 256 * 1024;

/// Time that a receiver has for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Receiver of the objects, or the disk alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taker {
    Receiver(ArchiveKind),
    /// The disk, without a network: as fast as a receiver can be that answers when an object is durable.
    Disk,
}

impl Taker {
    const fn name(self) -> &'static str {
        match self {
            Self::Receiver(kind) => kind.name(),
            Self::Disk => "disk",
        }
    }

    fn measure(self, folder: &Path, senders: usize, objects: &[PathBuf]) -> anyhow::Result<f64> {
        match self {
            Self::Receiver(kind) => measure(kind, folder, senders, objects),
            Self::Disk => measure_disk(folder, senders, objects),
        }
    }
}

/// The times of a receiver with some senders.
#[derive(Debug, Serialize)]
struct Row {
    receiver: &'static str,
    senders: usize,
    seconds: Vec<f64>,
    median_seconds: f64,
    megabytes_per_second: f64,
    /// Speed as a multiple of that of `storescp`, by the medians.
    relative_to_storescp: Option<f64>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Figures {
    objects: usize,
    bytes: u64,
    rows: Vec<Row>,
}

/// Measures in a folder of its own below `folder`, so on that disk.
pub fn run(rounds: u32, folder: Option<&Path>, json: Option<&Path>) -> Outcome {
    let parent = folder.map_or_else(std::env::temp_dir, Path::to_owned);
    let base = tempfile::Builder::new()
        .prefix("echolabel-bench-")
        .tempdir_in(&parent)
        .with_context(|| format!("cannot make a folder in {}", parent.display()))?;
    let objects = write_objects(&base.path().join("sent"))?;
    let bytes = objects.iter().map(|path| fs::metadata(path).map(|file| file.len())).sum::<std::io::Result<u64>>()?;
    let installed = ArchiveKind::ALL.into_iter().filter(|kind| kind.is_installed());
    let receivers: Vec<Taker> = installed.map(Taker::Receiver).chain([Taker::Disk]).collect();
    let mut seconds = vec![vec![Vec::new(); receivers.len()]; SENDERS.len()];
    for round in 0..rounds {
        for (at, senders) in SENDERS.into_iter().enumerate() {
            for (receiver, taker) in receivers.iter().enumerate() {
                let folder = base.path().join(format!("{round}-{senders}-{receiver}"));
                seconds[at][receiver].push(taker.measure(&folder, senders, &objects)?);
                fs::remove_dir_all(&folder)?;
            }
        }
    }
    let figures = Figures { objects: objects.len(), bytes, rows: rows(&receivers, seconds, bytes) };
    if let Some(to) = json {
        return super::write_json(to, &figures);
    }
    print(&figures)
}

fn rows(receivers: &[Taker], seconds: Vec<Vec<Vec<f64>>>, bytes: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for (senders, of_receivers) in SENDERS.into_iter().zip(seconds) {
        let medians: Vec<f64> =
            of_receivers.iter().map(|times| bench::median(times.clone()).unwrap_or(f64::NAN)).collect();
        let storescp =
            receivers.iter().position(|taker| *taker == Taker::Receiver(ArchiveKind::Storescp)).map(|at| medians[at]);
        for ((taker, seconds), median_seconds) in receivers.iter().zip(of_receivers).zip(medians) {
            rows.push(Row {
                receiver: taker.name(),
                senders,
                seconds,
                median_seconds,
                megabytes_per_second: bytes as f64 / 1e6 / median_seconds,
                relative_to_storescp: storescp.map(|theirs| theirs / median_seconds),
            });
        }
    }
    rows
}

fn print(figures: &Figures) -> Outcome {
    let megabytes = figures.bytes as f64 / 1e6;
    output::line(format_args!(
        "{} objects, {megabytes:.0} MB in all, each acknowledged before the next",
        figures.objects
    ))?;
    for row in &figures.rows {
        let (least, most) =
            row.seconds.iter().fold((f64::MAX, 0.0_f64), |(least, most), time| (least.min(*time), most.max(*time)));
        let ratio = row.relative_to_storescp.map_or_else(String::new, |ratio| format!(", {ratio:.2} x storescp"));
        output::line(format_args!(
            "{:<9} {} sender{}: median {:.2} s ({least:.2} to {most:.2}), {:.0} MB/s{ratio}",
            row.receiver,
            row.senders,
            if row.senders == 1 { " " } else { "s" },
            row.median_seconds,
            row.megabytes_per_second
        ))?;
    }
    Ok(())
}

/// Writes the objects: copies of a few loops, with a SOP Instance UID each.
fn write_objects(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    bench::write_loops(folder, LOOPS, &|| ())?;
    let mut loops = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let cine::Completeness::Complete { uids: Some(uids) } = cine::completeness(&path) else {
            anyhow::bail!("a simulated loop is not complete");
        };
        loops.push((fs::read(&path)?, uids.sop.to_string()));
        fs::remove_file(&path)?;
    }
    (0..OBJECTS)
        .map(|number| {
            let (bytes, uid) = &loops[number % loops.len()];
            let path = folder.join(format!("{number}.dcm"));
            // The UIDs are of one length, so no other byte of the object changes.
            let digits = format!("{:0>width$}", number + 1, width = 4);
            let (kept, _) = uid.split_at(uid.len() - digits.len());
            fs::write(&path, replaced(bytes, uid.as_bytes(), format!("{kept}{digits}").as_bytes()))?;
            Ok(path)
        })
        .collect()
}

/// Returns bytes with every occurrence of some of them replaced by as many others.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(old.len()).position(|window| window == old) {
        at += found;
        changed[at..at + new.len()].copy_from_slice(new);
        at += old.len();
    }
    changed
}

/// Sends all objects to a receiver that starts anew, and returns the seconds until the last was acknowledged.
fn measure(kind: ArchiveKind, folder: &Path, senders: usize, objects: &[PathBuf]) -> anyhow::Result<f64> {
    let port = free_port()?;
    let archive = Archive::start(kind, folder, port)?;
    let destination = Destination {
        host: "127.0.0.1".to_owned(),
        port,
        called_ae_title: "ARCHIVE".parse()?,
        calling_ae_title: "ECHOLABEL".parse()?,
        timeout: TIMEOUT,
        tls: None,
    };
    let send = |share: &[PathBuf]| {
        let objects: Vec<SentObject> = share.iter().cloned().map(SentObject::File).collect();
        dicom_net::send(&destination, &objects)
    };
    let start = Instant::now();
    let outcomes: Vec<SendOutcome> = std::thread::scope(|scope| {
        let shares = objects.chunks(objects.len().div_ceil(senders));
        let running: Vec<_> = shares.map(|share| scope.spawn(move || send(share))).collect();
        running.into_iter().flat_map(|sender| sender.join().unwrap_or_default()).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    drop(archive);
    let stored = outcomes.iter().filter(|outcome| matches!(outcome, SendOutcome::Stored { .. })).count();
    ensure!(stored == objects.len(), "{} took only {stored} of {} objects", kind.name(), objects.len());
    Ok(seconds)
}

/// Writes all objects as the receiver does, each durable under its name before the next, and returns the seconds.
fn measure_disk(folder: &Path, senders: usize, objects: &[PathBuf]) -> anyhow::Result<f64> {
    let (unfinished, stored) = (folder.join("unfinished"), folder.join("stored"));
    fs::create_dir_all(&unfinished)?;
    fs::create_dir_all(&stored)?;
    let write = |object: &PathBuf| -> anyhow::Result<()> {
        let bytes = fs::read(object)?;
        let mut part = PartFile::new_in(&unfinished, Access::Group)?;
        let mut written = 0;
        for block in bytes.chunks(BLOCK_BYTES) {
            part.write_all(block)?;
            part.begin_sync(written);
            written += block.len() as u64;
        }
        part.sync()?;
        part.publish_new(&stored.join(object.file_name().context("an object has a name")?))?;
        Ok(())
    };
    let start = Instant::now();
    std::thread::scope(|scope| {
        let shares = objects.chunks(objects.len().div_ceil(senders));
        let running: Vec<_> = shares.map(|share| scope.spawn(|| share.iter().try_for_each(write))).collect();
        let join = |writer: std::thread::ScopedJoinHandle<'_, anyhow::Result<()>>| {
            writer.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a writer panicked")))
        };
        running.into_iter().try_for_each(join)
    })?;
    Ok(start.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_occurrence_is_replaced() {
        assert_eq!(replaced(b"a1.2.3b1.2.3", b"1.2.3", b"1.2.9"), b"a1.2.9b1.2.9");
    }
}
