//! Archives beside the program, for the demo and for measurements: Orthanc, dcmtk, or a receiver of this program.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use daemon::{Overrides, ReceivedFiles, Settings, Shutdown};
use serde_json::json;

use crate::database::Database;
use crate::receive;

/// Time that Orthanc has to answer after its start.
const MAX_START: Duration = Duration::from_secs(30);
/// The folder where Debian keeps servers, which only root's `PATH` names.
const SERVERS: &str = "/usr/sbin";

/// Archives that can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// A receiver of this program.
    Own,
    /// `storescp` of dcmtk, which does not sync.
    Storescp,
    /// Orthanc.
    Orthanc,
}

impl ArchiveKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Own, Self::Storescp, Self::Orthanc];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "echolabel",
            Self::Storescp => "storescp",
            Self::Orthanc => "Orthanc",
        }
    }

    /// Returns true where it can be started on this computer.
    pub fn is_installed(self) -> bool {
        self == Self::Own || self.program().is_some()
    }

    fn program(self) -> Option<PathBuf> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let named = |folder: PathBuf| folder.join(self.name());
        std::env::split_paths(&folders).chain([SERVERS.into()]).map(named).find(|program| program.is_file())
    }
}

/// An archive that runs until it is dropped.
pub enum Archive {
    /// Orthanc.
    Orthanc {
        /// Its configuration.
        configuration: PathBuf,
        /// It.
        process: Child,
    },
    /// `storescp`.
    Storescp {
        /// It.
        process: Child,
    },
    /// A receiver of this program.
    Own {
        /// Ends it.
        shutdown: Shutdown,
        /// Its thread.
        receiving: Option<JoinHandle<()>>,
    },
}

impl Archive {
    /// Starts an archive that listens on `port` of this computer, called `ARCHIVE`, and keeps its objects in `folder`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(kind: ArchiveKind, folder: &Path, port: u16) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let program = || kind.program().with_context(|| format!("{} is not installed", kind.name()));
        let archive = match kind {
            ArchiveKind::Own => return Self::start_own(folder, port),
            ArchiveKind::Orthanc => Self::start_orthanc(&program()?, folder, port)?,
            ArchiveKind::Storescp => Self::start_storescp(&program()?, folder, port)?,
        };
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            anyhow::ensure!(start.elapsed() < MAX_START, "{} does not answer", kind.name());
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(archive)
    }

    fn start_orthanc(program: &Path, folder: &Path, port: u16) -> anyhow::Result<Self> {
        let folder = std::path::absolute(folder)?;
        let configuration = folder.join("orthanc.json");
        let settings = json!({
            "Name": "echolabel archive", "StorageDirectory": folder, "IndexDirectory": folder,
            "DicomAet": "ARCHIVE", "DicomPort": port, "DicomAlwaysAllowStore": true, "DicomCheckCalledAet": false,
            "HttpPort": free_port()?, "RemoteAccessAllowed": false, "AuthenticationEnabled": false
        });
        fs::write(&configuration, format!("{settings:#}"))?;
        let process = Command::new(program)
            .arg(&configuration)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self::Orthanc { configuration, process })
    }

    fn start_storescp(program: &Path, folder: &Path, port: u16) -> anyhow::Result<Self> {
        let process = Command::new(program)
            // Without it every answer waits for the peer's delayed acknowledgment.
            .env("TCP_NODELAY", "1")
            .args(["--fork", "+B", "+xa", "-aet", "ARCHIVE", "-od"])
            .arg(folder)
            .arg(port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self::Storescp { process })
    }

    fn start_own(folder: &Path, port: u16) -> anyhow::Result<Self> {
        let configuration = folder.with_file_name("archive.toml");
        let text = format!(
            "# An archive of objects, a second receiver of echolabel.\n\
             [inbox]\nfolders = [{:?}]\n\n\
             [receive]\nlisten = \"127.0.0.1:{port}\"\nae_title = \"ARCHIVE\"\n\
             peers = [{{ ae = \"ECHOLABEL\" }}]\nkeep_free = \"100 MiB\"\n",
            folder.file_name().unwrap_or_default()
        );
        fs::write(&configuration, text)?;
        let settings = Settings::load(Some(&configuration), Overrides::default())?;
        let receive = settings.receive.as_ref().context("the archive has no [receive]")?;
        let shutdown = Shutdown::new();
        let receiving = receive::start(receive, Database::new(&settings)?, &ReceivedFiles::default(), &shutdown)?;
        Ok(Self::Own { shutdown, receiving: Some(receiving) })
    }

    /// Returns what to say about it.
    pub fn words(&self) -> String {
        match self {
            Self::Orthanc { configuration, .. } => {
                format!("Orthanc; `Orthanc {}` shows it in a browser", configuration.display())
            }
            Self::Storescp { .. } => "storescp of dcmtk".to_owned(),
            Self::Own { .. } => "a receiver of this program, for Orthanc is not installed".to_owned(),
        }
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        match self {
            Self::Orthanc { process, .. } | Self::Storescp { process } => {
                let ended = process.kill().and_then(|()| process.wait());
                if let Err(error) = ended {
                    tracing::warn!(reason = %error, "the archive does not end");
                }
            }
            Self::Own { shutdown, receiving } => {
                shutdown.request();
                if receiving.take().is_some_and(|receiving| receiving.join().is_err()) {
                    tracing::error!("the archive panicked");
                }
            }
        }
    }
}

/// Returns a port that was free a moment ago.
///
/// # Errors
/// There is none.
pub fn free_port() -> anyhow::Result<u16> {
    let socket = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    Ok(socket.local_addr()?.port())
}
