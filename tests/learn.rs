//! Learning on the page of a running daemon: adapt a model to reviews, use it, go back, label again.

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use browser::Browser;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{LabelStore as _, Review, Store};
use support::start_model::write_start_model;
use support::{echolabel, run, small_studies};

/// Limit of a hang, not of a test's time.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// A daemon with a page.
struct Daemon {
    process: Child,
    address: String,
    token: String,
}

impl Daemon {
    fn start(folder: &Path) -> Self {
        let at = |name: &str| folder.join(name);
        let configuration = format!(
            "database = {:?}\nmodels = {:?}\n[inbox]\nfolders = [{:?}]\nrescan_seconds = 1\nstability_seconds = 0\n\
             [page]\nlisten = \"127.0.0.1:0\"\ntoken_file = {:?}\n",
            at("lab.sqlite"),
            at("models"),
            at("inbox"),
            at("token")
        );
        std::fs::write(at("lab.toml"), configuration).expect("the configuration");
        let mut process = echolabel()
            .args(["watch", "--config", at("lab.toml").to_str().expect("a path")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the daemon");
        let mut lines = BufReader::new(process.stderr.take().expect("stderr")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("the page is at ")?.split(';').next()?.to_owned()))
            .expect("the daemon names its page");
        std::thread::spawn(move || lines.for_each(drop));
        let token = std::fs::read_to_string(at("token")).expect("the token").trim().to_owned();
        Self { process, address, token }
    }

    fn call(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let (url, token) = (format!("{}{path}", self.address), format!("Bearer {}", self.token));
        let answer = match body {
            None => agent.get(url).header("authorization", token).call(),
            Some(body) => agent
                .post(url)
                .header("authorization", token)
                .header("content-type", "application/json")
                .send(body.to_string()),
        };
        let mut answer = answer.expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn act(&self, action: Value) -> Value {
        let (status, state) = self.call("/api/learning", Some(action));
        assert_eq!(status, 200, "{state}");
        state
    }

    /// Returns the end of the work in the background.
    fn wait_for_end(&self) -> Value {
        let start = Instant::now();
        loop {
            let (_, state) = self.call("/api/learning", None);
            if !state["task"]["end"].is_null() {
                return state["task"]["end"].clone();
            }
            assert!(start.elapsed() < MAX_WAIT, "{state}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Keeps the true view of each loop as a review.
fn review(database: &Path, studies: &[(PathBuf, Value)]) {
    let store = Store::open(database).expect("the database");
    for one in studies.iter().flat_map(|(_, truth)| truth["loops"].as_array().expect("loops")) {
        if let (Some(view), "2d") = (one["view"].as_str(), one["mode"].as_str().unwrap_or_default()) {
            let sop = one["sop_instance_uid"].as_str().expect("a UID").parse().expect("a UID");
            store.add_review(&Review::new(sop, Some(view.to_owned()), "kim", Timestamp::now())).expect("kept");
        }
    }
}

/// Returns the number of predictions by pipeline.
fn predictions(database: &Path, pipeline: &str) -> u64 {
    let connection = rusqlite::Connection::open(database).expect("the database");
    let sql = "SELECT count(*) FROM prediction WHERE pipeline = ?1";
    connection.query_row(sql, [pipeline], |row| row.get::<_, i64>(0)).expect("a number").unsigned_abs()
}

fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < MAX_WAIT, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_daemon_learns_from_reviews_and_goes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    write_start_model(&at("models"));
    let studies = small_studies(&at("inbox"), 6, 11);
    let (database, models) = (at("lab.sqlite"), at("models").display().to_string());
    assert_eq!(run(&["models", "use", "start", "--models", &models]).0, 0);
    let (inbox, db) = (at("inbox").display().to_string(), database.display().to_string());
    let (code, _, stderr) = run(&["watch", &inbox, "--once", "--db", &db, "--models", &models]);
    assert_eq!(code, 0, "{stderr}");

    let daemon = Daemon::start(folder.path());
    review(&database, &studies[..3]);
    let (_, state) = daemon.call("/api/learning", None);
    assert_eq!((state["in_use"].as_str(), state["min_loops"].as_u64()), (Some("start"), Some(5)));
    let plax = state["reviewed"].as_array().expect("views").iter().find(|row| row["view"] == "PLAX").expect("PLAX");
    assert_eq!((plax["loops"].as_u64(), plax["studies"].as_u64()), (Some(3), Some(3)));

    // Too few, and a name that no model can have, are refused by name.
    daemon.act(json!({ "action": "adapt", "name": "ours" }));
    let end = daemon.wait_for_end();
    assert!(end["words"].as_str().expect("words").contains("PLAX has 3 of 3 patients"), "{end}");
    daemon.act(json!({ "action": "adapt", "name": "../ours" }));
    assert!(daemon.wait_for_end()["words"].as_str().expect("words").contains("letters, digits"));
    let (status, refusal) = daemon.call("/api/learning", Some(json!({ "action": "use", "name": "nothing" })));
    assert_eq!(status, 422, "{refusal}");

    review(&database, &studies[3..]);
    daemon.act(json!({ "action": "adapt", "name": "ours" }));
    let end = daemon.wait_for_end();
    assert_eq!(end["succeeded"], true, "{end}");
    let share = |side: &str| end["report"][side]["accuracy"]["value"].as_f64().expect("a share");
    assert!(share("after") > share("before") + 0.3, "{end}");

    // The running daemon takes the new model up for what comes now.
    let state = daemon.act(json!({ "action": "use", "name": "ours" }));
    assert_eq!((state["in_use"].as_str(), state["used_before"].as_str()), (Some("ours"), Some("start")));
    assert_eq!(predictions(&database, "ours"), 0);
    // One loop after the other, since the model changes some seconds after the switch.
    let (late, _) = small_studies(&at("late"), 1, 77).remove(0);
    let files = support::dicom_files(&late);
    let mut files = files.iter();
    wait_until("the daemon labels with the new model", || {
        if let Some(file) = files.next() {
            std::fs::copy(file, at("inbox").join(file.file_name().expect("a name"))).expect("a copy");
            std::thread::sleep(Duration::from_secs(1));
        }
        predictions(&database, "ours") > 0
    });
    daemon.act(json!({ "action": "relabel" }));
    let end = daemon.wait_for_end();
    assert!(end["words"].as_str().expect("words").starts_with("ours: "), "{end}");
    assert!(predictions(&database, "ours") >= 66);
    // The models whose predictions count in a study that both have labelled.
    let models_shown = || {
        let uid = studies[0].1["study_instance_uid"].as_str().expect("a UID");
        let (_, inventory) = daemon.call(&format!("/api/studies/{uid}"), None);
        inventory["models"].to_string()
    };
    assert!(models_shown().contains("\"ours\"") && !models_shown().contains("\"start\""), "{}", models_shown());
    // Learning again starts from the model that knows none of these patients.
    daemon.act(json!({ "action": "adapt", "name": "ours2" }));
    let end = daemon.wait_for_end();
    assert!(end["notes"].to_string().contains("learning starts from start"), "{end}");

    if let Some(driver) = test_support::program("chromedriver") {
        let browser = Browser::start(&driver);
        browser.open(&format!("{}/login", daemon.address));
        browser.type_into("#token", &daemon.token);
        browser.type_into("#name", "kim");
        browser.click("form.login button");
        browser.wait_for("return document.querySelector('h1')?.innerText === 'Studies'");
        browser.open(&format!("{}/learn", daemon.address));
        assert!(browser.text().contains("ours labels the studies to come"), "{}", browser.text());
        if let Some(folder) = std::env::var_os("ECHOLABEL_SCREENSHOTS") {
            browser.screenshot(&Path::new(&folder).join("page-learn.png"));
        }
        browser.click("form button.back");
        browser.wait_for("return document.body.innerText.includes('start labels the studies to come')");
        browser.assert_no_error();
    } else {
        daemon.act(json!({ "action": "back" }));
    }
    let (_, state) = daemon.call("/api/learning", None);
    assert_eq!(state["in_use"], "start");
    assert!(models_shown().contains("\"start\""), "going back undoes what was labelled again: {}", models_shown());
    assert!(predictions(&database, "ours") >= 66, "and removes nothing");
}
