//! A lab's own data: DICOM loops, and a CSV that says which view each of them shows.

mod files;
mod labels;
mod patient;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cine::Loop;
use preprocess::Preprocessor;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zoo::{LabelSet, ModelCard};

use self::files::{FoundLoop, find_files, fingerprint, open_all};
use self::labels::{LabelRow, Labels, read_labels};
use self::patient::Pseudonym;
use super::{Example, LeftOut, Split, check_patients};
use crate::{Clip, ClipCache, ClipCacheWriter, Result, TrainError};

/// The loops, and the division of their patients among the sides of the split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopData {
    /// Folder that is searched for the loops, with its sub-folders; not needed where the CSV has a column `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// CSV with `sop_instance_uid,view`, or what `echolabel export --format csv` writes.
    pub labels: PathBuf,
    /// Chance of a patient to choose weights and thresholds; of no meaning where the CSV has a column `split`.
    #[serde(default = "usual_share")]
    pub validation_share: f64,
    /// Chance of a patient to be looked at only at the end.
    #[serde(default = "usual_share")]
    pub test_share: f64,
    /// Most clips of a loop; as many as the model's pipeline looks at where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clips_per_loop: Option<usize>,
}

fn usual_share() -> f64 {
    0.15
}

/// Labelled loops whose files were found and opened.
pub struct LabelledLoops {
    /// Each loop with its file. Frames are not counted yet.
    pub loops: Vec<(Example, PathBuf)>,
    /// Loops that cannot be used, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// A loop with its label and its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledFile {
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// Index of the view; `None` if the loop shows none of the views.
    pub class: Option<usize>,
    /// The file.
    pub path: PathBuf,
}

/// Opens the loops that a CSV of labels names; headers are read, pixels are not.
///
/// # Errors
/// The CSV or the folder cannot be read.
pub fn loops_of_csv(data: &LoopData, seed: u64, views: &LabelSet) -> Result<LabelledLoops> {
    let mut labels = read_labels(&data.labels, views)?;
    let mut left_out = std::mem::take(&mut labels.left_out);
    let candidates = if labels.has_paths { labels.paths() } else { find_files(data, &mut left_out)? };
    let found = open_all(&candidates, &labels, seed, &mut left_out);
    let loops = labelled_loops(data, seed, &labels.rows, &found, &mut left_out);
    Ok(LabelledLoops { loops, left_out })
}

/// Opens labelled loops whose files are known.
pub fn loops_of_files(files: Vec<LabelledFile>, seed: u64) -> LabelledLoops {
    let row = |file: LabelledFile| LabelRow {
        sop_instance_uid: file.sop_instance_uid,
        class: file.class,
        split: Some(Split::Train),
        path: Some(file.path),
        patient: None,
    };
    let rows: Vec<LabelRow> = files.into_iter().map(row).collect();
    let labels = Labels { rows, left_out: Vec::new(), without_label: 0, has_paths: true };
    let mut left_out = Vec::new();
    let found = open_all(&labels.paths(), &labels, seed, &mut left_out);
    let without_split =
        LoopData { folder: None, labels: PathBuf::new(), validation_share: 0.0, test_share: 0.0, clips_per_loop: None };
    let loops = labelled_loops(&without_split, seed, &labels.rows, &found, &mut left_out);
    LabelledLoops { loops, left_out }
}

/// Loops that are decoded before the next are: memory does not grow with the data set.
const AT_ONCE: usize = 64;

