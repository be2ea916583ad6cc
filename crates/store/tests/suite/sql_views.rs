//! The views for SQL clients say what the inventory says, and use indexes.

use super::common::{at, claimed, facts, identity, label, model, prediction, sop, study};
use crate::lab::{Lab, new_store};
use store::{JobFailure, LabelStore, Queue, Retry, Review, Store};

/// Two studies: one with two PLAX loops, an unsure one and a broken file; one without any label.
fn filled() -> Option<(Lab, Store)> {
    let (lab, store) = new_store()?;
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
    Some((lab, store))
}

#[test]
fn a_study_has_a_row_a_view_with_its_best_loop() {
    let Some((lab, store)) = filled() else { return };
    let row = |uid: &str| {
        let sql = format!(
            "SELECT view, CAST(loops AS TEXT), best_loop, CASE WHEN reviewed THEN 'reviewed' ELSE 'unread' END
             FROM study_view WHERE study_instance_uid = '{uid}'"
        );
        lab.rows(&sql).remove(0).into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("1.2"), "PLAX 2 1.2.2 unread");
    let review = |uid, view: Option<&str>| Review::new(sop(uid), view.map(str::to_owned), "kim", at(5));
    store.add_review(&review("1.2.2", None)).unwrap();
    store.add_review(&review("1.2.1", Some("A4C"))).unwrap();
    assert_eq!(row("1.2"), "A4C 1 1.2.1 reviewed");
}

#[test]
fn a_summary_counts_files_and_names_missing_views() {
    let Some((lab, store)) = filled() else { return };
    let summary = |uid: &str| {
        let columns = ["files", "labelled", "unsure", "without_view", "failed", "waiting"]
            .map(|column| format!("CAST({column} AS TEXT)"))
            .join(", ");
        let sql = format!(
            "SELECT {columns}, CASE WHEN closed THEN 'closed' ELSE 'open' END, missing_views
             FROM study_summary WHERE study_instance_uid = '{uid}'"
        );
        lab.rows(&sql).remove(0).into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(summary("1.2"), "4 2 1 0 1 0 open A4C, PSAX");
    assert_eq!(summary("7"), "1 0 0 0 1 0 open ", "no model was asked: nothing is missing");
    let inventory = store.inventory(&study("1.2")).unwrap();
    assert_eq!((inventory.files, inventory.missing.join(", ")), (4, "A4C, PSAX".to_owned()));
}
