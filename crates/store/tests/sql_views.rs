//! The views for SQL clients say what the inventory says, and use indexes.

mod common;

use common::{at, claimed, facts, identity, label, model, new_store, prediction, sop, study};
use rusqlite::Connection;
use store::{JobFailure, LabelStore, Queue, Retry, Review, SqliteStore};
use tempfile::TempDir;

/// Two studies: one with two PLAX loops, an unsure one and a broken file; one without any label.
fn filled() -> (TempDir, SqliteStore, Connection) {
    let (folder, store) = new_store();
    let views = ["A4C", "PLAX", "PSAX"].map(str::to_owned);
    store.keep_label_set(&model("w1"), &views, at(0)).unwrap();
    label(&store, &facts("1.2", "1.2.1"), "c1", &prediction("w1", Some("PLAX"), 0.6), 0);
    label(&store, &facts("1.2", "1.2.2"), "c2", &prediction("w1", Some("PLAX"), 0.8), 1);
    label(&store, &facts("1.2", "1.2.3"), "c3", &prediction("w1", None, 0.3), 2);
    for (study, sop) in [("1.2", "1.2.9"), ("7", "7.1")] {
        let job = claimed(&store, sop, 3);
        let failure =
            JobFailure { kind: "decode".into(), message: "frame 3".into(), identity: Some(identity(study, sop)) };
        store.fail(&job, &failure, Retry::Never, at(3)).unwrap();
    }
    let connection = Connection::open(folder.path().join("labels.sqlite")).unwrap();
    (folder, store, connection)
}

#[test]
fn a_study_has_a_row_a_view_with_its_best_loop() {
    let (_folder, store, sql) = filled();
    let row = |uid: &str| {
        sql.query_row(
            "SELECT view, loops, best_loop, reviewed FROM study_view WHERE study_instance_uid = ?1",
            [uid],
            |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?, row.get::<_, bool>(3)?))
            },
        )
        .unwrap()
    };
    assert_eq!(row("1.2"), ("PLAX".to_owned(), 2, "1.2.2".to_owned(), false));
    let review = |uid, view: Option<&str>| Review::new(sop(uid), view.map(str::to_owned), "kim", at(5));
    store.add_review(&review("1.2.2", None)).unwrap();
    store.add_review(&review("1.2.1", Some("A4C"))).unwrap();
    assert_eq!(row("1.2"), ("A4C".to_owned(), 1, "1.2.1".to_owned(), true));
}

#[test]
fn a_summary_counts_files_and_names_missing_views() {
    let (_folder, store, sql) = filled();
    let summary = |uid: &str| {
        sql.query_row(
            "SELECT files, labelled, unsure, without_view, failed, waiting, closed, missing_views
             FROM study_summary WHERE study_instance_uid = ?1",
            [uid],
            |row| {
                let counts: Vec<i64> = (0..7).map(|column| row.get(column)).collect::<Result<_, _>>()?;
                Ok((counts, row.get::<_, Option<String>>(7)?.unwrap_or_default()))
            },
        )
        .unwrap()
    };
    assert_eq!(summary("1.2"), (vec![4, 2, 1, 0, 1, 0, 0], "A4C, PSAX".to_owned()));
    assert_eq!(summary("7"), (vec![1, 0, 0, 0, 1, 0, 0], String::new()), "no model was asked: nothing is missing");
    let inventory = store.inventory(&study("1.2")).unwrap();
    assert_eq!((inventory.files, inventory.missing.join(", ")), (4, "A4C, PSAX".to_owned()));
}

#[test]
fn a_question_about_one_study_reads_no_other() {
    let (_folder, _store, sql) = filled();
    for view in ["study_view", "study_summary", "file_state", "study_missing_view", "loop_label"] {
        let mut plan =
            sql.prepare(&format!("EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE study_instance_uid = '1.2'")).unwrap();
        let steps: Vec<String> =
            plan.query_map([], |row| row.get("detail")).unwrap().collect::<Result<_, _>>().unwrap();
        let by_study = ["INDEX loop_by_study (study_id=?)", "INDEX job_by_study (study_instance_uid=?)"];
        assert!(steps.iter().any(|step| by_study.iter().any(|index| step.contains(index))), "{view}: {steps:?}");
        for table in ["study", "loop", "prediction", "review", "job", "newest"] {
            let whole_table = |step: &String| step.split_whitespace().take(2).eq(["SCAN", table]);
            assert!(!steps.iter().any(whole_table), "{view} reads all of {table}: {steps:?}");
        }
    }
}
