//! A lab moves from a file to a server, and back.

use store::{LabelStore as _, Queue as _, Review, Store, StoreError, copy_store};

use crate::lab::Lab;
use crate::suite::common::{at, claimed, facts, file, identity, label, model, prediction, sample, sop, study};

fn fill(store: &Store) {
    store.keep_label_set(&model("w1"), &["A4C", "PLAX"].map(str::to_owned), at(0)).unwrap();
    label(store, &facts("1.2", "1.2.1"), "c1", &prediction("w1", Some("PLAX"), 0.6), 0);
    label(store, &facts("1.2", "1.2.1"), "c1", &prediction("w2", None, 0.1), 1);
    label(store, &facts("9", "9.1"), "c2", &prediction("w1", Some("A4C"), 0.7), 2);
    store.add_review(&Review::new(sop("1.2.1"), Some("A4C".to_owned()), "kim", at(3))).unwrap();
    store.enqueue(&file("waits", 4), sample(), Some(&identity("9", "9.2")), at(4)).unwrap();
    claimed(store, "held", 5);
}

#[test]
fn every_row_is_in_the_copy_and_the_copy_goes_on() {
    let Some(lab) = Lab::new() else { return };
    let path = lab.folder().join("lab.sqlite");
    let file_store = Store::open(&path).unwrap();
    fill(&file_store);
    let server = lab.open();
    let there = copy_store(&file_store, &server).unwrap();
    let rows: Vec<_> = there.iter().map(|table| (table.table, table.rows)).filter(|(_, rows)| *rows > 0).collect();
    assert_eq!(rows, [("study", 2), ("loop", 2), ("job", 5), ("prediction", 3), ("review", 1), ("pipeline", 1)]);
    for uid in ["1.2", "9"] {
        assert_eq!(server.inventory(&study(uid)).unwrap(), file_store.inventory(&study(uid)).unwrap());
    }
    let back = Store::open(&lab.folder().join("back.sqlite")).unwrap();
    assert_eq!(copy_store(&server, &back).unwrap(), there, "the same rows by the same digests");

    // New rows have new numbers.
    label(&server, &facts("1.3", "1.3.1"), "c9", &prediction("w1", Some("PLAX"), 0.9), 9);
    assert_eq!(server.studies().unwrap().len(), 3);
    assert!(matches!(copy_store(&file_store, &server), Err(StoreError::NotEmpty { .. })));
}
