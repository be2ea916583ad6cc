use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;
use ureq::Agent;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};

/// Attempts in a row that may fail without having brought a byte.
const MAX_FRUITLESS_ATTEMPTS: u32 = 4;

/// Time without a byte after which the connection counts as lost.
const STALL: Duration = Duration::from_secs(60);

/// One file to be fetched over HTTP.
///
/// The bytes gather in `target` + `.part`, so that a download goes on where it was cut off, even by a restart of the
/// machine; `target` appears only when every byte is there and the digest is right.
#[derive(Debug)]
pub struct Download<'a> {
    /// Address of the file.
    pub address: &'a str,
    /// Destination.
    pub target: &'a Path,
    /// The hexadecimal sha256 that it must have; without it, the hub's own is used where it tells one.
    pub sha256: Option<&'a str>,
    /// A token for repositories that ask for one; sent to the address itself, not to where it redirects.
    pub token: Option<&'a str>,
    /// Bounds of size and time.
    pub limits: Limits,
}

/// Bounds of a download, so that no server can fill the disk or keep the program for ever.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the file.
    pub max_bytes: u64,
    /// Time in all.
    pub max_time: Duration,
    /// Bytes that must come within each [`Self::rate_window`].
    pub min_bytes_per_window: u64,
    /// Time over which the rate is judged.
    pub rate_window: Duration,
}

impl Default for Limits {
    /// The largest weights of the registry have 1.2 GB.
    fn default() -> Self {
        Self {
            max_bytes: 16 << 30,
            max_time: Duration::from_secs(6 * 3600),
            min_bytes_per_window: 256 << 10,
            rate_window: Duration::from_secs(60),
        }
    }
}

/// Told how far a download is.
pub trait Progress {
    /// `done` of `total` bytes are here.
    fn bytes(&self, done: u64, total: Option<u64>);

    /// The connection broke for this reason and is tried again.
    fn again(&self, reason: &str);
}

/// An error of a download.
#[derive(Debug, Error)]
pub enum DownloadError {
    /// The server refused.
    #[error("{address} answers {status}: {advice}")]
    Refused {
        /// The address.
        address: String,
        /// The status line.
        status: StatusCode,
        /// A way to mend it.
        advice: &'static str,
    },
    /// The server could not be reached, or the connection broke again and again.
    #[error(
        "cannot fetch {address}. What came so far is kept and the next try goes on from there; on a machine without a \
         network, fetch the file elsewhere and name it with --from FILE"
    )]
    Connection {
        /// The address.
        address: String,
        /// The last failure.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The file on disk could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The server gives more bytes than any weights have, or never ends.
    #[error("{address} gives more than {max_megabytes} MB, which no weights have; it was thrown away")]
    TooLarge {
        /// The address.
        address: String,
        /// The bound.
        max_megabytes: u64,
    },
    /// Bytes come too slowly to ever be done.
    #[error("{address} is too slow: {done} bytes so far, which are kept; the next try goes on from there")]
    TooSlow {
        /// The address.
        address: String,
        /// The bytes that are here.
        done: u64,
    },
    /// The bytes are not those that were promised; they were discarded.
    #[error("{address} gave a file with sha256 {found}, expected {expected}; it was thrown away")]
    Digest {
        /// The address.
        address: String,
        /// The digest of what came.
        found: String,
        /// The digest promised.
        expected: String,
    },
}

/// The outcome of one attempt.
enum Attempt {
    Complete,
    Broken(Box<ureq::Error>),
}

