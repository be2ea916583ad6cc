//! Labels of an archive without a database: manifests, calls that are killed and go on, labels that are brought in.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::{dicom_files, echolabel, exported_labels, json_lines, run, small_studies};

/// A folder with small studies, a report, a file that is cut and one that is no DICOM.
fn archive(folder: &Path) -> PathBuf {
    let archive = folder.join("archive");
    let studies = small_studies(&archive, 2, 31);
    let whole = dicom_files(&studies[0].0).remove(0);
    let bytes = fs::read(whole).unwrap();
    fs::write(archive.join("cut.dcm"), &bytes[..bytes.len() - 500]).unwrap();
    fs::write(archive.join("notes.txt"), "not DICOM").unwrap();
    archive
}

fn manifest(folder: &Path, parts: u16) -> Vec<PathBuf> {
    let out = folder.join("manifests");
    let (archive, out) = (archive(folder), out.to_str().unwrap().to_owned());
    let parts = parts.to_string();
    let (code, stdout, stderr) =
        run(&["manifest", archive.to_str().unwrap(), "--parts", &parts, "--out", &out, "--sha256"]);
    assert_eq!(code, 0, "{stderr}");
    stdout.lines().map(|line| PathBuf::from(line.split("  ").last().unwrap())).collect()
}

fn label(manifest: &Path, out: &Path) -> Command {
    let mut command = echolabel();
    command.args(["label", "--pipeline", "tte11-tiny", "--threads", "1", "--manifest"]).arg(manifest);
    command.arg("--out").arg(out);
    command
}

fn rows(file: &Path) -> Vec<Value> {
    json_lines(&fs::read_to_string(file).unwrap())
}

#[test]
fn every_line_has_its_row_and_a_second_call_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = manifest(folder.path(), 1).remove(0);
    let lines = rows(&manifest);
    let out = folder.path().join("labels.jsonl");
    let done = label(&manifest, &out).output().unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", String::from_utf8_lossy(&done.stderr));
    let summary = String::from_utf8(done.stdout).unwrap();

    let labels = rows(&out);
    assert_eq!(labels.len(), lines.len());
    for (line, row) in lines.iter().zip(&labels) {
        assert_eq!(line["path"], row["path"]);
        assert_eq!(line["sha256"], row["sha256"]);
        assert_eq!(row["schema"], "echolabel-labels-1");
        assert!(row.get("ms").is_none());
    }
    let of = |name: &str| labels.iter().find(|row| row["path"].as_str().unwrap().ends_with(name)).unwrap();
    assert_eq!((&of("cut.dcm")["state"], &of("cut.dcm")["kind"]), (&"failed".into(), &"incomplete".into()));
    assert_eq!((&of("notes.txt")["state"], &of("notes.txt")["kind"]), (&"skipped".into(), &"not_dicom".into()));
    let labelled: Vec<_> = labels.iter().filter(|row| row["state"] == "labelled").collect();
    assert!(labelled.len() > 10);
    assert!(labelled.iter().all(|row| row["probabilities"].as_object().is_some_and(|all| all.len() == 11)));
    assert!(!folder.path().join("labels.jsonl.part").try_exists().unwrap());

    // The same call again: the file stays, and so does the answer.
    let before = fs::read(&out).unwrap();
    let again = label(&manifest, &out).output().unwrap();
    assert_eq!((again.status.code(), String::from_utf8(again.stdout).unwrap()), (Some(1), summary));
    assert_eq!(fs::read(&out).unwrap(), before);

    // Another manifest or another model is not mixed in.
    let other = folder.path().join("other.jsonl");
    fs::write(&other, format!("{}\n", lines[0])).unwrap();
    let refused = label(&other, &out).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another manifest"));
    let pipeline = folder.path().join("bold.toml");
    let tiny = fs::read_to_string("pipelines/tte11-tiny.toml").unwrap();
    fs::write(&pipeline, tiny.replace("abstain_below = 0.5", "abstain_below = 0.1")).unwrap();
    let refused = echolabel()
        .args(["label", "--manifest", manifest.to_str().unwrap(), "--out", out.to_str().unwrap(), "--pipeline"])
        .arg(&pipeline)
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another pipeline"));
    assert_eq!(fs::read(&out).unwrap(), before);
}

