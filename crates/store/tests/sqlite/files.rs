//! One daemon a database, and what happens when its file is moved, replaced, locked or damaged.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::suite::common::{at, file, sample};
use rusqlite::Connection;
use store::{JobFilter, Queue as _, Store, StoreError};
use tempfile::TempDir;

fn folder_and_path() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.sqlite");
    (folder, path)
}

fn queue(store: &Store, name: &str) -> Result<(), StoreError> {
    store.enqueue(&file(name, 1), sample(), None, at(0)).map(drop)
}

fn damage(path: &Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(&[0x55; 4096], 4096).unwrap();
}

#[test]
fn a_second_daemon_is_refused_by_whatever_name_it_comes() {
    let (folder, path) = folder_and_path();
    let link = folder.path().join("link.sqlite");
    symlink(&path, &link).unwrap();
    let first = Store::open_for_daemon(&path).unwrap();
    for name in [&path, &link] {
        assert!(matches!(Store::open_for_daemon(name), Err(StoreError::InUse { .. })));
    }
    // Commands work beside it.
    queue(&Store::open(&link).unwrap(), "a").unwrap();
    assert_eq!(first.counts().unwrap().pending, 1);
    drop(first);
    Store::open_for_daemon(&link).unwrap();
}

#[test]
fn a_file_that_is_gone_takes_nothing_more_until_it_is_back() {
    let (folder, path) = folder_and_path();
    let store = Store::open(&path).unwrap();
    queue(&store, "a").unwrap();
    let away = folder.path().join("away");
    fs::rename(&path, &away).unwrap();
    let error = queue(&store, "b").unwrap_err();
    assert!(matches!(error, StoreError::Vanished { .. }) && error.is_temporary(), "{error}");
    fs::write(&path, "another file").unwrap();
    assert!(matches!(queue(&store, "b"), Err(StoreError::Replaced { .. })));
    fs::rename(&away, &path).unwrap();
    queue(&store, "b").unwrap();
    assert_eq!(store.counts().unwrap().pending, 2);
}

#[test]
fn a_log_that_was_deleted_is_noticed() {
    let (_folder, path) = folder_and_path();
    let store = Store::open(&path).unwrap();
    fs::remove_file(path.with_extension("sqlite-wal")).unwrap();
    assert!(matches!(queue(&store, "a"), Err(StoreError::Replaced { .. })));
}

#[test]
fn a_database_that_another_program_holds_is_a_trouble_that_passes() {
    let (_folder, path) = folder_and_path();
    let store = Store::open_for_daemon(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = queue(&store, "a").unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert_eq!(error.trouble(), "another program holds it");
    other.execute_batch("ROLLBACK").unwrap();
    queue(&store, "a").unwrap();
}

#[test]
fn damage_is_found_at_the_start_of_a_daemon_and_listed_by_a_check() {
    let (_folder, path) = folder_and_path();
    let store = Store::open(&path).unwrap();
    (0..500).for_each(|number| queue(&store, &number.to_string()).unwrap());
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
    drop(store);
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    let file = fs::File::options().write(true).open(&path).unwrap();
    (pages / 2..pages).for_each(|page| file.write_all_at(&[0x55; 4096], page * 4096).unwrap());
    let error = Store::open_for_daemon(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }) && !error.is_temporary(), "{error}");
    assert!(!Store::open_read_only(&path).unwrap().check().unwrap().is_empty());
}

#[test]
fn a_schema_page_that_is_damaged_is_said_so() {
    let (_folder, path) = folder_and_path();
    drop(Store::open(&path).unwrap());
    let file = fs::File::options().write(true).open(&path).unwrap();
    // Behind the header of 100 bytes stands the root page of the schema.
    file.write_all_at(&[0x55; 3000], 100).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_backup_is_one_sound_file_of_one_moment_while_others_write() {
    let (folder, path) = folder_and_path();
    let store = Store::open_for_daemon(&path).unwrap();
    queue(&store, "a").unwrap();
    let copy = folder.path().join("copy.sqlite");
    Store::open_read_only(&path).unwrap().backup(&copy).unwrap();
    queue(&store, "b").unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o027, 0);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("copy.sqlite-")), "{names:?}");
    assert_eq!(Store::open(&copy).unwrap().counts().unwrap().pending, 1);
}

#[test]
fn a_backup_of_a_damaged_database_is_not_kept() {
    let (folder, path) = folder_and_path();
    let store = Store::open(&path).unwrap();
    (0..500).for_each(|number| queue(&store, &number.to_string()).unwrap());
    drop(store);
    damage(&path);
    let copy = folder.path().join("copy.sqlite");
    let outcome = Store::open_read_only(&path).and_then(|store| store.backup(&copy));
    assert!(outcome.is_err());
    assert!(!copy.try_exists().unwrap());
}

#[test]
fn a_reader_changes_nothing_and_needs_no_file_beside_the_database() {
    let (folder, path) = folder_and_path();
    let store = Store::open(&path).unwrap();
    queue(&store, "a").unwrap();
    let reader = Store::open_read_only(&path).unwrap();
    assert_eq!(reader.jobs(&JobFilter::default()).unwrap().len(), 1);
    let error = queue(&reader, "b").unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    drop((reader, store));
    let before = fs::read(&path).unwrap();
    assert_eq!(Store::open_read_only(&path).unwrap().counts().unwrap().pending, 1);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(matches!(Store::open_read_only(folder.path()), Err(StoreError::Open { .. })));
}

#[test]
fn a_new_database_and_its_log_are_private_to_owner_and_group() {
    let (_folder, path) = folder_and_path();
    let store = Store::open(&path).unwrap();
    queue(&store, "a").unwrap();
    for path in [path.clone(), path.with_extension("sqlite-wal")] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0, "{}", path.display());
    }
}

#[test]
fn a_reader_needs_no_permission_to_write_to_file_or_folder() {
    let (folder, path) = folder_and_path();
    queue(&Store::open(&path).unwrap(), "a").unwrap();
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    set(&path, 0o440);
    // Root may write nevertheless; for everybody else SQLite finds no place for its log.
    set(folder.path(), 0o555);
    let read = Store::open_read_only(&path).and_then(|store| store.counts());
    set(folder.path(), 0o755);
    assert_eq!(read.unwrap().pending, 1);
}
