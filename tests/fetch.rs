//! Studies of an archive come into a folder.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use support::http_server::{Answer, HttpServer, Request};
use support::{dicom_files, run, small_studies};

/// Two studies of two days, and an answer that breaks off once for each object.
struct Archive {
    /// Study UID, date, files by SOP Instance UID.
    studies: Vec<(String, String, BTreeMap<String, Vec<u8>>)>,
    broken: Mutex<Vec<String>>,
}

impl Archive {
    fn answer(&self, request: &Request) -> Answer {
        let json = |value: Value| (200, "application/dicom+json", value.to_string().into_bytes());
        let path = request.line.trim_start_matches("GET /dicom-web/");
        assert!(!request.line.contains("..") && request.header("authorization") == Some("Bearer t"), "{request:?}");
        if let Some(query) = path.strip_prefix("studies?") {
            assert!(query.contains("ModalitiesInStudy=US"), "{query}");
            let is_asked = |(uid, date, _): &&(String, String, _)| {
                query.contains(&format!("StudyDate={date}")) || query.contains(&format!("AccessionNumber=A%20{uid}"))
            };
            let found: Vec<Value> = self
                .studies
                .iter()
                .filter(is_asked)
                .map(|(uid, _, _)| json!({ "0020000D": { "vr": "UI", "Value": [uid] } }))
                .collect();
            return if found.is_empty() { (204, "text/plain", Vec::new()) } else { json(Value::Array(found)) };
        }
        let (_, _, files) = self.studies.iter().find(|(uid, _, _)| path.contains(uid)).expect("a known study");
        if path.ends_with("/series?Modality=US") {
            return json(json!([{ "0020000E": { "vr": "UI", "Value": ["1.2.9"] } }]));
        }
        if path.ends_with("/series/1.2.9/instances") {
            let objects = files.keys().map(|sop| json!({ "00080018": { "vr": "UI", "Value": [sop] } }));
            return json(objects.collect());
        }
        let sop = path.rsplit('/').next().unwrap().to_owned();
        let mut body = b"--edge\r\nContent-Type: application/dicom\r\n\r\n".to_vec();
        body.extend(&files[&sop]);
        body.extend(b"\r\n--edge--\r\n");
        let mut broken = self.broken.lock().unwrap();
        if !broken.contains(&sop) {
            broken.push(sop);
            body.truncate(body.len() / 2);
        }
        (200, "multipart/related; type=\"application/dicom\"; boundary=\"edge\"", body)
    }
}

#[test]
fn the_newest_day_comes_first_whole_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let dates = ["20260102", "20260101"];
    let studies = small_studies(&folder.path().join("away"), 2, 5)
        .into_iter()
        .zip(dates)
        .map(|((study, truth), date)| {
            let files = dicom_files(&study).into_iter().take(2).map(|file| {
                let object = dicom_object::open_file(&file).unwrap();
                (
                    object.meta().media_storage_sop_instance_uid().trim_end_matches('\0').to_owned(),
                    fs::read(file).unwrap(),
                )
            });
            (truth["study_instance_uid"].as_str().unwrap().to_owned(), date.to_owned(), files.collect())
        })
        .collect();
    let archive = Arc::new(Archive { studies, broken: Mutex::default() });
    let asked = Arc::clone(&archive);
    let server = HttpServer::start(move |request| asked.answer(request));
    let (base, out) = (format!("{}/dicom-web/", server.address), folder.path().join("out"));
    let token = folder.path().join("token");
    fs::write(&token, "t\n").unwrap();
    let fetch = |arguments: &[&str]| {
        let common =
            ["fetch", "--archive", &base, "--out", out.to_str().unwrap(), "--token-file", token.to_str().unwrap()];
        run(&[&common, arguments].concat())
    };
    let (code, stdout, stderr) = fetch(&["--since", "2025-12-31", "--until", "2026-01-03"]);
    assert_eq!((code, stdout.trim()), (0, "4 objects fetched, 0 were there, 0 failed"), "{stderr}");
    for (study, _, files) in &archive.studies {
        for (sop, bytes) in files {
            let path = out.join(study).join(format!("{sop}.dcm"));
            assert!(fs::read(&path).unwrap() == *bytes, "{}", path.display());
        }
        assert_eq!(fs::read_dir(out.join(study)).unwrap().count(), files.len(), "no parts are left");
    }
    let days: Vec<String> = server
        .requests()
        .iter()
        .filter_map(|request| request.line.split("StudyDate=").nth(1)?.get(..8).map(str::to_owned))
        .collect();
    assert_eq!(days, ["20260103", "20260102", "20260101", "20251231"]);

    let number = format!("A {}", archive.studies[0].0);
    let (code, stdout, _) = fetch(&["--accession", &number]);
    assert_eq!((code, stdout.trim()), (0, "0 objects fetched, 2 were there, 0 failed"));
}

#[test]
fn an_archive_that_refuses_or_talks_nonsense_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refusing = HttpServer::start(|_| (403, "text/plain", Vec::new()));
    let babbling = HttpServer::start(|_| (200, "text/html", b"<html>".to_vec()));
    for (server, expected) in [(&refusing, "HTTP 403"), (&babbling, "something else than DICOMweb")] {
        let arguments =
            ["fetch", "--archive", &server.address, "--out", folder.path().to_str().unwrap(), "--accession", "1"];
        let (code, _, stderr) = run(&arguments);
        assert!(code == 1 && stderr.contains(expected), "{stderr}");
    }
    let (code, _, stderr) = run(&["fetch", "--archive", "ftp://x", "--accession", "1"]);
    assert!(code == 2 && stderr.contains("https://"), "{stderr}");
}
