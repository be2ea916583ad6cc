//! A page that tests ask, by hand-made requests and in a browser.
#![allow(dead_code, reason = "every test file uses another part of it")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::browser::Browser;
use super::support::{dicom_files, echolabel, run, small_studies};

/// A page over a small simulated study, and its token.
pub struct Page {
    pub process: Child,
    pub address: String,
    pub token: String,
    pub database: PathBuf,
    pub loops: Vec<PathBuf>,
    _folder: tempfile::TempDir,
}

impl Page {
    pub fn start() -> Self {
        Self::configured("")
    }

    /// Starts a page with a table `[page]` of the configuration.
    pub fn configured(table: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("lab.sqlite");
        let studies = small_studies(&folder.path().join("inbox"), 1, 5);
        let inbox = folder.path().join("inbox");
        let db = database.to_str().unwrap();
        let (code, stdout, stderr) =
            run(&["watch", inbox.to_str().unwrap(), "--once", "--pipeline", "tte11-tiny", "--db", db]);
        assert_eq!(code, 0, "{stdout}{stderr}");
        let config = folder.path().join("echolabel.toml");
        std::fs::write(&config, format!("[page]\n{table}\n")).unwrap();
        let mut process = echolabel()
            .args(["page", "--db", db, "--pipeline", "tte11-tiny", "--listen", "127.0.0.1:0", "--config"])
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let token = std::fs::read_to_string(folder.path().join("lab.sqlite.page-token")).unwrap();
        Self {
            process,
            address: address.trim().to_owned(),
            token: token.trim().to_owned(),
            database,
            loops: studies.iter().flat_map(|(study, _)| dicom_files(study)).collect(),
            _folder: folder,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub fn agent() -> Agent {
        Agent::config_builder().http_status_as_error(false).max_redirects(0).build().new_agent()
    }

    /// Asks as a program does.
    pub fn api(&self, path: &str) -> Value {
        let authorization = format!("Bearer {}", self.token);
        let mut response = Self::agent().get(self.url(path)).header("authorization", authorization).call().unwrap();
        assert_eq!(response.status(), 200, "{path}");
        serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// Sends a form with headers; returns the answer.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Body> {
        let mut request =
            Self::agent().post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send(body).unwrap()
    }

    pub fn cookie(&self, name: &str) -> String {
        let form = format!("token={}&name={name}", self.token);
        let answer = self.post("/login", &[("sec-fetch-site", "same-origin")], &form);
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }

    pub fn reviews(&self) -> Vec<(String, String, bool)> {
        let connection = rusqlite::Connection::open(&self.database).unwrap();
        let mut query =
            connection.prepare("SELECT reviewer, role, withdrawn_at IS NULL FROM review ORDER BY review_id").unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Logs in.
pub fn log_in(browser: &Browser, page: &Page, name: &str) {
    browser.open(&page.url("/login"));
    browser.type_into("#token", &page.token);
    browser.type_into("#name", name);
    browser.click("form.login button");
    browser.wait_for("return document.querySelector('h1')?.innerText === 'Studies'");
}

/// Keeps pictures of the pages where `ECHOLABEL_SCREENSHOTS` names a folder.
pub fn keep_picture(browser: &Browser, name: &str) {
    if let Some(folder) = std::env::var_os("ECHOLABEL_SCREENSHOTS") {
        browser.screenshot(&Path::new(&folder).join(name));
    }
}
