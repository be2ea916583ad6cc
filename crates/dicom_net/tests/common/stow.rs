//! A receiver with STOW-RS, and a client that sends any bytes to it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use domain::{SecretSource, StowSender, StowSettings};

use super::Lab;

/// The token of the sender PACS.
pub const TOKEN: &str = "a token of the lab";

/// The boundary of bodies.
pub const BOUNDARY: &str = "edge";

/// Time within which an answer must have come.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer: its status, its headers and its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: serde_json::Value,
}

impl Answer {
    /// Returns the SOP Instance UIDs of a sequence.
    pub fn uids(&self, sequence: &str) -> Vec<&str> {
        let items = self.body[sequence]["Value"].as_array();
        items.into_iter().flatten().map(|item| item["00081155"]["Value"][0].as_str().unwrap()).collect()
    }

    /// Returns the failure reasons of a sequence.
    pub fn reasons(&self, sequence: &str) -> Vec<u64> {
        let items = self.body[sequence]["Value"].as_array();
        items.into_iter().flatten().map(|item| item["00081197"]["Value"][0].as_u64().unwrap()).collect()
    }
}

pub fn settings() -> StowSettings {
    let sender = |name: &str, token: &str| StowSender {
        name: name.parse().unwrap(),
        addresses: vec!["127.0.0.0/8".parse().unwrap()],
        token: Some(SecretSource::Environment(token.to_owned())),
        certificate_sha256: None,
    };
    // The second has no token: nobody may come in for it.
    StowSettings {
        listen: "127.0.0.1:0".parse().unwrap(),
        senders: vec![sender("PACS", TOKEN), sender("EMPTY", "")],
        tls: None,
    }
}

/// Starts a receiver with STOW-RS.
pub fn lab() -> Lab {
    Lab::with(|settings| settings.stow = Some(self::settings()))
}

/// Returns a body of DICOM files.
pub fn body(files: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for file in files {
        body.extend(format!("--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n").bytes());
        body.extend(file);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    body
}

/// Returns the head of a request with a body of `length` bytes, and more headers.
pub fn head(path: &str, length: usize, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: lab\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {length}\r\n\
         Content-Type: multipart/related; type=\"application/dicom\"; boundary={BOUNDARY}\r\n{more}\r\n"
    )
}

/// Sends files to an address.
pub fn store(lab: &Lab, path: &str, files: &[Vec<u8>]) -> Answer {
    let body = body(files);
    exchange(lab, &[head(path, body.len(), "").as_bytes(), &body].concat())
}

pub fn connect(lab: &Lab) -> TcpStream {
    let stream = TcpStream::connect(lab.receiver.stow_address().unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes, says that no more comes, and reads the answer.
pub fn exchange(lab: &Lab, bytes: &[u8]) -> Answer {
    let mut stream = connect(lab);
    // The receiver may answer and close before all is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    read_answer(stream).expect("an answer")
}

/// Reads an answer; `None` where the connection was closed without one.
pub fn read_answer(mut stream: impl Read) -> Option<Answer> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("no answer and no end"),
        _ => {}
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Answer { status, head: head.to_owned(), body: serde_json::from_str(body).unwrap_or_default() })
}
