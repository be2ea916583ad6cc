use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::*;

/// A server on this machine that answers each request with the bytes that `answer` gives for its head, then hangs up.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/lab/views/resolve/main/model.h5", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let head = head.join("\n").to_lowercase();
            seen.lock().unwrap().push(head.clone());
            stream.write_all(&answer(&head)).unwrap();
        }
    });
    (address, heads)
}

fn content() -> Vec<u8> {
    (0..300_000u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn sha256(bytes: &[u8]) -> String {
    files::sha256_of(bytes).unwrap().to_string()
}

/// The answer of a server that knows ranges, cut off after `most` bytes of body.
fn ranged(head: &str, most: usize, etag: &str) -> Vec<u8> {
    let content = content();
    if head.starts_with("head") {
        return format!(
            "HTTP/1.1 200 OK\r\nx-linked-etag: \"{}\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            sha256(&content)
        )
        .into();
    }
    let from = head.lines().find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok());
    let same = head.lines().any(|line| line == format!("if-range: \"{etag}\""));
    let (status, from) = match from {
        Some(from) if same => (
            format!("206 Partial Content\r\ncontent-range: bytes {from}-{}/{}", content.len() - 1, content.len()),
            from,
        ),
        _ => ("200 OK".to_owned(), 0),
    };
    let rest = &content[from..];
    let mut answer =
        format!("HTTP/1.1 {status}\r\netag: \"{etag}\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", rest.len())
            .into_bytes();
    answer.extend_from_slice(&rest[..most.min(rest.len())]);
    answer
}

#[derive(Default)]
struct Seen {
    again: Mutex<u32>,
    last: Mutex<(u64, Option<u64>)>,
}

impl Progress for Seen {
    fn bytes(&self, done: u64, total: Option<u64>) {
        *self.last.lock().unwrap() = (done, total);
    }

    fn again(&self, _reason: &str) {
        *self.again.lock().unwrap() += 1;
    }
}

fn run(address: &str, target: &Path, sha256: Option<&str>) -> (Result<(String, bool), DownloadError>, Seen) {
    let seen = Seen::default();
    (Download { address, target, sha256, token: None, limits: Limits::default() }.run(&seen), seen)
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let (address, heads) = serve(|head| ranged(head, 90_000, "v1"));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("model.h5");
    let (result, seen) = run(&address, &target, None);
    let (digest, vouched) = result.unwrap();
    assert_eq!((digest, vouched), (sha256(&content()), true));
    assert_eq!(std::fs::read(&target).unwrap(), content());
    assert_eq!(*seen.again.lock().unwrap(), 3);
    assert_eq!(*seen.last.lock().unwrap(), (300_000, Some(300_000)));
    let heads = heads.lock().unwrap();
    let ranges: Vec<_> = heads.iter().filter_map(|head| head.lines().find(|line| line.starts_with("range"))).collect();
    assert_eq!(ranges, ["range: bytes=90000-", "range: bytes=180000-", "range: bytes=270000-"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the part and its validator are gone");
}

#[test]
fn a_download_goes_on_after_a_restart_unless_the_file_changed() {
    for (etag_before, fetched_again) in [("v1", false), ("v0", true)] {
        let (address, heads) = serve(|head| ranged(head, usize::MAX, "v1"));
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("model.h5");
        let start = if fetched_again { vec![7; 1000] } else { content()[..1000].to_vec() };
        std::fs::write(with_suffix(&target, ".part"), start).unwrap();
        std::fs::write(with_suffix(&target, ".part.etag"), format!("\"{etag_before}\"")).unwrap();
        assert!(run(&address, &target, None).0.is_ok());
        assert_eq!(std::fs::read(&target).unwrap(), content());
        assert!(heads.lock().unwrap()[1].contains("range: bytes=1000-"));
    }
}

#[test]
fn a_wrong_digest_leaves_nothing_behind() {
    let (address, _) = serve(|head| ranged(head, usize::MAX, "v1"));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("model.h5");
    let wrong = "0".repeat(64);
    let (result, _) = run(&address, &target, Some(&wrong));
    assert!(matches!(result, Err(DownloadError::Digest { expected, .. }) if expected == wrong));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn refusals_say_what_to_do() {
    for (status, advice) in [("401 Unauthorized", "HF_TOKEN"), ("404 Not Found", "--from URL")] {
        let (address, _) =
            serve(move |_| format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes());
        let folder = tempfile::tempdir().unwrap();
        let error = run(&address, &folder.path().join("model.h5"), None).0.unwrap_err().to_string();
        assert!(error.contains(status) && error.contains(advice), "{error}");
    }
}

#[test]
fn a_server_that_is_not_there_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/model.h5", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let (result, seen) = run(&address, &folder.path().join("model.h5"), None);
    assert!(matches!(result, Err(DownloadError::Connection { .. })));
    assert_eq!(*seen.again.lock().unwrap(), MAX_FRUITLESS_ATTEMPTS - 1);
}

/// Runs against a server that never ends its answer: `chunk` again and again, with a pause between.
fn endless(chunk: &'static [u8], pause: Duration, limits: Limits) -> (DownloadError, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/model.h5", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let _head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").unwrap();
            while stream.write_all(chunk).is_ok() {
                std::thread::sleep(pause);
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("model.h5");
    let sha256 = "0".repeat(64);
    let download = Download { address: &address, target: &target, sha256: Some(&sha256), token: None, limits };
    let error = download.run(&Seen::default()).unwrap_err();
    (error, std::fs::read_dir(folder.path()).unwrap().count())
}

#[test]
fn a_body_without_an_end_is_cut_off_and_thrown_away() {
    let limits = Limits { max_bytes: 1 << 20, ..Limits::default() };
    let (error, files) = endless(&[7; 65_536], Duration::ZERO, limits);
    assert!(matches!(error, DownloadError::TooLarge { max_megabytes: 1, .. }), "{error}");
    assert_eq!(files, 0);
}

#[test]
fn a_body_that_drips_is_given_up_and_kept() {
    let rate_window = Duration::from_millis(200);
    for limits in [
        Limits { min_bytes_per_window: 1000, rate_window, ..Limits::default() },
        Limits { max_time: Duration::from_millis(300), ..Limits::default() },
    ] {
        let (error, files) = endless(b"x", Duration::from_millis(20), limits);
        assert!(matches!(error, DownloadError::TooSlow { done: 1.., .. }), "{error}");
        assert_eq!(files, 1, "the part");
    }
}

#[test]
fn a_length_that_no_weights_have_is_refused_at_once() {
    let (address, _) =
        serve(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\nconnection: close\r\n\r\n".to_vec());
    let folder = tempfile::tempdir().unwrap();
    let error = run(&address, &folder.path().join("model.h5"), Some("00")).0.unwrap_err();
    assert!(matches!(error, DownloadError::TooLarge { .. }), "{error}");
}
