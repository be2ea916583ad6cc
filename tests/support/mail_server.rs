//! A mail server that keeps what it gets.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use domain::TlsIdentity;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server on a port of its own, until the test ends.
pub struct MailServer {
    /// Its port on this computer.
    pub port: u16,
    mails: Arc<Mutex<Vec<String>>>,
    refused: Arc<Mutex<usize>>,
}

impl MailServer {
    /// Starts a server; with a certificate it speaks only encrypted.
    pub fn start(identity: Option<&TlsIdentity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = identity.map(|identity| Arc::new(server_config(identity)));
        let (mails, refused) = (Arc::default(), Arc::default());
        let server = Self { port, mails: Arc::clone(&mails), refused: Arc::clone(&refused) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let is_over = match &tls {
                    None => converse(stream, &mails),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        converse(StreamOwned::new(connection, stream), &mails)
                    }
                };
                if is_over.is_none() {
                    *refused.lock().unwrap() += 1;
                }
            }
        });
        server
    }

    /// Returns the mails that have come.
    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }

    /// Returns the number of connections that ended before the client said goodbye.
    pub fn refused(&self) -> usize {
        *self.refused.lock().unwrap()
    }
}

/// Takes mails from a client; `None` where the connection breaks before the client has greeted.
fn converse(stream: impl Read + Write, mails: &Mutex<Vec<String>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut has_greeted = false;
    say(&mut stream, "220 lab")?;
    while let Some(line) = read_line(&mut stream) {
        has_greeted = true;
        match line.get(..4).unwrap_or_default() {
            "DATA" => {
                say(&mut stream, "354 go on")?;
                let mut mail = Vec::new();
                while let Some(line) = read_line(&mut stream).filter(|line| line != ".") {
                    mail.push(line);
                }
                mails.lock().unwrap().push(mail.join("\n"));
                say(&mut stream, "250 kept")?;
            }
            "QUIT" => {
                say(&mut stream, "221 bye")?;
                break;
            }
            _ => say(&mut stream, "250 ok")?,
        }
    }
    has_greeted.then_some(())
}

fn read_line(stream: &mut BufReader<impl Read>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

fn say(stream: &mut BufReader<impl Read + Write>, text: &str) -> Option<()> {
    let stream = stream.get_mut();
    stream.write_all(format!("{text}\r\n").as_bytes()).and_then(|()| stream.flush()).ok()
}

fn server_config(identity: &TlsIdentity) -> ServerConfig {
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(&identity.certificate).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap()
}
