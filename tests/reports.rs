//! Reports as DICOM, as a user exports them.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject, open_file};
use support::{count, dicom_files, run, small_studies};

struct Lab {
    folder: tempfile::TempDir,
    study: PathBuf,
    uid: String,
}

impl Lab {
    /// A study of all views, Doppler and other organs, one file of which cannot be labelled.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (study, truth) = small_studies(&folder.path().join("inbox"), 1, 5).remove(0);
        let broken = &dicom_files(&study)[1];
        let bits_allocated = b"\x28\x00\x00\x01US\x02\x00";
        let mut bytes = fs::read(broken).unwrap();
        let at = bytes.windows(bits_allocated.len()).position(|window| window == bits_allocated).unwrap();
        bytes[at + bits_allocated.len()] = 13;
        fs::write(broken, bytes).unwrap();
        let uid = truth["study_instance_uid"].as_str().unwrap().to_owned();
        let lab = Self { folder, study, uid };
        let inbox = lab.study.parent().unwrap().to_str().unwrap();
        let (code, _, stderr) =
            run(&["watch", inbox, "--once", "--pipeline", "tte11-tiny", "--db", lab.database().to_str().unwrap()]);
        assert_eq!(code, 1, "{stderr}");
        lab
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("lab.sqlite")
    }

    fn review(&self, view: &str) {
        let database = self.database();
        let sop: String = rusqlite::Connection::open(&database)
            .unwrap()
            .query_row("SELECT min(sop_instance_uid) FROM loop WHERE skip_reason IS NULL", [], |row| row.get(0))
            .unwrap();
        let arguments = ["review", &sop, view, "--reviewer", "Kim", "--db", database.to_str().unwrap()];
        let (code, _, stderr) = run(&arguments);
        assert_eq!(code, 0, "{stderr}");
    }

    fn export(&self, name: &str) -> Vec<PathBuf> {
        let out = self.folder.path().join(name);
        let (database, out) = (self.database(), out.to_str().unwrap().to_owned());
        let arguments = ["export", "--format", "dicom", "--out", &out, "--db", database.to_str().unwrap()];
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!(code, 0, "{stderr}");
        stdout.lines().map(PathBuf::from).collect()
    }
}

fn items(object: &InMemDicomObject) -> Vec<&InMemDicomObject> {
    let found = object.get(tags::CONTENT_SEQUENCE).and_then(|element| element.items());
    found.map(|items| items.iter().collect()).unwrap_or_default()
}

fn concept(item: &InMemDicomObject) -> String {
    let code = item.get(tags::CONCEPT_NAME_CODE_SEQUENCE).and_then(|element| element.items()?.first());
    code.and_then(|code| Some(code.get(tags::CODE_VALUE)?.to_str().ok()?.trim().to_owned())).unwrap_or_default()
}

fn groups(report: &DefaultDicomObject) -> Vec<&InMemDicomObject> {
    let measurements = items(report).into_iter().find(|item| concept(item) == "126010").expect("Imaging Measurements");
    items(measurements)
}

fn text_of(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

#[test]
fn a_study_is_exported_with_every_loop_and_the_same_bytes_again() {
    let lab = Lab::new();
    lab.review("PSAX-apical");
    let files = lab.export("first");
    let names: Vec<String> =
        files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, [format!("{}.sr.dcm", lab.uid), format!("{}.ko.dcm", lab.uid)]);

    let report = open_file(&files[0]).unwrap();
    let loops = count(&lab.database(), "loop") as usize;
    assert_eq!(loops + 1, dicom_files(&lab.study).len(), "one file failed");
    assert_eq!(groups(&report).len(), loops + 2, "a group a loop, one for the review, one for the failed file");
    let text = text_of(&files[0]);
    for said in ["Kim^", "UNVERIFIED", "NOT VALIDATED ON PATIENTS", "could not be read", "1 failed", "PHANTOM^NUMBER"] {
        assert!(text.contains(said), "{said}");
    }
    let study = report.element(tags::STUDY_INSTANCE_UID).unwrap().to_str().unwrap().trim_end_matches('\0').to_owned();
    assert_eq!(study, lab.uid);

    let keys = open_file(&files[1]).unwrap();
    let views = count(&lab.database(), "study_view") as usize;
    let images = items(&keys).into_iter().filter(|item| item.get(tags::REFERENCED_SOP_SEQUENCE).is_some()).count();
    assert_eq!(images, views, "the best loop of each view");

    let again = lab.export("again");
    for (first, second) in files.iter().zip(&again) {
        assert_eq!(fs::read(first).unwrap(), fs::read(second).unwrap(), "{}", first.display());
    }
    lab.review("PLAX");
    let changed = lab.export("changed");
    assert_ne!(fs::read(&files[0]).unwrap(), fs::read(&changed[0]).unwrap());
}

#[test]
fn a_study_whose_files_are_gone_is_named() {
    let lab = Lab::new();
    fs::remove_dir_all(&lab.study).unwrap();
    let out = lab.folder.path().join("out");
    let database = lab.database();
    let arguments = ["export", "--format", "dicom", "--out", out.to_str().unwrap(), "--db", database.to_str().unwrap()];
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.contains(&lab.uid) && stderr.contains("no file of the study is there"), "{stderr}");
}
