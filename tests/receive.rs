//! Objects that come by DICOM, as a user sets it up.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use dicom_net::{SendOutcome, SentObject, echo, send};
use support::receiver::{Receiving, data_set, free_port, wait_until};
use support::{count, dicom_files, run, small_studies};

const STORED: SendOutcome = SendOutcome::Stored { status: 0 };

/// Returns the digests of what follows the meta groups of files.
fn data_sets(files: &[PathBuf]) -> BTreeSet<String> {
    let digest = |file| files::sha256_of(&data_set(&fs::read(file).unwrap())[..]).unwrap().to_string();
    files.iter().map(digest).collect()
}

fn is_labelled(receiving: &Receiving, files: usize) -> bool {
    fs::metadata(&receiving.database).is_ok()
        && count(&receiving.database, "job WHERE state IN ('done', 'skipped')") == files as u64
}

#[test]
fn a_study_that_is_sent_is_in_the_inventory() {
    let base = tempfile::tempdir().unwrap();
    let (study, truth) = small_studies(&base.path().join("away"), 1, 31).remove(0);
    let files = dicom_files(&study);
    let mut receiving = Receiving::start(base.path(), "");
    echo(&receiving.destination()).unwrap();
    let objects: Vec<SentObject> = files.iter().cloned().map(SentObject::File).collect();
    assert_eq!(send(&receiving.destination(), &objects), vec![STORED; files.len()]);
    assert_eq!(data_sets(&receiving.stored()), data_sets(&files));

    wait_until("all loops have a label", || is_labelled(&receiving, files.len()));
    assert!(receiving.end().1, "{}", receiving.log());
    assert_eq!(count(&receiving.database, "loop"), files.len() as u64);
    let (code, stdout, _) =
        run(&["inventory", "--db", receiving.database.to_str().unwrap(), "--pipeline", "tte11-tiny"]);
    assert!(code == 0 && stdout.contains(truth["study_instance_uid"].as_str().unwrap()), "{stdout}");
    // The log names titles and UIDs, and neither files nor patients.
    let log = receiving.log();
    assert!(log.contains("US7") && !log.contains(base.path().to_str().unwrap()), "{log}");
}

#[test]
fn dcmtk_sends_a_study() {
    let programs = ["echoscu", "storescu", "storescp"].map(test_support::program);
    let [Some(echoscu), Some(storescu), Some(storescp)] = programs else { return };
    let base = tempfile::tempdir().unwrap();
    let files = dicom_files(&small_studies(&base.path().join("away"), 1, 32).remove(0).0);
    let receiving = Receiving::start(base.path(), "");
    assert!(receiving.dcmtk(&echoscu).status().unwrap().success());
    // storescu encodes headers anew, so what it sends is what another receiver writes down bit by bit.
    let reference = base.path().join("reference");
    fs::create_dir(&reference).unwrap();
    let port = free_port();
    let mut other =
        Command::new(storescp).args(["+B", "+xa", "-od"]).arg(&reference).arg(port.to_string()).spawn().unwrap();
    wait_until("storescp listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    for file in &files {
        let option = proposed(file);
        let own = receiving.dcmtk(&storescu).args(option).arg(file).output().unwrap();
        let again = receiving.dcmtk(&storescu).args(option).arg(file).output().unwrap();
        let theirs =
            Command::new(&storescu).args(["127.0.0.1", &port.to_string()]).args(option).arg(file).output().unwrap();
        for sent in [own, again, theirs] {
            assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        }
    }
    other.kill().unwrap();
    other.wait().unwrap();
    let theirs: Vec<PathBuf> = fs::read_dir(&reference).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!((receiving.stored().len(), theirs.len()), (files.len(), files.len()));
    assert_eq!(data_sets(&receiving.stored()), data_sets(&theirs));
    assert_eq!(receiving.logged("object received again, with the same bytes"), files.len());
    wait_until("all loops have a label", || is_labelled(&receiving, files.len()));
}

/// The option that makes storescu propose the transfer syntax of a file: it does not look by itself.
fn proposed(file: &Path) -> Option<&'static str> {
    let bytes = fs::read(file).unwrap();
    let meta = &bytes[..bytes.len() - data_set(&bytes).len()];
    let is_in = |uid: &str| meta.windows(uid.len()).any(|window| window == uid.as_bytes());
    [("1.2.840.10008.1.2.4.50", "-xy"), ("1.2.840.10008.1.2.4.70", "-xs"), ("1.2.840.10008.1.2.5", "-xr")]
        .into_iter()
        .find(|(uid, _)| is_in(uid))
        .map(|(_, option)| option)
}

#[test]
fn an_end_is_orderly_with_associations_open() {
    let base = tempfile::tempdir().unwrap();
    let mut receiving = Receiving::start(base.path(), "");
    let silent = TcpStream::connect(("127.0.0.1", receiving.port)).unwrap();
    let mut half = TcpStream::connect(("127.0.0.1", receiving.port)).unwrap();
    half.write_all(&[1, 0, 0, 0, 1, 0, 0, 1]).unwrap();
    let (took, in_order) = receiving.end();
    assert!(in_order && took < Duration::from_secs(30), "{took:?}: {}", receiving.log());
    drop(silent);
}

#[test]
fn an_address_that_is_taken_ends_the_start_with_its_name() {
    let base = tempfile::tempdir().unwrap();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let (code, stderr) = watch_with(base.path(), &format!("listen = \"{address}\"\npeers = [{{ ae = \"US7\" }}]"));
    assert_ne!(code, 0);
    assert!(stderr.contains(&address) && stderr.contains("[receive]"), "{stderr}");
}

#[test]
fn a_configuration_that_cannot_work_is_explained() {
    let base = tempfile::tempdir().unwrap();
    for (keys, expected) in [
        ("folder = \"elsewhere\"\npeers = [{ ae = \"US7\" }]", "receive.folder"),
        ("peers = [{ ae = \"US7\", certificate_sha256 = \"AA\" }]", "openssl x509"),
        ("peers = [{ ae = \"US7\" }]\ntls = { cert = \"no.pem\", key = \"no.key\" }", "receive.tls"),
        ("peers = [{ title = \"US7\" }]", "title"),
    ] {
        let (code, stderr) = watch_with(base.path(), keys);
        assert!(code == 2 && stderr.contains(expected), "{keys}: {code} {stderr}");
    }
    let config = base.path().join("check.toml");
    fs::write(&config, "[inbox]\nfolders = [\"in\"]\n[receive]\nlisten = \"0.0.0.0:11112\"\n").unwrap();
    let (code, stdout, stderr) = run(&["config", "check", "--config", config.to_str().unwrap()]);
    assert!(code == 2 && stderr.contains("nobody may connect") && stdout.contains("[receive]"), "{stdout}{stderr}");
}

fn watch_with(base: &Path, keys: &str) -> (i32, String) {
    fs::create_dir_all(base.join("in")).unwrap();
    let config = base.join("echolabel.toml");
    fs::write(&config, format!("[inbox]\nfolders = [\"in\"]\n[receive]\n{keys}\n")).unwrap();
    let database = base.join("lab.sqlite");
    let (code, _, stderr) = run(&[
        "watch",
        "--pipeline",
        "tte11-tiny",
        "--config",
        config.to_str().unwrap(),
        "--db",
        database.to_str().unwrap(),
    ]);
    (code, stderr)
}
