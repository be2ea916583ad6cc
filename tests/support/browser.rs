//! A browser that tests drive: Debian's Chromium by WebDriver, which is JSON over HTTP (W3C WebDriver).
#![allow(dead_code, reason = "every test file uses another part of it")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Limit of a hang, not of a test's time.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A browser with one window; it ends when it is dropped.
pub struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
}

impl Browser {
    /// Starts the driver on a free port, and a window of 1280 x 800.
    pub fn start(driver: &Path) -> Self {
        let mut process =
            Command::new(driver).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let started = lines
            .by_ref()
            .find_map(|line| line.unwrap().split_once("successfully on port ").map(|(_, port)| port.to_owned()));
        // A pipe that nobody reads would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let port: String =
            started.expect("the driver names its port").chars().take_while(char::is_ascii_digit).collect();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let options = json!({
            "capabilities": { "alwaysMatch": {
                "browserName": "chrome",
                "goog:loggingPrefs": { "browser": "ALL" },
                "goog:chromeOptions": { "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,800"
                ] }
            } }
        });
        let mut browser = Self { driver: process, session: format!("http://127.0.0.1:{port}"), agent };
        let answer = browser.call("/session", &options);
        let id = answer["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{}/session/{id}", browser.session);
        browser
    }

    fn call(&self, path: &str, body: &Value) -> Value {
        let mut response = self
            .agent
            .post(format!("{}{path}", self.session))
            .header("content-type", "application/json")
            .send(body.to_string())
            .unwrap();
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(response.status().is_success(), "{path}: {answer}");
        answer["value"].clone()
    }

    fn get(&self, path: &str) -> Value {
        let mut response = self.agent.get(format!("{}{path}", self.session)).call().unwrap();
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["value"].clone()
    }

    /// Opens an address.
    pub fn open(&self, address: &str) {
        self.call("/url", &json!({ "url": address }));
    }

    /// Returns the address that is shown.
    pub fn address(&self) -> String {
        self.get("/url").as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page and returns what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.call("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Returns the text of the page.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Types text into the element that a selector finds.
    pub fn type_into(&self, selector: &str, text: &str) {
        let id = self.element(selector);
        self.call(&format!("/element/{id}/value"), &json!({ "text": text }));
    }

    /// Clicks the element that a selector finds.
    pub fn click(&self, selector: &str) {
        let id = self.element(selector);
        self.call(&format!("/element/{id}/click"), &json!({}));
    }

    fn element(&self, selector: &str) -> String {
        let found = self.call("/element", &json!({ "using": "css selector", "value": selector }));
        found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str).unwrap().to_owned()
    }

    /// Presses a key and lets it go.
    pub fn press(&self, key: &str) {
        self.call(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": [
                { "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }
            ] }] }),
        );
    }

    /// Waits until a script returns true.
    pub fn wait_for(&self, script: &str) {
        let start = Instant::now();
        while self.run(script) != Value::Bool(true) {
            assert!(start.elapsed() < MAX_WAIT, "waited in vain for {script}; at {}:\n{}", self.address(), self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Writes what the window shows as a PNG file.
    pub fn screenshot(&self, path: &Path) {
        let encoded = self.get("/screenshot");
        std::fs::write(path, base64(encoded.as_str().unwrap())).unwrap();
    }

    /// Fails on any error that the page has written to the console.
    pub fn assert_no_error(&self) {
        let entries = self.call("/se/log", &json!({ "type": "browser" }));
        let errors: Vec<&Value> =
            entries.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE").collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Decodes base64 (RFC 4648).
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values: Vec<u32> = text
        .bytes()
        .filter_map(|byte| ALPHABET.iter().position(|letter| *letter == byte).map(|value| value as u32))
        .collect();
    let mut bytes = Vec::new();
    for group in values.chunks(4) {
        let bits = group.iter().fold(0, |bits, value| bits << 6 | value) << (6 * (4 - group.len()));
        bytes.extend(bits.to_be_bytes()[1..group.len()].iter());
    }
    bytes
}
