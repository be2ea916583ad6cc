//! The page: guards by hand-made requests, and people in a real browser.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/page.rs"]
mod page;
mod support;

use std::path::{Path, PathBuf};

use browser::Browser;
use page::{Page, keep_picture, log_in};
use serde_json::{Value, json};

#[test]
fn requests_that_no_page_of_the_server_sends_are_refused_and_change_nothing() {
    let page = Page::start();
    let agent = Page::agent();
    let status =
        |request: ureq::RequestBuilder<ureq::typestate::WithoutBody>| request.call().unwrap().status().as_u16();
    let bearer = format!("Bearer {}", page.token);

    assert_eq!(status(agent.get(page.url("/")).header("host", "evil.example")), 421, "DNS rebinding");
    assert_eq!(status(agent.get(page.url("/"))), 303, "to the login");
    assert_eq!(status(agent.get(page.url("/api/studies"))), 401);
    assert_eq!(status(agent.get(page.url(&format!("/api/studies?token={}", page.token)))), 401, "not in the URL");
    assert_eq!(status(agent.get(page.url("/api/studies")).header("authorization", "Bearer guessed")), 401);
    assert_eq!(status(agent.get(page.url("/metrics"))), 401);
    assert_eq!(status(agent.get(page.url("/health/ready"))), 200);
    for path in ["/../../etc/passwd", "/assets/../lab.sqlite", "/loop/1/..%2f..", "/study/..%2F", "/nowhere"] {
        let found = status(agent.get(page.url(path)).header("authorization", &bearer));
        assert!([400, 404].contains(&found), "{path}: {found}");
    }
    for path in ["/api/studies/99", "/api/studies/9.9.9", "/api/loops/1/999", "/api/loops/7/1", "/loop/1/0"] {
        assert_eq!(status(agent.get(page.url(path)).header("authorization", &bearer)), 404, "{path}");
    }

    let cookie = page.cookie("kim");
    let same = ("sec-fetch-site", "same-origin");
    let review = |headers: &[(&str, &str)], path: &str, body: &str| page.post(path, headers, body).status().as_u16();
    let signed_in = ("cookie", cookie.as_str());
    assert_eq!(review(&[signed_in], "/loop/1/1/review", "verdict=none"), 403, "neither origin nor fetch site");
    assert_eq!(review(&[signed_in, ("origin", "http://evil.example")], "/loop/1/1/review", "verdict=none"), 403);
    assert_eq!(review(&[signed_in, ("sec-fetch-site", "cross-site")], "/loop/1/1/review", "verdict=none"), 403);
    assert_eq!(review(&[same], "/loop/1/1/review", "verdict=none"), 401, "without a session");
    assert_eq!(review(&[signed_in, same], "/loop/1/999/review", "verdict=none"), 404);
    assert_eq!(review(&[signed_in, same], "/loop/1/1/review", "verdict=view:NoSuchView"), 422);
    assert_eq!(review(&[signed_in, same], "/loop/1/1/review", "verdict=perhaps"), 422);
    let long = format!("verdict=none&comment={}", "x".repeat(2000));
    assert_eq!(review(&[signed_in, same], "/loop/1/1/review", &long), 422);
    let huge = format!("verdict=none&comment={}", "x".repeat(10 << 20));
    let refused = Page::agent()
        .post(page.url("/loop/1/1/review"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", &cookie)
        .header("sec-fetch-site", "same-origin")
        .send(huge);
    // The server may close before all is sent.
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status() == 413));
    assert_eq!(page.reviews(), [], "nothing was changed");

    assert_eq!(review(&[signed_in, same], "/loop/1/1/review", "verdict=none&comment=%3Cscript%3E"), 303);
    let mut answer = agent.get(page.url("/loop/1/1")).header("cookie", &cookie).call().unwrap();
    let html = answer.body_mut().read_to_string().unwrap();
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "comments are escaped");
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(review(&[signed_in, same], "/logout", ""), 303);
    assert_eq!(status(agent.get(page.url("/")).header("cookie", &cookie)), 303, "the session has ended");
}