impl Download<'_> {
    /// Fetches the file; gives its hexadecimal sha256 and whether somebody vouched for it.
    pub fn run(&self, progress: &dyn Progress) -> Result<(String, bool), DownloadError> {
        let agent = agent();
        let expected = self.sha256.map(str::to_lowercase).or_else(|| self.digest_told_by_hub(&agent));
        let start = Instant::now();
        let mut fruitless = 0;
        loop {
            let before = self.length_here();
            match self.attempt(&agent, start, progress)? {
                Attempt::Complete => break,
                Attempt::Broken(source) => {
                    fruitless = if self.length_here() > before { 0 } else { fruitless + 1 };
                    if fruitless == MAX_FRUITLESS_ATTEMPTS {
                        return Err(DownloadError::Connection { address: self.address.to_owned(), source });
                    }
                    progress.again(&source.to_string());
                    std::thread::sleep(Duration::from_millis(250 << fruitless));
                }
            }
        }
        self.accept(expected)
    }

    /// One request for what is still missing.
    fn attempt(&self, agent: &Agent, start: Instant, progress: &dyn Progress) -> Result<Attempt, DownloadError> {
        let here = self.length_here();
        let mut request = agent.get(self.address);
        if let Some(token) = self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        // Without a validator the rest could be that of another version of the file.
        let validator = std::fs::read_to_string(self.validator_path()).ok().filter(|_| here > 0);
        if let Some(validator) = &validator {
            request = request.header(header::RANGE, format!("bytes={here}-")).header(header::IF_RANGE, validator);
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(error) => return Ok(Attempt::Broken(Box::new(error))),
        };
        match response.status() {
            StatusCode::OK => self.receive(response, 0, start, progress),
            StatusCode::PARTIAL_CONTENT if range_start(response.headers()) == Some(here) => {
                self.receive(response, here, start, progress)
            }
            // The part here is no part of what is there: begin anew, without a range.
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT if validator.is_some() => {
                self.forget()?;
                self.attempt(agent, start, progress)
            }
            status => self.refused(status),
        }
    }

    /// Writes the body behind the first `from` bytes of the part.
    fn receive(
        &self,
        response: Response<ureq::Body>,
        from: u64,
        start: Instant,
        progress: &dyn Progress,
    ) -> Result<Attempt, DownloadError> {
        let part = self.part_path();
        let error = |source| DownloadError::Write { path: part.clone(), source };
        if let Some(folder) = part.parent() {
            std::fs::create_dir_all(folder).map_err(error)?;
        }
        if from == 0 {
            match validator(response.headers()) {
                Some(validator) => {
                    files::write(&self.validator_path(), validator.as_bytes(), files::Access::Umask).map_err(error)?;
                }
                None => remove(&self.validator_path()).map_err(error)?,
            }
        }
        let mut file: File = OpenOptions::new()
            .create(true)
            .append(from > 0)
            .write(true)
            .truncate(from == 0)
            .open(&part)
            .map_err(error)?;
        let total = length(response.headers()).map(|length| length + from);
        if total.is_some_and(|total| total > self.limits.max_bytes) {
            return Err(self.too_large());
        }
        let (mut window_start, mut window_done) = (Instant::now(), from);
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        let mut done = from;
        progress.bytes(done, total);
        loop {
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    file.write_all(&buffer[..count]).map_err(error)?;
                    done += count as u64;
                    progress.bytes(done, total);
                    if done > self.limits.max_bytes {
                        self.forget()?;
                        return Err(self.too_large());
                    }
                    let is_judged = window_start.elapsed() >= self.limits.rate_window;
                    let is_slow = is_judged && done - window_done < self.limits.min_bytes_per_window;
                    if is_slow || start.elapsed() > self.limits.max_time {
                        return Err(DownloadError::TooSlow { address: self.address.to_owned(), done });
                    }
                    if is_judged {
                        (window_start, window_done) = (Instant::now(), done);
                    }
                }
                Err(broken) => return Ok(Attempt::Broken(Box::new(ureq::Error::from(broken)))),
            }
        }
        file.sync_all().map_err(error)?;
        match total {
            Some(total) if done < total => {
                let short = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the connection ended early");
                Ok(Attempt::Broken(Box::new(ureq::Error::Io(short))))
            }
            _ => Ok(Attempt::Complete),
        }
    }

    /// Checks the digest of the part and gives it its name.
    fn accept(&self, expected: Option<String>) -> Result<(String, bool), DownloadError> {
        let part = self.part_path();
        let error = |source| DownloadError::Write { path: part.clone(), source };
        let found = files::sha256(&part).map_err(error)?.to_string();
        if let Some(expected) = expected.as_ref().filter(|expected| **expected != found) {
            self.forget()?;
            return Err(DownloadError::Digest { address: self.address.to_owned(), found, expected: expected.clone() });
        }
        files::publish(&part, self.target).map_err(error)?;
        remove(&self.validator_path()).map_err(error)?;
        Ok((found, expected.is_some()))
    }

    /// The digest that a hub gives for large files in its first answer, before it redirects to where the bytes are.
    fn digest_told_by_hub(&self, agent: &Agent) -> Option<String> {
        let mut request = agent.head(self.address).config().max_redirects(0).build();
        if let Some(token) = self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = request.call().ok()?;
        let told = response.headers().get("x-linked-etag").or_else(|| response.headers().get(header::ETAG))?;
        let digest = told.to_str().ok()?.trim_matches('"').to_lowercase();
        (digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digest)
    }

    fn too_large(&self) -> DownloadError {
        DownloadError::TooLarge { address: self.address.to_owned(), max_megabytes: self.limits.max_bytes >> 20 }
    }

    fn refused(&self, status: StatusCode) -> Result<Attempt, DownloadError> {
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Ok(Attempt::Broken(Box::new(ureq::Error::StatusCode(status.as_u16()))));
        }
        let advice = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                "the repository asks for a login; set HF_TOKEN to a token that may read it"
            }
            StatusCode::NOT_FOUND => "there is no such file; name the right one with --from URL",
            _ => "try another source with --from FILE|DIR|URL",
        };
        Err(DownloadError::Refused { address: self.address.to_owned(), status, advice })
    }

    fn forget(&self) -> Result<(), DownloadError> {
        for path in [self.part_path(), self.validator_path()] {
            remove(&path).map_err(|source| DownloadError::Write { path, source })?;
        }
        Ok(())
    }

    fn length_here(&self) -> u64 {
        std::fs::metadata(self.part_path()).map_or(0, |metadata| metadata.len())
    }

    fn part_path(&self) -> PathBuf {
        with_suffix(self.target, ".part")
    }

    /// Holds what the server called the version of the file that the part is of.
    fn validator_path(&self) -> PathBuf {
        with_suffix(self.target, ".part.etag")
    }
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(STALL))
        .timeout_per_read(Some(STALL))
        // A hospital's own certificates are in the machine's store, not in a list of ours.
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .max_redirects_will_error(false)
        .build();
    Agent::new_with_config(config)
}

/// A strong name of the file's version; weak ones do not promise equal bytes.
fn validator(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ETAG)?.to_str().ok().filter(|etag| etag.starts_with('"'))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The first byte of a partial answer, from `Content-Range: bytes 100-199/200`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;
