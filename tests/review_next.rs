//! `echolabel review --next`: the loops that teach most, and how often the model had agreed.

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::{json_lines, run, small_studies};

#[test]
fn unread_loops_of_many_studies_come_and_go_with_reviews() {
    let folder = tempfile::tempdir().expect("a folder");
    let (inbox, db) = (folder.path().join("inbox"), folder.path().join("lab.sqlite").display().to_string());
    small_studies(&inbox, 3, 21);
    let inbox = inbox.display().to_string();
    assert_eq!(run(&["watch", &inbox, "--once", "--pipeline", "tte11-tiny", "--db", &db]).0, 0);
    let next = |limit: &str| -> Value {
        let (code, stdout, stderr) = run(&["review", "--next", limit, "--json", "--db", &db]);
        assert_eq!(code, 0, "{stderr}");
        json_lines(&stdout).remove(0)
    };
    let names = |next: &Value| -> Vec<String> {
        let loops = next["loops"].as_array().expect("loops").iter();
        loops.map(|unread| unread["name"].as_str().expect("a name").to_owned()).collect()
    };
    let first = next("6");
    let asked = names(&first);
    assert_eq!(asked.len(), 6);
    let studies: BTreeSet<&str> = asked[..3].iter().filter_map(|name| name.split('/').next()).collect();
    assert_eq!(studies.len(), 3, "the first three are of three studies: {asked:?}");
    assert!(first["dozens"].as_array().expect("dozens").is_empty());
    assert_eq!(first["loops"][0]["likeliest"].as_array().map(Vec::len), Some(3));

    let (code, _, stderr) = run(&["review", &asked[0], "PLAX", "--reviewer", "kim", "--db", &db]);
    assert_eq!(code, 0, "{stderr}");
    let second = next("100");
    assert!(!names(&second).contains(&asked[0]), "it was read");
    assert_eq!((second["dozens"][0]["first"].as_u64(), second["dozens"][0]["loops"].as_u64()), (Some(1), Some(1)));
    let (code, stdout, _) = run(&["review", "--next", "--db", &db]);
    assert!(code == 0 && stdout.contains("reviews 1 to 1: the model had said so of"), "{stdout}");
    assert_eq!(run(&["review", "--db", &db]).0, 2, "a loop and a view are needed otherwise");
}