#[test]
fn calls_that_are_killed_leave_what_one_call_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = manifest(folder.path(), 1).remove(0);
    for extension in ["jsonl", "parquet"] {
        let whole = folder.path().join(format!("whole.{extension}"));
        assert_eq!(label(&manifest, &whole).output().unwrap().status.code(), Some(1));
        let killed = folder.path().join(format!("killed.{extension}"));
        let part = folder.path().join(format!("killed.{extension}.part"));
        let (mut kills, mut wait_ms, mut resumed) = (0, 150, false);
        loop {
            let mut call = label(&manifest, &killed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(wait_ms));
            if let Some(status) = call.try_wait().unwrap() {
                assert_eq!(status.code(), Some(1));
                break;
            }
            call.kill().unwrap();
            call.wait().unwrap();
            kills += 1;
            wait_ms += 97;
            // A kill may come between the end of the work and that of the process; the file is whole then.
            assert!(!killed.try_exists().unwrap() || fs::read(&whole).unwrap() == fs::read(&killed).unwrap());
            resumed |= fs::metadata(&part).is_ok_and(|part| part.len() > 0);
            // A power cut may leave half a line, and zeros.
            if kills % 2 == 0 && part.try_exists().unwrap() && !killed.try_exists().unwrap() {
                let mut bytes = fs::read(&part).unwrap();
                bytes.extend_from_slice(b"{\"schema\": \"echolabel-la\0\0\0");
                fs::write(&part, bytes).unwrap();
            }
        }
        println!("{extension}: {kills} kills");
        assert!(kills > 0 && resumed);
        assert!(!part.try_exists().unwrap());
        assert!(fs::read(&whole).unwrap() == fs::read(&killed).unwrap(), "{extension}");
    }
}

#[test]
fn a_signal_ends_a_call_in_order_and_another_process_is_kept_away() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = manifest(folder.path(), 1).remove(0);
    let (out, part) = (folder.path().join("labels.jsonl"), folder.path().join("labels.jsonl.part"));
    let mut call = label(&manifest, &out).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while fs::metadata(&part).map_or(0, |part| part.len()) == 0 {
        assert!(call.try_wait().unwrap().is_none(), "it ended before it was asked to");
        std::thread::sleep(Duration::from_millis(5));
    }
    let beside = label(&manifest, &out).output().unwrap();
    let message = String::from_utf8_lossy(&beside.stderr).into_owned();
    assert!(beside.status.code() != Some(0) && message.contains("another process holds the lock"), "{message}");

    Command::new("kill").args(["-TERM", &call.id().to_string()]).status().unwrap();
    let ended = call.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&ended.stderr).into_owned();
    // A call that was done before the signal came has nothing to go on with.
    if ended.status.code() != Some(1) {
        assert_eq!(ended.status.code(), Some(3), "{message}");
        assert!(message.contains("the same call goes on"), "{message}");
        assert!(fs::read_to_string(&part).unwrap().ends_with('\n'));
        assert_eq!(label(&manifest, &out).output().unwrap().status.code(), Some(1));
    }
    assert_eq!(rows(&out).len(), rows(&manifest).len());
}

#[test]
fn a_file_that_was_replaced_is_a_row_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = manifest(folder.path(), 3);
    let lines = rows(&manifest[1]);
    let path = PathBuf::from(lines[0]["path"].as_str().unwrap());
    fs::write(&path, "another file").unwrap();
    fs::remove_file(lines[1]["path"].as_str().unwrap()).unwrap();
    let out = folder.path().join("labels.jsonl");
    let done = label(&manifest[1], &out).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    let labels = rows(&out);
    assert_eq!((&labels[0]["state"], &labels[0]["kind"]), (&"failed".into(), &"other_content".into()));
    assert_eq!((&labels[1]["state"], &labels[1]["kind"]), (&"failed".into(), &"read".into()));
    assert_eq!(labels.len(), lines.len());
}

#[test]
fn a_manifest_that_is_none_is_refused_before_the_model_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("part.jsonl");
    fs::write(&manifest, "{\"path\": \"/a.dcm\"}\n{\"file\": \"/b.dcm\"}\n").unwrap();
    let refused = label(&manifest, &folder.path().join("labels.jsonl")).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("line 2") && message.contains("`file`"), "{message}");
    let refused = label(&manifest, &folder.path().join("labels.csv")).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}

