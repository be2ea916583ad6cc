//! A receiver on a free port, and objects to send.
#![allow(dead_code, reason = "every test file uses another part of it")]

pub mod peer;
pub mod stow;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dicom_net::{Destination, Host, ObjectIdentity, ReceiveEvent, Receiver, UnusableObject};
use domain::{Peer, ReceiveLimits, ReceiveSettings, SecretSource, SopUid};

pub const MULTI_FRAME_ULTRASOUND: &str = "1.2.840.10008.5.1.4.1.1.3.1";
pub const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// A host that believes what the data set says, and keeps every event.
#[derive(Default)]
pub struct Believing {
    pub events: Mutex<Vec<ReceiveEvent>>,
    /// Objects that are somewhere else than in the folder.
    pub elsewhere: Mutex<Vec<SopUid>>,
}

impl Host for Believing {
    fn check(&self, path: &Path) -> Result<ObjectIdentity, UnusableObject> {
        let bytes = std::fs::read(path).map_err(|error| UnusableObject(error.to_string()))?;
        let [class, sop, study] = uids_of(data_set(&bytes)).ok_or_else(|| UnusableObject("cut short".into()))?;
        let uid = |_| UnusableObject("no UID".into());
        Ok(ObjectIdentity {
            sop_class: Some(class),
            sop: sop.parse().map_err(uid)?,
            study: study.parse().map_err(uid)?,
        })
    }

    fn holds(&self, sop: &SopUid) -> bool {
        self.elsewhere.lock().unwrap().contains(sop)
    }

    fn secret(&self, source: &SecretSource) -> Result<String, String> {
        match source {
            SecretSource::Environment(token) if !token.is_empty() => Ok(token.clone()),
            _ => Err("not there".to_owned()),
        }
    }

    fn notice(&self, event: &ReceiveEvent) {
        self.events.lock().unwrap().push(event.clone());
    }
}

impl Believing {
    pub fn count(&self, is_wanted: impl Fn(&ReceiveEvent) -> bool) -> usize {
        self.events.lock().unwrap().iter().filter(|event| is_wanted(event)).count()
    }
}

/// A receiver with what it stores.
pub struct Lab {
    pub receiver: Receiver,
    pub host: Arc<Believing>,
    pub folder: tempfile::TempDir,
}

impl Lab {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    /// Starts a receiver whose settings `change` has changed.
    pub fn with(change: impl FnOnce(&mut ReceiveSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        change(&mut settings);
        let host = Arc::new(Believing::default());
        let receiver = Receiver::start(settings, Arc::clone(&host) as Arc<dyn Host>).unwrap();
        Self { receiver, host, folder }
    }

    pub fn destination(&self) -> Destination {
        Destination {
            host: "127.0.0.1".into(),
            port: self.receiver.address().port(),
            called_ae_title: "LAB".parse().unwrap(),
            calling_ae_title: "US7".parse().unwrap(),
            timeout: Duration::from_secs(20),
            tls: None,
        }
    }

    /// The files that were stored, sorted.
    pub fn stored(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = files::walk(&[self.folder.path().to_owned()], files::Links::Ignore, |name| {
            !name.as_encoded_bytes().starts_with(b".")
        })
        .map(|file| file.unwrap())
        .collect();
        files.sort();
        files
    }

    /// Checks that nothing is unfinished, and that every stored file lies in the folder under a plain name.
    pub fn check_folder(&self) {
        wait_until(|| self.unfinished() == 0);
        for file in self.stored() {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(file.starts_with(self.folder.path()) && !name.contains(".."), "{name}");
        }
    }

    /// The number of unfinished files.
    pub fn unfinished(&self) -> usize {
        let names = std::fs::read_dir(self.folder.path().join(".incoming")).unwrap();
        names.filter(|name| name.as_ref().unwrap().path().extension().is_some_and(|end| end == "part")).count()
    }
}

pub fn settings(folder: &Path) -> ReceiveSettings {
    ReceiveSettings {
        listen: "127.0.0.1:0".parse().unwrap(),
        ae_title: "LAB".parse().unwrap(),
        peers: ["US7", "US8"]
            .map(|ae_title| Peer {
                ae_title: ae_title.parse().unwrap(),
                addresses: vec!["127.0.0.0/8".parse().unwrap()],
                certificate_sha256: None,
                report_to: None,
            })
            .into(),
        folder: folder.to_owned(),
        private_classes: Vec::new(),
        limits: ReceiveLimits {
            max_pdu: 131_072,
            max_object: 16 << 20,
            max_associations: 16,
            max_associations_per_peer: 8,
            idle: Duration::from_secs(3),
            least_rate: 1024,
            keep_free: 0,
        },
        tls: None,
        stow: None,
    }
}

/// Returns a DICOM file with three UIDs and some bytes of a private element behind them.
pub fn object(class: &str, sop: &str, study: &str, content: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    for (group, number, uid) in [
        (2, 0x02_u16, class),
        (2, 0x03, sop),
        (2, 0x10, EXPLICIT_LITTLE),
        (8, 0x16, class),
        (8, 0x18, sop),
        (0x20, 0x0D, study),
    ] {
        let padding = uid.len() % 2;
        file.extend(u16::to_le_bytes(group));
        file.extend(number.to_le_bytes());
        file.extend(b"UI");
        file.extend(((uid.len() + padding) as u16).to_le_bytes());
        file.extend(uid.as_bytes());
        file.extend(&[0][..padding]);
    }
    file.extend(b"\x29\0\x10\x10OB\0\0");
    file.extend((content.len() as u32).to_le_bytes());
    file.extend(content);
    file
}

/// Returns what follows the meta group.
pub fn data_set(file: &[u8]) -> &[u8] {
    let mut at = 132;
    while file.get(at..at + 2) == Some(&[2, 0]) {
        let short = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
        at += match &file[at + 4..at + 6] {
            b"OB" => 12 + short(at + 8),
            _ => 8 + short(at + 6),
        };
    }
    &file[at..]
}

/// Reads the UIDs of a data set of [`object`], if it is complete.
fn uids_of(mut data: &[u8]) -> Option<[String; 3]> {
    let mut uids = Vec::new();
    for _ in 0..3 {
        let length = usize::from(u16::from_le_bytes([*data.get(6)?, *data.get(7)?]));
        let text = std::str::from_utf8(data.get(8..8 + length)?).ok()?;
        uids.push(text.trim_end_matches('\0').to_owned());
        data = &data[8 + length..];
    }
    let length = u32::from_le_bytes(data.get(8..12)?.try_into().ok()?) as usize;
    (data.len() == 12 + length).then(|| uids.try_into().ok())?
}

pub fn wait_until(is_true: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Memory of this process that is in use.
pub fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// Changes of bytes from a seed (xorshift).
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize
    }

    pub fn changed(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..1 + self.next() % 6 {
            let at = self.next() % bytes.len();
            match self.next() % 4 {
                0 => bytes[at] = self.next() as u8,
                1 => bytes[at] ^= 1 << (self.next() % 8),
                2 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, self.next() as u8),
            }
        }
        bytes
    }
}
