//! Every file of a folder has one state, in the inventory of its study or among the files without one.

#[path = "support/dicom.rs"]
mod dicom;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dicom::{Object, dicomdir};
use random::Stream;
use serde_json::Value;
use support::{json_lines, run};

const SR: &str = "1.2.840.10008.5.1.4.1.1.88.33";
const KEY_OBJECTS: &str = "1.2.840.10008.5.1.4.1.1.88.59";
const PRESENTATION_STATE: &str = "1.2.840.10008.5.1.4.1.1.11.1";
const PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";
const ECG: &str = "1.2.840.10008.5.1.4.1.1.9.1.1";

fn watch_once(inbox: &Path, database: &Path) -> (i32, String) {
    let (inbox, database) = (inbox.to_str().unwrap(), database.to_str().unwrap());
    let (code, stdout, stderr) = run(&["watch", inbox, "--once", "--pipeline", "tte11-tiny", "--db", database]);
    (code, stdout + &stderr)
}

fn inventories(database: &Path) -> Vec<Value> {
    let (code, stdout, stderr) = run(&["inventory", "--json", "--db", database.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    json_lines(&stdout)
}

fn unreadable(database: &Path) -> Vec<Value> {
    let (code, stdout, stderr) = run(&["inventory", "--unreadable", "--json", "--db", database.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    json_lines(&stdout)
}

/// Files of a study by state, without the states that none has. The listed files must be those that are counted.
fn states(inventory: &Value) -> BTreeMap<String, u64> {
    let counted: BTreeMap<String, u64> = serde_json::from_value(inventory["states"].clone()).unwrap();
    let listed = inventory["not_labelled"].as_array().unwrap();
    for (state, files) in &counted {
        let here = listed.iter().filter(|file| file["state"] == **state).count() as u64;
        assert!(here == *files || state == "labelled", "{state}: {inventory}");
    }
    assert_eq!(counted.values().sum::<u64>(), inventory["files"].as_u64().unwrap(), "{inventory}");
    counted.into_iter().filter(|(_, files)| *files > 0).collect()
}

/// Number of files below a folder, hidden ones too.
fn files_below(folder: &Path) -> usize {
    walkdir::WalkDir::new(folder).into_iter().filter(|entry| entry.as_ref().unwrap().file_type().is_file()).count()
}

/// Files in all states of all studies, and those of no study.
fn accounted(database: &Path) -> usize {
    let of_studies: u64 = inventories(database).iter().flat_map(|study| states(study).into_values()).sum();
    of_studies as usize + unreadable(database).len()
}

struct Disc {
    folder: tempfile::TempDir,
}

impl Disc {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn inbox(&self) -> PathBuf {
        self.folder.path().join("inbox")
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("lab.sqlite")
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.inbox().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn watch(&self) -> (i32, String) {
        watch_once(&self.inbox(), &self.database())
    }
}

/// A disc as it is burned for a patient: 31 files, 18 of them objects of one study.
#[test]
fn a_burned_disc_is_accounted_for_file_by_file() {
    let disc = Disc::new();
    let object = |number: u8| Object::new_loop("7.1", &format!("7.1.{number}"), number);
    let without_image =
        |number: u8, class, modality| Object::without_image("7.1", &format!("7.1.{number}"), class, modality).bytes();
    for (number, name) in
        [(1, "DICOM/IM1"), (2, "DICOM/IM2"), (3, "DICOM/IM3"), (4, "DICOM/Ñandú (2)/échο.DCM"), (5, "X.IMA")]
    {
        disc.put(name, &object(number).bytes());
    }
    disc.put("DICOM/line\nbreak.dcm", &object(6).bytes());
    disc.put("DICOM/IM7", &object(7).bytes());
    for (number, class, modality) in
        [(11, SR, "SR"), (12, PDF, "DOC"), (13, KEY_OBJECTS, "KO"), (14, PRESENTATION_STATE, "PR"), (15, ECG, "ECG")]
    {
        disc.put(&format!("DICOM/{modality}"), &without_image(number, class, modality));
    }
    disc.put("DICOM/VOL1", &without_image(16, "1.3.46.670589.2.3.1.1", "US"));
    let private = Object { transfer_syntax: "1.2.826.0.1.3680043.9.9999.1", ..object(21) };
    disc.put("DICOM/BAD_TS", &private.bytes());
    disc.put("DICOM/BAD_32BIT", &Object { bits_allocated: 32, ..object(22) }.bytes());
    let whole = object(31).bytes();
    disc.put("DICOM/CUT", &whole[..whole.len() * 6 / 10]);
    disc.put("DICOM/EMPTY", b"");
    disc.put("RESENT/IM1", &Object { patient_id: "CORRECTED".to_owned(), ..object(1) }.bytes());
    disc.put("RESENT/copy of IM2", &object(2).bytes());
    disc.put("DICOMDIR", &dicomdir());
    disc.put("RESENT/DICOMDIR.dcm", &dicomdir());
    for name in ["AUTORUN.INF", "VIEWER.EXE", "INDEX.HTM", "Thumbs.db", ".DS_Store", "._IM1", "README.TXT", "LOGO.JPG"]
    {
        disc.put(name, format!("of no loop: {name}").as_bytes());
    }
    disc.put("STUDY2.ZIP", b"PK\x03\x04 and so on");
    disc.put("IM9.dcm.gz", b"\x1F\x8B\x08 and so on");
    assert_eq!(files_below(&disc.inbox()), 31);

    for run in 0..2 {
        let (code, said) = disc.watch();
        assert_eq!(code, 1, "the cut and the empty file may still arrive, two fail at first: {said}");
        assert_eq!(said.matches("archive ignored").count(), if run == 0 { 2 } else { 0 }, "named once: {said}");
        let inventories = inventories(&disc.database());
        assert_eq!(inventories.len(), 1, "{inventories:?}");
        let mut found = states(&inventories[0]);
        let loops: u64 = ["labelled", "unsure", "without_view"].iter().filter_map(|state| found.remove(*state)).sum();
        let expected = [("conflict", 0), ("duplicate", 2), ("failed", 2), ("incomplete", 1), ("no_image", 6)];
        let expected = expected.map(|(state, files)| (state.to_owned(), files));
        assert_eq!(loops, 7);
        assert_eq!(found, expected.into_iter().filter(|(_, files)| *files > 0).collect());
        assert_eq!(unreadable(&disc.database()).len(), 13);
    }
    let (_, stdout, _) = run(&["inventory", "--unreadable", "--paths", "--db", disc.database().to_str().unwrap()]);
    assert!(stdout.contains("STUDY2.ZIP  ") || stdout.contains("/STUDY2.ZIP"), "{stdout}");
    assert!(stdout.contains("ZIP archive") && stdout.contains("gzip archive"), "{stdout}");
    let (_, stdout, _) = run(&["inventory", "--unreadable", "--db", disc.database().to_str().unwrap()]);
    assert!(!stdout.contains("STUDY2") && stdout.contains("13 files without a study"), "{stdout}");
}

/// Puts a file of a kind that is drawn into the inbox.
fn put_drawn(disc: &Disc, rng: &mut Stream, number: usize) {
    let draw = |rng: &mut Stream, below: usize| rng.below(below);
    let study = format!("8.{}", draw(rng, 3));
    let sop = format!("{study}.{number}");
    let earlier = format!("{study}.{}", draw(rng, number + 1));
    let seed = number as u8;
    let whole = Object::new_loop(&study, &sop, seed);
    let (name, bytes) = match draw(rng, 17) {
        0 => ("sr", Object::without_image(&study, &sop, SR, "SR").bytes()),
        1 => ("pdf", Object::without_image(&study, &sop, PDF, "DOC").bytes()),
        2 => ("kos", Object::without_image(&study, &sop, KEY_OBJECTS, "KO").bytes()),
        3 => ("pr", Object::without_image(&study, &sop, PRESENTATION_STATE, "PR").bytes()),
        4 => ("ecg", Object::without_image(&study, &sop, ECG, "ECG").bytes()),
        5 => {
            let bytes = whole.bytes();
            let kept = 1 + draw(rng, bytes.len() - 1);
            ("cut", bytes[..kept].to_vec())
        }
        6 => ("empty", Vec::new()),
        // The pixels of another loop under its UID, a copy of it, or a header of it that was edited.
        7 => ("conflict", Object::new_loop(&study, &earlier, seed.wrapping_add(101)).bytes()),
        8 => ("again", Object::new_loop(&study, &earlier, number as u8).bytes()),
        9 => ("edited", Object { patient_id: format!("T{number}"), ..Object::new_loop(&study, &earlier, 0) }.bytes()),
        10 => ("bits", Object { bits_allocated: 32, ..whole }.bytes()),
        11 => ("private", Object { transfer_syntax: "1.2.826.0.1.3680043.9.9999.1", ..whole }.bytes()),
        12 => ("zip", b"PK\x03\x04".to_vec()),
        13 => ("DICOMDIR", dicomdir()),
        14 => (".hidden", b"no loop".to_vec()),
        15 => ("garbage", [vec![0; 128], b"DICM".to_vec(), vec![seed; 40]].concat()),
        _ => ("loop", whole.bytes()),
    };
    disc.put(&format!("{number:03}/{name}"), &bytes);
}

#[test]
fn the_states_of_any_mixture_add_up_to_its_files_and_label_says_the_same() {
    for seed in 1..=3 {
        let disc = Disc::new();
        let mut rng = Stream::for_purpose(seed, "mixture of files");
        for number in 0..60 {
            put_drawn(&disc, &mut rng, number);
        }
        disc.watch();
        let first = accounted(&disc.database());
        disc.watch();
        assert_eq!((first, accounted(&disc.database())), (60, 60), "seed {seed}");
        compare_with_label(&disc);
    }
}

/// Compares the state of every file with what `label` says of it.
fn compare_with_label(disc: &Disc) {
    let database = disc.database();
    let inbox = disc.inbox().canonicalize().unwrap();
    let (_, listed, _) = run(&["jobs", "list", "--json", "--db", database.to_str().unwrap()]);
    let jobs: BTreeMap<String, Value> =
        json_lines(&listed).into_iter().map(|job| (job["path"].as_str().unwrap().to_owned(), job)).collect();
    let arguments = ["label", inbox.to_str().unwrap(), "--json", "--pipeline", "tte11-tiny"];
    let (code, stdout, stderr) = run(&arguments);
    let lines = json_lines(&stdout);
    assert_eq!(code, i32::from(lines.iter().any(|line| !line["error"].is_null())), "{stderr}");
    for line in lines {
        let path = line["path"].as_str().unwrap();
        let job = &jobs[path];
        if !line["error"].is_null() {
            assert_eq!(job["state"], "failed", "{line} {job}");
            assert_eq!(job["kind"], line["error"]["kind"], "{line} {job}");
            assert_eq!(job["reason"], line["error"]["message"], "{line} {job}");
        } else if line["skipped"] == true && line["sop_instance_uid"].is_null() {
            assert_eq!((&job["state"], &job["reason"]), (&Value::from("skipped"), &line["reason"]), "{line} {job}");
        } else {
            let state = job["state"].as_str().unwrap();
            let is_conflict = job["kind"] == "conflicting_content";
            assert!(state == "done" || is_conflict || job["kind"] == "not_a_view", "{line} {job}");
        }
    }
}
