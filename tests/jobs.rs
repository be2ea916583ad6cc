//! Jobs, labelling again and SQL as a user meets them.

mod support;

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use support::{count, dicom_files, json_lines, run, small_studies};

fn watch_once(inbox: &Path, database: &Path) -> (i32, String) {
    let (inbox, database) = (inbox.to_str().unwrap(), database.to_str().unwrap());
    let (code, stdout, stderr) = run(&["watch", inbox, "--once", "--pipeline", "tte11-tiny", "--db", database]);
    (code, stdout + &stderr)
}

fn jobs(database: &Path, arguments: &[&str]) -> (i32, String, String) {
    run(&[&["jobs"], arguments, &["--db", database.to_str().unwrap()]].concat())
}

fn failed(database: &Path) -> Vec<Value> {
    let (code, stdout, stderr) = jobs(database, &["list", "--state", "failed", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    json_lines(&stdout)
}

/// Says in the header that a sample has 13 bits, which nothing reads: the file is complete and cannot be labelled.
fn with_thirteen_bits(loop_bytes: &[u8]) -> Vec<u8> {
    let bits_allocated = b"\x28\x00\x00\x01US\x02\x00";
    let mut broken = loop_bytes.to_vec();
    let at = broken.windows(bits_allocated.len()).position(|bytes| bytes == bits_allocated).expect("Bits Allocated");
    broken[at + bits_allocated.len()] = 13;
    broken
}

#[test]
fn a_failed_file_is_listed_with_its_reason_retried_and_done_when_it_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    let (study, _) = small_studies(&folder.path().join("away"), 1, 15).remove(0);
    fs::create_dir_all(&inbox).unwrap();
    let good = fs::read(&dicom_files(&study)[0]).unwrap();
    let broken = inbox.join("broken.dcm");
    fs::write(&broken, with_thirteen_bits(&good)).unwrap();
    let (code, said) = watch_once(&inbox, &database);
    assert_eq!(code, 1, "{said}");

    let listed = failed(&database);
    assert_eq!(listed.len(), 1, "{listed:?}");
    let (id, kind) = (listed[0]["job_id"].to_string(), listed[0]["kind"].as_str().unwrap());
    assert_eq!(kind, "unsupported_pixel_format");
    assert_eq!(listed[0]["path"], broken.canonicalize().unwrap().to_str().unwrap());
    assert_eq!(listed[0]["path_tag"].as_str().unwrap().len(), 8);
    let reason = listed[0]["reason"].as_str().unwrap();
    let (_, shown, _) = jobs(&database, &["show", &id]);
    assert!(shown.contains(reason) && shown.contains("broken.dcm") && shown.contains(kind), "{shown}");

    for retry in [&["retry", &id][..], &["retry", "--kind", kind], &["retry", "--all"]] {
        let (code, stdout, stderr) = jobs(&database, retry);
        assert_eq!((code, stdout.trim()), (0, format!("job {id} is queued again").as_str()), "{stderr}");
        assert!(failed(&database).is_empty());
        let (code, said) = watch_once(&inbox, &database);
        assert_eq!((code, failed(&database).len()), (1, 1), "{said}");
    }
    assert_eq!(jobs(&database, &["retry", "--kind", "no_such_kind"]).1, "");
    for (arguments, expected) in [
        (["retry", "999"], "no job 999"),
        (["show", "999"], "no job 999"),
        (["retry", "one"], "neither the number of a job"),
    ] {
        let (code, _, stderr) = jobs(&database, &arguments);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }

    fs::write(&broken, &good).unwrap();
    let (code, said) = watch_once(&inbox, &database);
    assert_eq!((code, count(&database, "loop")), (0, 1), "{said}");
    assert!(failed(&database).is_empty());
    let (_, stdout, _) = jobs(&database, &["list", "--state", "done"]);
    assert!(stdout.contains("broken.dcm"), "{stdout}");
    let done = stdout.split_whitespace().next().unwrap();
    let (code, _, stderr) = jobs(&database, &["retry", done]);
    assert!(code == 2 && stderr.contains("has not failed, it is done"), "{stderr}");
}

#[test]
fn a_relabelled_study_shows_both_predictions_and_sql_says_what_the_inventory_says() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    let (_, truth) = small_studies(&inbox, 1, 16).remove(0);
    assert_eq!(watch_once(&inbox, &database).0, 0);
    let before = count(&database, "prediction");
    let uid = truth["study_instance_uid"].as_str().unwrap();
    // The same model with another threshold is another pipeline: it names views where the first is not sure.
    let bold = folder.path().join("bold.toml");
    let tiny = include_str!("../pipelines/tte11-tiny.toml");
    fs::write(&bold, tiny.replace("abstain_below = 0.5", "abstain_below = 0.0")).unwrap();
    let (db, bold) = (database.to_str().unwrap(), bold.to_str().unwrap());

    let (code, stdout, stderr) = run(&["relabel", uid, "--pipeline", bold, "--db", db]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains(&format!("{before} labelled, 0 not sure")), "{stdout}");
    assert_eq!(count(&database, "prediction"), 2 * before);
    let (code, _, stderr) = run(&["relabel", "--all", "--pipeline", bold, "--db", db]);
    assert_eq!((code, count(&database, "prediction")), (0, 2 * before), "a second run has nothing to do: {stderr}");
    let (code, _, stderr) = run(&["relabel", "1.2.3.4.5", "--db", db, "--pipeline", bold]);
    assert!(code == 2 && stderr.contains("no study 1.2.3.4.5"), "{stderr}");

    let (code, stdout, stderr) = run(&["inventory", uid, "--json", "--db", db]);
    assert_eq!(code, 0, "{stderr}");
    let inventory: Value = serde_json::from_str(&stdout).unwrap();
    let views = inventory["views"].as_array().unwrap();
    assert!(!views.is_empty(), "{inventory}");
    for entry in views.iter().flat_map(|view| view["loops"].as_array().unwrap()) {
        let predictions = entry["predictions"].as_array().unwrap();
        assert_eq!(predictions.len(), 2, "{entry}");
        assert_ne!(predictions[0]["pipeline_sha256"], predictions[1]["pipeline_sha256"]);
        assert!(predictions[0]["view"].is_null() && predictions[1]["view"].is_string(), "{entry}");
        for said in predictions {
            assert_eq!(said["precision"], "f32");
            assert!(said["energy"].is_number() && said["findings"].is_array() && said["prediction_set"].is_array());
        }
    }
    let (_, stdout, _) = run(&["inventory", uid, "--all-models", "--db", db]);
    assert!(stdout.contains("not sure 0.") && stdout.contains("by tte11-tiny"), "{stdout}");

    let sql = Connection::open(&database).unwrap();
    let mut query = sql
        .prepare("SELECT view, loops, best_loop FROM study_view WHERE study_instance_uid = ?1 ORDER BY view")
        .unwrap();
    let rows: Vec<(String, usize, String)> = query
        .query_map([uid], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as usize, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut expected: Vec<_> = views
        .iter()
        .map(|view| (text(&view["view"]), view["loops"].as_array().unwrap().len(), text(&view["best"])))
        .collect();
    expected.sort();
    assert_eq!(rows, expected);
    let (files, missing): (i64, Option<String>) = sql
        .query_row("SELECT files, missing_views FROM study_summary WHERE study_instance_uid = ?1", [uid], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(inventory["files"], files);
    let named: Vec<_> = inventory["missing"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(missing.unwrap_or_default(), named.join(", "));
    assert_eq!(rows.len() + named.len(), 11, "a view of the label set is found or missing");
}
