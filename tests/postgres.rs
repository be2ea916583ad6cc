//! A lab on a PostgreSQL server: the same commands, the same answers as on a file.

mod support;

use std::fs;

use serde_json::Value;
use support::{echolabel, json_lines, run, small_studies};
use test_support::PostgresServer;

/// Removes what differs between two runs: times, and numbers, which follow the order in which workers end.
fn comparable(mut value: Value) -> Value {
    const DIFFER: [&str; 7] = ["last_activity", "closed_at", "ms", "created_at", "number", "name", "prediction_id"];
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|name, _| !DIFFER.contains(&name.as_str()));
            fields.values_mut().for_each(|field| *field = comparable(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = comparable(item.take())),
        _ => {}
    }
    value
}

fn done(arguments: &[&str]) -> String {
    let (code, stdout, stderr) = run(arguments);
    assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
    stdout
}

#[test]
fn a_lab_on_a_server_is_read_as_one_in_a_file_is() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let inbox = folder.path().join("inbox");
    small_studies(&inbox, 2, 31);
    let (inbox, address) = (inbox.to_str().unwrap().to_owned(), server.address());
    let file = folder.path().join("lab.sqlite").to_str().unwrap().to_owned();
    for db in [&file, &address] {
        let arguments = ["watch", &inbox, "--once", "--pipeline", "tte11-tiny", "--db", db];
        let (code, stdout, stderr) = run(&arguments);
        assert!(code == 0 && stdout.contains(" 0 failed"), "{stdout}{stderr}");
    }
    let read = |db: &str| -> Vec<Value> {
        let studies = json_lines(&done(&["inventory", "--json", "--db", db]));
        let mut studies: Vec<Value> = studies.into_iter().map(comparable).collect();
        studies.sort_by_key(|study| study["study_instance_uid"].to_string());
        studies
    };
    assert_eq!(read(&address).len(), 2);
    assert_eq!(read(&address), read(&file));

    // A second run finds nothing new; people and scripts read and write as on a file.
    let again = done(&["watch", &inbox, "--once", "--pipeline", "tte11-tiny", "--db", &address]);
    assert!(again.starts_with("0 files taken"), "{again}");
    done(&["review", "1/1", "PLAX", "--reviewer", "kim", "--db", &address]);
    assert!(done(&["inventory", "1", "--db", &address]).contains("PLAX"));
    assert!(done(&["jobs", "list", "--db", &address]).contains(".dcm"));
    assert!(done(&["status", "--since", "1h", "--db", &address]).contains("labelled"));
    let out = folder.path().join("out");
    done(&["export", "--format", "csv", "--out", out.to_str().unwrap(), "--db", &address]);
    assert!(fs::read_to_string(out.join("loops.csv")).unwrap().lines().count() > 5);
    assert!(done(&["db", "check", "--db", &address]).contains("is sound"));
    let (code, _, stderr) = run(&["db", "backup", "x", "--db", &address]);
    assert!(code != 0 && stderr.contains("pg_dump"), "{stderr}");

    // The lab moves to a file, every row of it.
    let moved = folder.path().join("moved.sqlite");
    let copied = done(&["db", "copy", "--from", &address, "--to", moved.to_str().unwrap()]);
    assert!(copied.contains("prediction") && copied.contains("written, read back and compared"), "{copied}");
    assert_eq!(read(moved.to_str().unwrap()), read(&address));
}

#[test]
fn a_password_is_in_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("postgres://kim:s3cretword@{}/echo", folder.path().to_str().unwrap().replace('/', "%2F"));
    let config = folder.path().join("echolabel.toml");
    fs::write(&config, format!("database = \"{missing}\"\n")).unwrap();
    for arguments in [
        vec!["inventory", "--db", &missing],
        vec!["db", "check", "--db", "postgres://kim:s3cretword@db/echo?colour=red"],
        vec!["inventory", "--config", config.to_str().unwrap()],
        vec!["config", "check", "--config", config.to_str().unwrap()],
    ] {
        let output = echolabel().args(["-v", "-v"]).args(&arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(
            !String::from_utf8_lossy(&said).contains("s3cretword"),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&said)
        );
    }
    // What the driver says is told, with the address.
    let (code, _, stderr) = run(&["inventory", "--db", &missing]);
    assert!(code == 3 && stderr.contains("postgres://kim@"), "{code}: {stderr}");
}
