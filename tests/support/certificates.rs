//! Certificates made by openssl.

use std::path::{Path, PathBuf};
use std::process::Command;

use domain::TlsIdentity;

/// An authority with the certificates that it signed.
pub struct Authority {
    openssl: PathBuf,
    folder: tempfile::TempDir,
}

impl Authority {
    /// Makes an authority in a folder of its own.
    pub fn new(openssl: &Path) -> Self {
        let authority = Self { openssl: openssl.to_owned(), folder: tempfile::tempdir().unwrap() };
        authority.openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca");
        authority
    }

    fn openssl(&self, arguments: &str) {
        let ran =
            Command::new(&self.openssl).args(arguments.split(' ')).current_dir(self.folder.path()).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    /// Returns the path of one of its files, such as `ca.pem`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a certificate for 127.0.0.1.
    pub fn identity(&self, name: &str) -> TlsIdentity {
        std::fs::write(self.path("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
        self.openssl(&format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out {name}.pem"
        ));
        TlsIdentity { certificate: self.path(&format!("{name}.pem")), key: self.path(&format!("{name}.key")) }
    }

    /// Returns the digest of a certificate.
    pub fn fingerprint(&self, name: &str) -> domain::Sha256 {
        self.openssl(&format!("x509 -in {name}.pem -outform DER -out {name}.der"));
        files::sha256_of(&std::fs::read(self.path(&format!("{name}.der"))).unwrap()[..]).unwrap()
    }
}