/// A folder with a program `echolabel` that is this one with the tiny pipeline.
fn small_program(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = bin.join("echolabel");
    let script = format!("#!/bin/sh\nexec {} --pipeline tte11-tiny \"$@\"\n", env!("CARGO_BIN_EXE_echolabel"));
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn the_slurm_script_labels_the_part_of_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let manifests = manifest(folder.path(), 6);
    let labels = folder.path().join("labels");
    let job = |index: &str| {
        let mut command = Command::new("bash");
        command.arg("deploy/slurm/label-archive.sh").env("SLURM_ARRAY_TASK_ID", index);
        command.env("MANIFESTS", manifests[0].parent().unwrap()).env("LABELS", &labels);
        command.env("ECHOLABEL", small_program(folder.path())).env_remove("ECHOLABEL_MODELS");
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    // Part 0 has the file that is cut: its row says so, and the job is no failure.
    for index in ["3", "0"] {
        let done = job(index).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let mut there: Vec<String> =
        fs::read_dir(&labels).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    there.sort();
    assert_eq!(there, ["part-0000.parquet", "part-0003.parquet"]);

    // A job that is preempted stops in order and goes on when it is started again.
    let mut preempted = job("4").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    Command::new("kill").args(["-TERM", &preempted.id().to_string()]).status().unwrap();
    let status = preempted.wait().unwrap();
    assert!(matches!(status.code(), Some(0 | 3)), "{status}");
    assert!(job("4").output().unwrap().status.success());
    assert!(
        labels.join("part-0004.parquet").try_exists().unwrap()
            && !labels.join("part-0004.parquet.part").try_exists().unwrap()
    );
}

fn import(database: &Path, files: &[&Path]) -> (i32, String, String) {
    let mut arguments = vec!["import-labels"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    run(&[&arguments[..], &["--db", database.to_str().unwrap()]].concat())
}

#[test]
fn labels_that_are_imported_are_those_of_a_daemon_and_a_second_import_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let manifests = manifest(folder.path(), 2);
    let outs = [folder.path().join("0.parquet"), folder.path().join("1.jsonl")];
    for (manifest, out) in manifests.iter().zip(&outs) {
        let done = label(manifest, out).output().unwrap();
        assert!(matches!(done.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let imported = folder.path().join("imported.sqlite");
    let (code, stdout, stderr) = import(&imported, &[&outs[0], &outs[1]]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.lines().all(|line| line.contains(" 0 known, 0 of files")), "{stdout}");

    let archive = folder.path().join("archive");
    let watched = folder.path().join("watched.sqlite");
    let arguments = ["watch", archive.to_str().unwrap(), "--once", "--pipeline", "tte11-tiny", "--db"];
    run(&[&arguments[..], &[watched.to_str().unwrap()]].concat());
    let loops = exported_labels(imported.to_str().unwrap(), &folder.path().join("csv-imported"));
    assert!(loops.len() > 20);
    assert_eq!(loops, exported_labels(watched.to_str().unwrap(), &folder.path().join("csv-watched")));

    let (code, stdout, _) = import(&imported, &[&outs[0], &outs[1]]);
    assert_eq!(code, 0);
    assert!(stdout.lines().all(|line| line.starts_with("0 rows imported")), "{stdout}");
    assert_eq!(exported_labels(imported.to_str().unwrap(), &folder.path().join("csv-again")), loops);

    // Whoever watches the archive with this database has nothing to label.
    let (_, stdout, _) = run(&[&arguments[..], &[imported.to_str().unwrap()]].concat());
    assert!(stdout.contains("0 labelled"), "{stdout}");
}

#[test]
fn rows_of_another_layout_are_refused_by_name_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = manifest(folder.path(), 1).remove(0);
    let out = folder.path().join("labels.jsonl");
    label(&manifest, &out).output().unwrap();
    let text = fs::read_to_string(&out).unwrap();
    let last = text.rfind("echolabel-labels-1").unwrap();
    let other = folder.path().join("other.jsonl");
    fs::write(&other, [&text[..last], "echolabel-labels-9", &text[last + 18..]].concat()).unwrap();
    let database = folder.path().join("lab.sqlite");
    let (code, _, stderr) = import(&database, &[&out, &other]);
    assert_eq!(code, 2);
    assert!(stderr.contains("echolabel-labels-9") && stderr.contains("echolabel-labels-1"), "{stderr}");
    assert!(!database.try_exists().unwrap());
}

#[test]
fn the_job_of_kubernetes_labels_the_part_of_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let manifests = manifest(folder.path(), 6);
    let text = fs::read_to_string("deploy/kubernetes/label-archive.yaml").unwrap();
    // The script is the block under `args`, as far as its lines are indented.
    let script: String = text
        .lines()
        .skip_while(|line| line.trim() != "- |")
        .skip(1)
        .take_while(|line| line.starts_with(&" ".repeat(14)))
        .map(|line| format!("{}\n", &line[14..]))
        .collect();
    assert!(script.contains("JOB_COMPLETION_INDEX") && text.contains("completionMode: Indexed"));
    let work = manifests[0].parent().unwrap().parent().unwrap();
    let script = script.replace("/labelling/", &format!("{}/", work.display()));
    let program = small_program(folder.path());
    let path = std::env::join_paths([program.parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut pod = Command::new("sh");
    pod.args(["-c", &script]).env("JOB_COMPLETION_INDEX", "2").env("PATH", path).env_remove("ECHOLABEL_MODELS");
    let done = pod.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(work.join("labels/part-0002.parquet").try_exists().unwrap());
}
