//! Each page of the program in a browser: accessibility by axe-core, explanations, downloads.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/page.rs"]
mod page;
mod support;

use std::path::Path;

use browser::Browser;
use page::{Page, keep_picture, log_in};
use serde_json::Value;

/// Returns axe-core's text, which `make browser` installs.
fn axe() -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/browser/node_modules/axe-core/axe.min.js");
    let text = std::fs::read_to_string(file).ok();
    if text.is_none() {
        test_support::record_skipped("axe-core is not installed: make browser");
    }
    text
}

/// Fails on any serious fault of the page that is shown.
fn assert_accessible(browser: &Browser, axe: &str, name: &str) {
    let load = format!(
        "{axe}; window.axeFaults = null; axe.run(document, {{ resultTypes: ['violations'] }}).then((found) => {{ \
        window.axeFaults = found.violations.filter((fault) => ['serious', 'critical'].includes(fault.impact)) \
          .map((fault) => fault.id + ': ' + fault.nodes.map((node) => node.html).join(' | ')); }});"
    );
    browser.run(&load);
    browser.wait_for("return window.axeFaults !== null");
    let faults = browser.run("return window.axeFaults");
    assert_eq!(faults.as_array().map(Vec::len), Some(0), "{name}: {faults}");
}

#[test]
fn no_page_has_a_serious_accessibility_fault() {
    let (Some(driver), Some(axe)) = (test_support::program("chromedriver"), axe()) else { return };
    let page = Page::start();
    let browser = Browser::start(&driver);
    browser.open(&page.url("/login"));
    assert_accessible(&browser, &axe, "/login");
    log_in(&browser, &page, "kim");
    for path in
        ["/", "/study/1", "/loop/1/1", "/review", "/loop/1/1?queue=second", "/learn", "/drift", "/jobs", "/nowhere"]
    {
        browser.open(&page.url(path));
        browser.wait_for("return document.readyState === 'complete'");
        assert_accessible(&browser, &axe, path);
    }
}

#[test]
fn an_answer_is_explained_over_the_picture() {
    let Some(driver) = test_support::program("chromedriver") else { return };
    let page = Page::start();
    let browser = Browser::start(&driver);
    log_in(&browser, &page, "kim");
    let file = (1..=page.loops.len()).map(|number| format!("1/{number}")).find(|name| {
        page.api(&format!("/api/loops/{name}"))["predictions"].as_array().is_some_and(|said| !said.is_empty())
    });
    let name = file.expect("a loop with an answer");
    browser.open(&page.url(&format!("/loop/{name}")));
    browser.wait_for("return document.querySelector('.player')?.dataset.ready === 'true'");
    browser.press("?");
    browser.wait_for("return document.querySelector('.why-words')?.dataset.ready === 'true'");
    assert!(browser.text().contains("by the first clip"), "{}", browser.text());
    let rows = browser.run("return document.querySelectorAll('.why-frames tbody tr').length");
    assert!(rows.as_u64().is_some_and(|rows| rows > 0), "{rows}");
    let red = "const c = document.querySelector('.marks'); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; \
        for (let i = 0; i < d.length; i += 4) if (d[i] > 200 && d[i + 1] < 80 && d[i + 3] > 0) return true; return false;";
    assert_eq!(browser.run(red), Value::Bool(true), "the parts that matter are tinted");
    keep_picture(&browser, "page-why.png");
    browser.assert_no_error();
}

#[test]
fn a_study_is_downloaded_as_a_table_and_as_a_report() {
    let page = Page::start();
    let get = |path: &str| {
        let authorization = format!("Bearer {}", page.token);
        let mut answer = Page::agent().get(page.url(path)).header("authorization", authorization).call().unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), kind, answer.body_mut().read_to_vec().unwrap())
    };
    let (status, kind, table) = get("/api/studies/1/csv");
    let table = String::from_utf8(table).unwrap();
    assert_eq!((status, kind.as_str()), (200, "text/csv; charset=utf-8"));
    assert!(table.starts_with("study_instance_uid,") && table.lines().count() == page.loops.len() + 1, "{table}");
    assert!(!table.contains("inbox"), "no path");
    let (status, kind, report) = get("/api/studies/1/report");
    assert_eq!((status, kind.as_str(), &report[128..132]), (200, "application/dicom", &b"DICM"[..]));
    assert_eq!(get("/api/studies/77/csv").0, 404);
    for file in &page.loops {
        std::fs::remove_file(file).unwrap();
    }
    let (status, _, words) = get("/api/studies/1/report");
    assert_eq!(status, 422);
    assert!(String::from_utf8(words).unwrap().contains("no file of the study is there any more"));
    let weeks = page.api("/api/drift");
    assert_eq!(weeks[0]["view_stability"], Value::Null, "one week is compared with nothing");
    assert!(weeks[0]["loops"].as_u64().is_some_and(|loops| loops > 0), "{weeks}");
}