/// The prepared clips of the loops for the model `card`, labelled with `views`: those in `folder` if they are there,
/// else decoded now, as the model's pipeline would.
///
/// Loops that cannot be used are left out and listed in the cache. `progress` hears of loops done and of all.
///
/// # Errors
/// No loop can be used, a split that leaks, a side of the split without patients.
pub fn loop_cache(
    data: &LoopData,
    seed: u64,
    card: &ModelCard,
    views: &LabelSet,
    folder: &Path,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<ClipCache> {
    let mut labels = read_labels(&data.labels, views)?;
    let mut left_out = std::mem::take(&mut labels.left_out);
    let candidates = if labels.has_paths { labels.paths() } else { find_files(data, &mut left_out)? };
    let what = Sha256::digest(serde_json::to_vec(&(data, &labels.rows)).unwrap_or_default());
    let parts = (&what[..], fingerprint(&candidates), seed, &views.name, &card.prepare, card.clip);
    let made_by = serde_json::to_string(&(parts, env!("CARGO_PKG_VERSION"))).unwrap_or_default();
    if let Some(cache) = ClipCache::open(folder, &made_by)? {
        return Ok(cache);
    }
    let found = open_all(&candidates, &labels, seed, &mut left_out);
    let loops = labelled_loops(data, seed, &labels.rows, &found, &mut left_out);
    if loops.is_empty() {
        return Err(none_usable(data, &labels, &left_out));
    }
    let examples: Vec<Example> = loops.iter().map(|(example, _)| example.clone()).collect();
    check_patients(&examples)?;
    check_sides(data, &examples)?;

    let for_views = ModelCard { label_set: Some(views.name.clone()), ..card.clone() };
    let preprocessor = Preprocessor::for_card(&for_views, data.clips_per_loop)?;
    let planes = card.prepare.color.planes();
    let mut writer = ClipCacheWriter::create(folder, &made_by, (planes, card.prepare.size))?;
    let mut usable = 0;
    for (number, some) in loops.chunks(AT_ONCE).enumerate() {
        let prepared: Vec<Result<Vec<Clip>, String>> =
            some.par_iter().map(|(_, path)| clips_of(path, &preprocessor)).collect();
        for ((example, _), prepared) in some.iter().zip(prepared) {
            match prepared {
                Ok(clips) => {
                    usable += 1;
                    clips.iter().try_for_each(|clip| writer.add(example.clone(), clip))?;
                }
                Err(reason) => left_out.push(LeftOut { sop_instance_uid: example.source.clone(), reason }),
            }
        }
        progress((number * AT_ONCE + some.len()) as u32, loops.len() as u32);
    }
    if usable == 0 {
        return Err(none_usable(data, &labels, &left_out));
    }
    writer.leave_out(left_out);
    writer.finish()
}

/// Returns the clips of one loop; an error is the reason why it cannot be used, without its path.
fn clips_of(path: &Path, preprocessor: &Preprocessor) -> Result<Vec<Clip>, String> {
    let mut source = Loop::open(path).map_err(|error| error.to_string())?;
    let preprocessed = preprocessor.run_without_normalization(&mut source).map_err(|error| error.message())?;
    let inputs = preprocessed.inputs.map_err(|refusal| refusal.to_string())?;
    Ok(Clip::from_resized(&inputs.clips))
}

/// The examples with their files, in the order of the CSV; a row without a file is left out.
fn labelled_loops(
    data: &LoopData,
    seed: u64,
    rows: &[LabelRow],
    found: &BTreeMap<String, FoundLoop>,
    left_out: &mut Vec<LeftOut>,
) -> Vec<(Example, PathBuf)> {
    // A study has one patient, even where some of its files cannot say which.
    let mut patient_of_study: BTreeMap<&str, Pseudonym> = BTreeMap::new();
    for row in rows {
        let Some(of_row) = found.get(&row.sop_instance_uid) else { continue };
        let by_label = row.patient.as_deref().map(|id| Pseudonym::new("patient", id, seed));
        if let Some(patient) = by_label.or(of_row.patient) {
            patient_of_study.entry(&of_row.study_instance_uid).or_insert(patient);
        }
    }
    let known_before: BTreeSet<String> = left_out.iter().map(|left| left.sop_instance_uid.clone()).collect();
    let mut loops = Vec::new();
    for row in rows {
        let Some(of_row) = found.get(&row.sop_instance_uid) else {
            if !known_before.contains(&row.sop_instance_uid) {
                left_out.push(LeftOut::new(&row.sop_instance_uid, "no file has this SOP Instance UID"));
            }
            continue;
        };
        let study = of_row.study_instance_uid.as_str();
        let of_study = || Pseudonym::new("study", study, seed);
        let patient = patient_of_study.get(study).copied().unwrap_or_else(of_study);
        let example = Example {
            patient: patient.to_string(),
            study: study.to_owned(),
            source: row.sop_instance_uid.clone(),
            class: row.class,
            frames: 0,
            split: row.split.unwrap_or_else(|| drawn_split(patient, data)),
        };
        loops.push((example, of_row.path.clone()));
    }
    loops
}

/// The side of a patient: a function of the seed and the patient alone, so more loops move nobody.
fn drawn_split(patient: Pseudonym, data: &LoopData) -> Split {
    let drawn = patient.share();
    if drawn < data.test_share {
        Split::Test
    } else if drawn < data.test_share + data.validation_share {
        Split::Validation
    } else {
        Split::Train
    }
}

fn check_sides(data: &LoopData, examples: &[Example]) -> Result<()> {
    let patients: BTreeSet<&str> = examples.iter().map(|example| example.patient.as_str()).collect();
    for side in [Split::Train, Split::Validation] {
        if !examples.iter().any(|example| example.split == side) {
            let problem = format!(
                "none of its {} patients stands on the {} side; give larger shares or another seed, more patients, or a \
                 column `split` (if all loops have one Patient ID because it was removed, a column `patient`)",
                patients.len(),
                side.name()
            );
            return Err(TrainError::Format { path: data.labels.clone(), problem });
        }
    }
    Ok(())
}

fn none_usable(data: &LoopData, labels: &Labels, left_out: &[LeftOut]) -> TrainError {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for left in left_out {
        *reasons.entry(&left.reason).or_default() += 1;
    }
    let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let listed: Vec<String> =
        reasons.iter().take(3).map(|(reason, count)| format!("{count} times: {reason}")).collect();
    let problem = format!(
        "no loop can be used of {} rows with a label and {} without one. {}. Give rows `sop_instance_uid,view` whose files \
         lie in data.folder, or a column `path`; views are names of the label set, or none",
        labels.rows.len(),
        labels.without_label,
        if listed.is_empty() { "Nothing was left out".to_owned() } else { listed.join("; ") }
    );
    TrainError::Format { path: data.labels.clone(), problem }
}
