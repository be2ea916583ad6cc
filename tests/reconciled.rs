//! Studies that archives edit: corrected patients, moved and split studies, files sent again, conflicts.

#[path = "support/dicom.rs"]
mod dicom;
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use dicom::Object;
use serde_json::Value;
use support::{json_lines, run};

const BEFORE: &str = "9.1";
const AFTER: &str = "9.2";

struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("lab.sqlite")
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("inbox").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Puts three loops of a study into a folder.
    fn put_study(&self, folder: &str, study: &str, patient_id: &str) {
        for number in 0..3 {
            let object = Object::new_loop(study, &format!("9.9.{number}"), number);
            self.put(&format!("{folder}/{number}"), &Object { patient_id: patient_id.to_owned(), ..object }.bytes());
        }
    }

    fn watch(&self) -> (i32, String) {
        let (inbox, database) = (self.folder.path().join("inbox"), self.database());
        let arguments = ["watch", text(&inbox), "--once", "--pipeline", "tte11-tiny", "--db", text(&database)];
        let (code, stdout, stderr) = run(&arguments);
        (code, stdout + &stderr)
    }

    fn inventory(&self, study: &str) -> Value {
        let (code, stdout, stderr) = run(&["inventory", study, "--json", "--db", text(&self.database())]);
        assert_eq!(code, 0, "{stderr}");
        json_lines(&stdout).remove(0)
    }

    /// Number of loops and of duplicates of a study; it has no other files.
    fn loops_and_duplicates(&self, study: &str) -> (u64, u64) {
        let inventory = self.inventory(study);
        let count = |state: &str| inventory["states"][state].as_u64().unwrap();
        let loops = count("labelled") + count("unsure") + count("without_view");
        assert_eq!(loops + count("duplicate"), inventory["files"].as_u64().unwrap(), "{inventory}");
        (loops, count("duplicate"))
    }

    fn audit(&self, event: &str) -> i64 {
        let sql = rusqlite::Connection::open(self.database()).unwrap();
        sql.query_row("SELECT count(*) FROM audit WHERE event = ?1", [event], |row| row.get(0)).unwrap()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_corrected_patient_is_a_duplicate_and_another_study_uid_moves_the_loops() {
    let lab = Lab::new();
    lab.put_study("a", BEFORE, "T0");
    assert_eq!(lab.watch().0, 0);
    lab.put_study("b", BEFORE, "T0-CORRECTED");
    let (code, said) = lab.watch();
    assert_eq!((code, lab.loops_and_duplicates(BEFORE)), (0, (3, 3)), "{said}");
    assert_eq!(lab.audit("header_changed"), 3);
    lab.put_study("c", AFTER, "T0-CORRECTED");
    let (code, said) = lab.watch();
    assert_eq!((code, lab.loops_and_duplicates(AFTER)), (0, (3, 0)), "{said}");
    assert_eq!((lab.loops_and_duplicates(BEFORE), lab.audit("loop_moved")), ((0, 6), 3));
    assert_eq!(support::count(&lab.database(), "loop"), 3);
}

#[test]
fn all_at_once_the_header_that_comes_last_counts() {
    for order in [["a", "b", "c"], ["c", "a", "b"], ["b", "c", "a"]] {
        let lab = Lab::new();
        // Folders are walked by name.
        for (place, what) in order.into_iter().enumerate() {
            let (study, patient) = match what {
                "a" => (BEFORE, "T0"),
                "b" => (BEFORE, "T0-CORRECTED"),
                _ => (AFTER, "T0-CORRECTED"),
            };
            lab.put_study(&place.to_string(), study, patient);
        }
        let (code, said) = lab.watch();
        assert_eq!(code, 0, "{said}");
        let last = if order[2] == "c" { AFTER } else { BEFORE };
        assert_eq!(lab.loops_and_duplicates(last).0, 3, "{order:?}");
    }
}

#[test]
fn a_part_of_a_study_is_split_off() {
    let lab = Lab::new();
    lab.put_study("a", BEFORE, "T0");
    assert_eq!(lab.watch().0, 0);
    lab.put("c/0", &Object::new_loop(AFTER, "9.9.0", 0).bytes());
    assert_eq!(lab.watch().0, 0);
    assert_eq!((lab.loops_and_duplicates(BEFORE), lab.loops_and_duplicates(AFTER)), ((2, 1), (1, 0)));
}

#[test]
fn a_damaged_file_leaves_the_failures_when_it_is_sent_again_or_mended() {
    for name in ["again", "a"] {
        let lab = Lab::new();
        let good = Object::new_loop(BEFORE, "9.9.0", 0);
        lab.put("a", &Object { transfer_syntax: "1.2.826.0.1.3680043.9.9999.1", ..good.clone() }.bytes());
        assert_eq!(lab.watch().0, 1);
        let (_, listed, _) = run(&["jobs", "list", "--state", "failed", "--json", "--db", text(&lab.database())]);
        let failed = json_lines(&listed).remove(0);
        let (code, shown, _) =
            run(&["jobs", "show", failed["path_tag"].as_str().unwrap(), "--db", text(&lab.database())]);
        assert!(code == 0 && shown.contains("unsupported_transfer_syntax"), "{shown}");
        lab.put(name, &good.bytes());
        assert_eq!(lab.watch().0, 0);
        let (_, listed, _) = run(&["jobs", "list", "--state", "failed", "--db", text(&lab.database())]);
        assert_eq!(listed, "");
        assert_eq!(lab.loops_and_duplicates(BEFORE), (1, u64::from(name == "again")));
    }
}

#[test]
fn other_pixels_under_a_uid_wait_for_a_person() {
    let lab = Lab::new();
    lab.put("a", &Object::new_loop(BEFORE, "9.9.0", 0).bytes());
    assert_eq!(lab.watch().0, 0);
    lab.put("b", &Object::new_loop(BEFORE, "9.9.0", 1).bytes());
    let (code, said) = lab.watch();
    assert!(code == 1 && said.contains("1 conflicts"), "{said}");
    let database = lab.database();
    let (_, listed, _) = run(&["jobs", "list", "--kind", "conflicting_content", "--json", "--db", text(&database)]);
    let conflict = json_lines(&listed).remove(0);
    let job = conflict["job_id"].to_string();
    let (code, said, _) = run(&["jobs", "resolve", &job, "--keep", "this", "--db", text(&database)]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = lab.watch();
    assert_eq!((code, lab.loops_and_duplicates(BEFORE)), (0, (1, 1)), "{said}");
    let (code, _, stderr) = run(&["jobs", "resolve", &job, "--keep", "first", "--db", text(&database)]);
    assert!(code == 2 && stderr.contains("is no conflict"), "{stderr}");
}

#[test]
fn a_file_replaced_under_its_name_size_and_time_is_noticed() {
    let lab = Lab::new();
    let path = lab.put("a", &Object::new_loop(BEFORE, "9.9.0", 0).bytes());
    assert_eq!(lab.watch().0, 0);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::remove_file(&path).unwrap();
    lab.put("a", &Object::new_loop(BEFORE, "9.9.1", 0).bytes());
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let (code, said) = lab.watch();
    assert!(code == 0 && said.starts_with("1 files taken"), "{said}");
    assert_eq!(support::count(&lab.database(), "loop"), 2);
}

#[test]
fn exports_say_where_a_loop_is_now() {
    let lab = Lab::new();
    let path = lab.put("a", &Object::new_loop(BEFORE, "9.9.0", 0).bytes());
    assert_eq!(lab.watch().0, 0);
    fs::rename(&path, path.with_file_name("moved")).unwrap();
    assert_eq!(lab.watch().0, 0);
    assert_eq!(lab.loops_and_duplicates(BEFORE), (1, 0));
    let (out, database) = (lab.folder.path().join("out"), lab.database());
    let arguments = ["export", "--format", "csv", "--paths", "--out", text(&out), "--db", text(&database)];
    assert_eq!(run(&arguments).0, 0);
    let csv = fs::read_to_string(out.join("loops.csv")).unwrap();
    assert!(csv.contains("/moved"), "{csv}");
}
