//! The files of a lab: found, opened, known by their UIDs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use cine::Loop;
use files::Links;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::super::LeftOut;
use super::LoopData;
use super::labels::Labels;
use super::patient::Pseudonym;
use crate::{Result, TrainError};

/// A file that was opened.
pub(super) struct FoundLoop {
    pub path: PathBuf,
    pub study_instance_uid: String,
    pub patient: Option<Pseudonym>,
}

/// Every file below the folder, in a stable order. Links are passed over: a file that has two names would count twice.
pub(super) fn find_files(data: &LoopData, left_out: &mut Vec<LeftOut>) -> Result<Vec<PathBuf>> {
    let Some(folder) = &data.folder else {
        let problem = "has no column `path`: give data.folder, or export with `echolabel export --format csv --paths`";
        return Err(TrainError::Format { path: data.labels.clone(), problem: problem.to_owned() });
    };
    std::fs::read_dir(folder).map_err(|source| TrainError::File { path: folder.clone(), source })?;
    let mut unreadable = |error: std::io::Error| {
        left_out.push(LeftOut::new("", format!("something below data.folder cannot be read: {error}")));
    };
    let mut files = Vec::new();
    for found in files::walk(std::slice::from_ref(folder), Links::Ignore, |_| true) {
        match found {
            Ok(path) => files.push(path),
            Err(unread) => unreadable(unread.error),
        }
    }
    files.sort();
    Ok(files)
}

/// Digest of the files' names, lengths and modification times, which changes when the files do.
pub(super) fn fingerprint(files: &[PathBuf]) -> String {
    let mut digest = Sha256::new();
    for path in files {
        digest.update(path.as_os_str().as_encoded_bytes());
        let Ok(metadata) = std::fs::metadata(path) else { continue };
        let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        digest.update(metadata.len().to_le_bytes());
        digest.update(changed.unwrap_or_default().as_nanos().to_le_bytes());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The outcome of one file.
enum Opened {
    Loop(String, FoundLoop),
    NotAsked,
    Unusable(LeftOut),
}

/// The loops that the labels ask for, by SOP Instance UID; of two files with one UID the first counts.
///
/// Headers are read, pixels are not. What is not DICOM is passed over in a search, and left out where a path names it.
pub(super) fn open_all(
    files: &[PathBuf],
    labels: &Labels,
    seed: u64,
    left_out: &mut Vec<LeftOut>,
) -> BTreeMap<String, FoundLoop> {
    let asked: BTreeSet<&str> = labels.rows.iter().map(|row| row.sop_instance_uid.as_str()).collect();
    let uid_of_path: BTreeMap<&Path, &str> =
        labels.rows.iter().filter_map(|row| Some((row.path.as_deref()?, row.sop_instance_uid.as_str()))).collect();
    let open = |path: &PathBuf| {
        let named = uid_of_path.get(path.as_path()).copied();
        let unusable = |reason: String| Opened::Unusable(LeftOut::new(named.unwrap_or_default(), reason));
        match Loop::open(path) {
            Err(error) if error.kind() == "not_dicom" && named.is_none() => Opened::NotAsked,
            Err(error) => unusable(error.to_string()),
            Ok(source) => {
                let header = source.header();
                let uid = header.sop_instance_uid.to_string();
                if named.is_some_and(|named| named != uid) {
                    return unusable(format!("the file at its path is another loop, {uid}"));
                }
                if !asked.contains(uid.as_str()) {
                    return Opened::NotAsked;
                }
                let study_instance_uid = header.study_instance_uid.to_string();
                let patient = Pseudonym::from_file(path, seed);
                Opened::Loop(uid, FoundLoop { path: path.clone(), study_instance_uid, patient })
            }
        }
    };
    let opened: Vec<Opened> = files.par_iter().map(open).collect();
    let mut found = BTreeMap::new();
    for one in opened {
        match one {
            Opened::Loop(uid, of_uid) => {
                found.entry(uid).or_insert(of_uid);
            }
            Opened::Unusable(left) => left_out.push(left),
            Opened::NotAsked => {}
        }
    }
    found
}
