//! Questions to the views use indexes.

use rusqlite::Connection;

use crate::lab::new_store;

#[test]
fn a_question_about_one_study_reads_no_other() {
    let Some((lab, _store)) = new_store() else { return };
    let sql = Connection::open(lab.path()).unwrap();
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