#[test]
fn programs_read_and_review_by_json() {
    let page = Page::start();
    let studies = page.api("/api/studies");
    let uid = studies[0]["study_instance_uid"].as_str().unwrap();
    let inventory = page.api(&format!("/api/studies/{uid}"));
    assert_eq!(inventory["files"].as_u64(), Some(page.loops.len() as u64));
    let views = page.api("/api/loops/1/1")["label_set"].clone();
    let review = json!({ "view": views[0], "reviewer": "kim", "comment": "clear" }).to_string();
    let mut answer = Page::agent()
        .post(page.url("/api/loops/1/1/reviews"))
        .header("authorization", format!("Bearer {}", page.token))
        .header("content-type", "application/json")
        .send(review)
        .unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.body_mut().read_to_string().unwrap());
    assert_eq!(page.api("/api/loops/1/1")["reviews"][0]["view"], views[0]);
    assert_eq!(page.reviews(), [("kim".to_owned(), "reader".to_owned(), true)]);
    let facts = page.api("/api/loops/1/1/facts");
    assert_eq!(facts["frames"], page.api("/api/loops/1/1/header")["frames"]);
    // No name of a patient and no path of a file.
    let everything = format!("{inventory}{facts}{}{}", page.api("/api/jobs"), page.api("/api/loops/1/1"));
    assert!(!everything.contains("PHANTOM") && !everything.contains("inbox"), "{everything}");
}

/// Mean level of each channel of the picture that the browser shows, in the middle of the sector.
fn shown_levels(browser: &Browser, parts: &Value) -> Vec<f64> {
    let script = format!(
        "const p = {parts}[0]; const c = document.querySelector('.image').getContext('2d');
         const x = (p.x0 + p.x1) >> 1, y = (p.y0 + p.y1) >> 1; const d = c.getImageData(x - 10, y - 10, 20, 20).data;
         const s = [0, 0, 0]; for (let i = 0; i < d.length; i += 4) for (let k = 0; k < 3; k++) s[k] += d[i + k];
         return s.map((v) => v * 4 / d.length);"
    );
    browser.run(&script).as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

fn decoded_levels(path: &Path, frame: u32, parts: &Value) -> Vec<f64> {
    let frame = cine::Loop::open(path).unwrap().frame(frame).unwrap();
    let middle = |a: &str, b: &str| (parts[0][a].as_u64().unwrap() + parts[0][b].as_u64().unwrap()) as usize / 2;
    let (x, y) = (middle("x0", "x1"), middle("y0", "y1"));
    (0..3)
        .map(|channel| {
            let at = |x: usize, y: usize| f64::from(frame.pixels()[(y * frame.width() as usize + x) * 3 + channel]);
            (y - 10..y + 10).flat_map(|y| (x - 10..x + 10).map(move |x| (x, y))).map(|(x, y)| at(x, y)).sum::<f64>()
                / 400.0
        })
        .collect()
}

#[test]
fn a_person_plays_a_loop_and_reviews_ten_by_keys() {
    let Some(driver) = test_support::program("chromedriver") else { return };
    let page = Page::start();
    let browser = Browser::start(&driver);
    log_in(&browser, &page, "kim");
    keep_picture(&browser, "page-studies.png");
    browser.click("tbody a");
    browser.wait_for("return document.querySelector('h1')?.innerText.startsWith('Study 1')");
    assert!(browser.text().contains("UNTRAINED WEIGHTS"), "it says what the weights are");

    browser.open(&page.url("/loop/1/1"));
    browser.wait_for("return document.querySelector('.player')?.dataset.ready === 'true'");
    browser.press(" ");
    let before: u64 = browser.run("return Number(document.querySelector('.player').dataset.frame)").as_u64().unwrap();
    browser.press("\u{E014}");
    let after = browser.run("return Number(document.querySelector('.player').dataset.frame)").as_u64().unwrap();
    let frames = page.api("/api/loops/1/1/header")["frames"].as_u64().unwrap();
    assert_eq!(after, (before + 1) % frames, "an arrow steps by one frame");
    let parts = page.api("/api/loops/1/1/facts")["shown"].clone();
    let file = loop_file(&page, "1/1");
    for (shown, decoded) in shown_levels(&browser, &parts).iter().zip(decoded_levels(&file, after as u32, &parts)) {
        assert!((shown - decoded).abs() < 3.0, "frame {after}: {shown} is shown, {decoded} is decoded");
    }
    keep_picture(&browser, "page-loop.png");

    browser.press("]");
    browser.wait_for("return location.pathname === '/loop/1/2' && document.readyState === 'complete'");
    browser.type_into("#comment", "off axis\u{E007}");
    assert_eq!(browser.run("return document.activeElement.id"), "", "Enter leads back to the keys");
    assert!(page.reviews().is_empty(), "Enter in the comment is no verdict");

    browser.open(&page.url("/review?queue=first"));
    for number in 0..10 {
        browser.wait_for("return document.querySelector('form.review') !== null && document.readyState === 'complete'");
        let address = browser.address();
        browser.press("1");
        browser.wait_for(&format!("return location.href !== '{address}'"));
        if number == 4 {
            browser.wait_for(
                "return document.querySelector('form.review') !== null && document.readyState === 'complete'",
            );
            browser.press("u");
            browser.wait_for(&format!("return location.href === '{address}' && document.readyState === 'complete'"));
            browser.press("n");
            browser.wait_for(&format!("return location.href !== '{address}'"));
        }
    }
    browser.wait_for("return document.readyState === 'complete'");
    assert!(browser.text().contains("10 in the last 12 hours"), "{}", browser.text());
    let reviews = page.reviews();
    assert_eq!(reviews.iter().filter(|(_, _, counts)| *counts).count(), 10);
    assert_eq!(reviews.len(), 11, "the one that was taken back stays");
    browser.assert_no_error();
}

/// Returns the levels of the first frame as the page sends it, outside of the parts that may be shown.
fn levels_outside(page: &Page, name: &str) -> Vec<u8> {
    let shown: Vec<domain::PixelRect> =
        serde_json::from_value(page.api(&format!("/api/loops/{name}/header"))["shown"].clone()).unwrap();
    let request = Page::agent().get(page.url(&format!("/api/loops/{name}/frames?to=0")));
    let mut answer = request.header("authorization", format!("Bearer {}", page.token)).call().unwrap();
    let stream = answer.body_mut().read_to_vec().unwrap();
    let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(&stream[4..]));
    let pixels = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let samples = pixels.len() / (width * height);
    let outside = |(number, pixel): (usize, &[u8])| {
        let (x, y) = ((number % width) as u32, (number / width) as u32);
        // Blocks of JPEG smear an edge over eight pixels.
        let near = |part: &domain::PixelRect| {
            (x.saturating_sub(16)..x + 16)
                .step_by(4)
                .any(|x| (y.saturating_sub(16)..y + 16).step_by(4).any(|y| part.contains(x, y)))
        };
        (!shown.iter().any(near)).then(|| pixel[0])
    };
    pixels.chunks(samples).enumerate().filter_map(outside).collect()
}

