//! ECGs in waveform objects of their own (PS3.3 A.34), which some systems keep beside the loops of a study.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use dicom_dictionary_std::tags;
use domain::{EcgSamples, Finding, FindingCode, StudyUid};

use crate::ecg_header::{Start, ecg_channel};
use crate::open::{Loop, open_data_set};

/// The classes of waveform storage begin with it (PS3.6 annex A).
const WAVEFORM_CLASSES: &[u8] = b"1.2.840.10008.5.1.4.1.1.9.";
/// The class stands in the file meta group, or is the first element of a data set without one.
const CLASS_WITHIN_BYTES: u64 = 1024;
/// A folder with more entries is not searched: it would take longer than the ECG is worth.
const MAX_NEIGHBORS: usize = 4096;
/// Share of a loop that a recording must cover.
const MIN_COVERED_SHARE: f64 = 0.5;

/// An ECG of a waveform object, on its own clock.
#[derive(Debug)]
struct Recording {
    start: Start,
    /// The samples; their start is counted from `start`.
    samples: EcgSamples,
}

impl Loop {
    /// Returns the ECG of this loop that a waveform object in the same folder holds, on the clock of the frames, with a
    /// finding that says so.
    ///
    /// An object is of the loop if its Study Instance UID is the loop's, both tell when they begin by a common trigger or to
    /// a fraction of a second, and the recording covers most of the loop.
    pub fn ecg_beside(&self) -> Option<(EcgSamples, Finding)> {
        let header = self.header();
        let duration_ms = header.timing.duration_ms().max(f64::MIN_POSITIVE);
        let covered = |samples: &EcgSamples| {
            let end_ms = samples.time_at_ms(samples.values.len() as f64);
            (end_ms.min(duration_ms) - samples.start_ms.max(0.0)) / duration_ms
        };
        let recordings = recordings_beside(self.path()?, &header.study_instance_uid);
        let on_the_clock = recordings.into_iter().filter_map(|Recording { start, samples }| {
            let start_ms = samples.start_ms + start.ms_after(&header.ecg.start)?;
            EcgSamples::new(samples.values, samples.sample_interval_ms, start_ms).ok()
        });
        let best = on_the_clock.max_by(|a, b| covered(a).total_cmp(&covered(b)))?;
        let message = format!(
            "the ECG is that of another object of the study, which begins {:.0} ms after the first frame",
            best.start_ms
        );
        (covered(&best) >= MIN_COVERED_SHARE).then(|| (best, Finding::new(FindingCode::EcgOfAnotherObject, message)))
    }
}

fn recordings_beside(path: &Path, study: &StudyUid) -> Vec<Recording> {
    let Some(entries) = path.parent().and_then(|folder| folder.read_dir().ok()) else { return Vec::new() };
    let entries: Vec<_> = entries.flatten().take(MAX_NEIGHBORS + 1).collect();
    if entries.len() > MAX_NEIGHBORS {
        return Vec::new();
    }
    let files = entries.iter().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let neighbors = files.map(std::fs::DirEntry::path).filter(|neighbor| neighbor != path);
    neighbors.filter(|neighbor| is_waveform(neighbor)).filter_map(|neighbor| read(&neighbor, study)).collect()
}

fn is_waveform(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(CLASS_WITHIN_BYTES).read_to_end(&mut start));
    read.is_ok() && start.windows(WAVEFORM_CLASSES.len()).any(|window| window == WAVEFORM_CLASSES)
}

/// Reads the recording of a waveform object of this study; a damaged one is none, for it fails by name as a file.
fn read(path: &Path, study: &StudyUid) -> Option<Recording> {
    let mut findings = Vec::new();
    let data_set = open_data_set(path, &mut findings).ok()?.scan.data_set;
    let is_of_study = data_set.text(tags::STUDY_INSTANCE_UID).as_deref() == Some(study.as_str());
    let samples = is_of_study.then(|| ecg_channel(&data_set, &mut findings))??;
    Some(Recording { start: Start::of_recording(&data_set, &samples), samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waveform_class_is_told_by_the_start_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let ecg = [vec![0; 200], b"1.2.840.10008.5.1.4.1.1.9.1.3\0".to_vec()].concat();
        let loop_ = [vec![0; 200], b"1.2.840.10008.5.1.4.1.1.3.1\0".to_vec()].concat();
        assert!(is_waveform(&write("ecg", &ecg)));
        assert!(!is_waveform(&write("loop", &loop_)));
        assert!(!is_waveform(&folder.path().join("absent")));
    }
}
