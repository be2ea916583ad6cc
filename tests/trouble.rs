//! Troubles around the files: locks, folders, names, links. Each is told by its exit code and in words.

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use support::{count, dicom_files, run, small_studies};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn watch_once(inbox: &Path, database: &Path) -> (i32, String) {
    let arguments = ["watch", text(inbox), "--once", "--pipeline", "tte11-tiny", "--db", text(database)];
    let (code, stdout, stderr) = run(&arguments);
    (code, stdout + &stderr)
}

#[test]
fn a_database_that_another_daemon_holds_is_code_3_by_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    fs::create_dir(&inbox).unwrap();
    symlink(&database, folder.path().join("link")).unwrap();
    let _held = store::Store::open_for_daemon(&database).unwrap();
    for name in ["lab.sqlite", "link"] {
        let (code, said) = watch_once(&inbox, &folder.path().join(name));
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("another echolabel works on database"), "{said}");
        assert_eq!(said.matches(text(&folder.path().join(name))).count(), 1, "{said}");
    }
}

#[test]
fn mistakes_of_the_configuration_are_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = folder.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    let (code, said) = watch_once(&inbox, &inbox);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("database: ") && said.contains("is a folder"), "{said}");
    let (code, _, stderr) = run(&["watch", "--once", "--pipeline", "tte11-tiny"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("no folder to watch"), "{stderr}");
    let png = folder.path().join("x.jpg");
    let (code, _, stderr) = run(&["inspect", text(&inbox), "--png", text(&png)]);
    assert_eq!(code, 2);
    assert!(stderr.contains("x.png"), "{stderr}");
    fs::write(inbox.join("a"), "x").unwrap();
    let (code, _, stderr) = run(&["phantom", "--small", "--out", text(&inbox)]);
    assert_eq!(code, 2);
    assert!(stderr.contains("holds files already"), "{stderr}");
}

#[test]
fn a_nested_watch_folder_is_a_warning_and_its_files_are_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    let (study, _) = small_studies(&inbox, 1, 31).remove(0);
    dicom_files(&study).iter().skip(2).for_each(|file| fs::remove_file(file).unwrap());
    let arguments =
        ["watch", text(&inbox), text(&study), "--once", "--pipeline", "tte11-tiny", "--db", text(&database)];
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("lies in another watch folder"), "{stderr}");
    assert_eq!(count(&database, "job"), 3, "two loops and truth.json");
}

#[test]
fn the_database_may_lie_in_the_watched_folder() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("lab.sqlite");
    let (code, said) = watch_once(folder.path(), &database);
    assert_eq!(code, 0, "{said}");
    assert_eq!(count(&database, "job"), 0);
    assert_eq!(fs::metadata(&database).unwrap().permissions().mode() & 0o137, 0, "private to owner and group");
}

#[test]
fn a_pipe_is_refused_and_an_empty_folder_named() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (code, stdout, _) = run(&["label", text(&pipe), "--pipeline", "tte11-tiny"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("it is a pipe, not a file"), "{stdout}");
    let (code, stdout, stderr) = run(&["inspect", text(&pipe), "--json"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("\"error\"") && stderr.contains("it is a pipe, not a file"), "{stderr}");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let (code, _, stderr) = run(&["label", text(&empty)]);
    assert_eq!(code, 0);
    assert!(stderr.contains("there is no file in"), "{stderr}");
}

#[test]
fn a_name_with_an_escape_sequence_never_reaches_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("a\u{1b}]0;owned\u{7}\u{202e}\nPLAX 1.00.dcm");
    fs::write(&name, "not DICOM").unwrap();
    for json in [false, true] {
        let arguments = ["label", text(&name), "--pipeline", "tte11-tiny", "--json"];
        let (code, stdout, stderr) = run(&arguments[..if json { 5 } else { 4 }]);
        assert_eq!(code, 1);
        for said in [&stdout, &stderr] {
            assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
        }
        assert_eq!(stdout.lines().count(), 1, "{stdout}");
    }
}

#[test]
fn a_backup_is_opened_like_the_database_and_a_check_finds_it_sound() {
    let folder = tempfile::tempdir().unwrap();
    let (database, copy) = (folder.path().join("lab.sqlite"), folder.path().join("copy.sqlite"));
    assert_eq!(watch_once(folder.path(), &database).0, 0);
    let precious = folder.path().join("precious");
    fs::write(&precious, "keep").unwrap();
    symlink(&precious, &copy).unwrap();
    let (code, _, stderr) = run(&["db", "backup", text(&copy), "--db", text(&database)]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "keep", "a planted link is not followed");
    let (code, stdout, _) = run(&["db", "check", "--db", text(&copy)]);
    assert_eq!(code, 0);
    assert!(stdout.contains("is sound"), "{stdout}");
    let mut bytes = fs::read(&copy).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0x55);
    fs::write(&copy, bytes).unwrap();
    let (code, stdout, _) = run(&["db", "check", "--db", text(&copy)]);
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("is damaged"), "{stdout}");
    let (code, said) = watch_once(folder.path(), &copy);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is damaged"), "{said}");
}