#[test]
fn burned_in_text_of_stored_jpeg_frames_leaves_the_server_only_where_the_lab_lets_it() {
    let (plain, masked) = (Page::start(), Page::configured("mask_on_server = true"));
    let is_jpeg = |name: &String| {
        let file = loop_file(&plain, name);
        cine::Loop::open(&file).is_ok_and(|mut opened| opened.displayable_jpeg(0).is_ok_and(|frame| frame.is_some()))
    };
    let names = (1..=plain.loops.len()).map(|number| format!("1/{number}"));
    let stored: Vec<String> = names.filter(is_jpeg).collect();
    assert!(!stored.is_empty());
    let brightest = |page: &Page| stored.iter().flat_map(|name| levels_outside(page, name)).max().unwrap_or_default();
    assert!(brightest(&plain) > 100, "text of the screen");
    assert!(brightest(&masked) < 20, "{}", brightest(&masked));
}

/// Returns the file of the loop of a short name.
fn loop_file(page: &Page, name: &str) -> PathBuf {
    let uid = page.api(&format!("/api/loops/{name}"))["sop_instance_uid"].as_str().unwrap().to_owned();
    let is_it =
        |path: &&PathBuf| cine::Loop::open(path).is_ok_and(|opened| opened.header().sop_instance_uid.as_str() == uid);
    page.loops.iter().find(is_it).unwrap().clone()
}

#[test]
fn a_second_reader_is_blind_and_a_third_decides() {
    let Some(driver) = test_support::program("chromedriver") else { return };
    let page = Page::start();
    let browser = Browser::start(&driver);
    let read = |name: &str, queue: &str, key: &str| {
        log_in(&browser, &page, name);
        browser.open(&page.url(&format!("/review?queue={queue}")));
        browser.wait_for("return document.querySelector('form.review') !== null && document.readyState === 'complete'");
        let (address, text) = (browser.address(), browser.text());
        browser.press(key);
        browser.wait_for(&format!("return location.href !== '{address}'"));
        browser.open(&page.url("/review"));
        text
    };
    assert!(read("kim", "first", "1").contains("The model:"));
    let blind = read("lee", "second", "2");
    assert!(!blind.contains("The model:") && !blind.contains("kim"), "{blind}");
    assert!(read("ann", "adjudication", "2").contains("by kim"), "who decides sees what both said");
    let roles: Vec<String> = page.reviews().into_iter().map(|(_, role, _)| role).collect();
    assert_eq!(roles, ["reader", "second_reader", "adjudicator"]);
    browser.wait_for(
        "return document.body.innerText.includes('kappa') || document.body.innerText.includes('No two readers')",
    );
    keep_picture(&browser, "page-review.png");
    browser.open(&page.url("/jobs"));
    browser.wait_for("return document.body.innerText.includes('No file has failed')");
    browser.assert_no_error();
}
