//! The table `[send]`: as it is written, and as settings.

use std::path::{Path, PathBuf};

use domain::{AeTitle, DestinationTls, SecretSource, TlsIdentity};
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use crate::DaemonError;

/// Reports that are sent, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendSettings {
    /// True if reports of models that were not validated on patients are sent.
    pub allow_unvalidated: bool,
    /// A study that was closed longer ago is not reported by itself.
    pub max_age: SignedDuration,
    /// Destinations, each of which gets every report.
    pub destinations: Vec<ReportDestination>,
}

/// A system that gets reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportDestination {
    /// Name in the outbox and the log.
    pub name: String,
    /// Protocol and address.
    pub protocol: SendProtocol,
}

/// Protocol and address of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendProtocol {
    /// C-STORE.
    Dicom {
        /// The title that the destination is called by.
        called_ae: AeTitle,
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// The title that we call ourselves.
        calling_ae: AeTitle,
        /// Encryption; none for plain DICOM.
        tls: Option<DestinationTls>,
    },
    /// STOW-RS.
    Stow {
        /// Address of the studies, such as `https://pacs.example/dicom-web/studies`.
        url: String,
        /// Bearer token, where the server asks for one.
        token: Option<SecretSource>,
        /// Encryption with authorities of the lab's own; none for those that the system knows.
        tls: Option<DestinationTls>,
    },
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Send")]
pub(super) struct RawSend {
    /// Send reports of models that were not validated on patients.
    pub(super) allow_unvalidated: bool,
    /// Days after which a closed study is no longer reported by itself.
    #[schemars(range(min = 0.0))]
    pub(super) max_age_days: f64,
    /// Systems that get every report.
    pub(super) destinations: Vec<RawDestination>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Destination")]
pub(super) struct RawDestination {
    /// Name in the outbox and the log.
    name: String,
    /// DICOM address, `AE@HOST:PORT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    dicom: Option<String>,
    /// The AE title that we call ourselves; `ECHOLABEL` without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    calling_ae: Option<String>,
    /// Authorities that sign the certificate of the destination, PEM: with it DICOM is encrypted, and `https` trusts these
    /// instead of those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<PathBuf>,
    /// Our certificate, PEM, where the destination asks for one; needs `ca` and `key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<PathBuf>,
    /// DICOMweb address of the studies (STOW-RS), such as `https://pacs.example/dicom-web/studies`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stow: Option<String>,
    /// File whose first line is the bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<PathBuf>,
    /// Environment variable that holds the bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_env: Option<String>,
}

impl Default for RawSend {
    fn default() -> Self {
        Self { allow_unvalidated: false, max_age_days: 7.0, destinations: Vec::new() }
    }
}

impl RawSend {
    pub(super) fn resolve(self, context: &Context<'_>, base: &Path) -> Result<SendSettings, DaemonError> {
        let mut destinations: Vec<ReportDestination> = Vec::new();
        for raw in self.destinations {
            let problem = |problem: String| context.problem("send.destinations", problem);
            if raw.name.is_empty() || destinations.iter().any(|other| other.name == raw.name) {
                return Err(problem(format!("each needs a name of its own, {:?} is none", raw.name)));
            }
            let protocol = raw.protocol(base).map_err(|text| problem(format!("{}: {text}", raw.name)))?;
            destinations.push(ReportDestination { name: raw.name, protocol });
        }
        Ok(SendSettings {
            allow_unvalidated: self.allow_unvalidated,
            max_age: context.seconds("send.max_age_days", self.max_age_days * 86_400.0, 0.0)?,
            destinations,
        })
    }
}

impl From<&SendSettings> for RawSend {
    fn from(settings: &SendSettings) -> Self {
        Self {
            allow_unvalidated: settings.allow_unvalidated,
            max_age_days: settings.max_age.as_secs_f64() / 86_400.0,
            destinations: settings.destinations.iter().map(RawDestination::from).collect(),
        }
    }
}

impl RawDestination {
    fn protocol(&self, base: &Path) -> Result<SendProtocol, String> {
        let token = secret(self.token_file.as_ref(), self.token_env.as_ref(), base)?;
        match (&self.dicom, &self.stow) {
            (Some(address), None) if token.is_none() => {
                dicom_address(address, ae_title(self.calling_ae.as_deref().unwrap_or("ECHOLABEL"))?, self.tls(base)?)
            }
            (Some(_), None) => Err("a token is for `stow` alone".to_owned()),
            (None, Some(url)) if self.calling_ae.is_some() => Err(format!("`calling_ae` is not for {url}")),
            (None, Some(url)) if url.starts_with("http://") && self.ca.is_some() => {
                Err(format!("`ca` is for https, not for {url}"))
            }
            (None, Some(url)) if url.starts_with("https://") || url.starts_with("http://") => {
                Ok(SendProtocol::Stow { url: url.clone(), token, tls: self.tls(base)? })
            }
            (None, Some(url)) => Err(format!("{url:?} is no address that begins with https://")),
            _ => Err("needs either `dicom` or `stow`".to_owned()),
        }
    }

    fn set_tls(&mut self, tls: Option<&DestinationTls>) {
        let identity = tls.and_then(|tls| tls.identity.clone());
        self.ca = tls.map(|tls| tls.ca.clone());
        (self.cert, self.key) = identity.map(|identity| (identity.certificate, identity.key)).unzip();
    }

    fn tls(&self, base: &Path) -> Result<Option<DestinationTls>, String> {
        let identity = match (&self.cert, &self.key) {
            (Some(certificate), Some(key)) => {
                Some(TlsIdentity { certificate: base.join(certificate), key: base.join(key) })
            }
            (None, None) => None,
            _ => return Err("`cert` and `key` belong together".to_owned()),
        };
        match &self.ca {
            Some(ca) => Ok(Some(DestinationTls { ca: base.join(ca), identity })),
            None if identity.is_some() => Err("`cert` needs `ca`".to_owned()),
            None => Ok(None),
        }
    }
}

impl From<&ReportDestination> for RawDestination {
    fn from(destination: &ReportDestination) -> Self {
        let mut raw = Self { name: destination.name.clone(), ..Self::default() };
        match &destination.protocol {
            SendProtocol::Dicom { called_ae, host, port, calling_ae, tls } => {
                raw.dicom = Some(format!("{}@{host}:{port}", called_ae.as_str()));
                raw.calling_ae = Some(calling_ae.as_str().to_owned());
                raw.set_tls(tls.as_ref());
            }
            SendProtocol::Stow { url, token, tls } => {
                raw.stow = Some(url.clone());
                (raw.token_file, raw.token_env) = written(token.as_ref());
                raw.set_tls(tls.as_ref());
            }
        }
        raw
    }
}

/// Returns the place of a secret of which at most one is named.
pub(super) fn secret(
    file: Option<&PathBuf>,
    environment: Option<&String>,
    base: &Path,
) -> Result<Option<SecretSource>, String> {
    match (file, environment) {
        (Some(_), Some(_)) => Err("a secret comes from a file or from the environment, not from both".to_owned()),
        (Some(file), None) => Ok(Some(SecretSource::File(base.join(file)))),
        (None, Some(name)) => Ok(Some(SecretSource::Environment(name.clone()))),
        (None, None) => Ok(None),
    }
}

/// Returns file and environment variable of a secret, as they are written.
pub(super) fn written(secret: Option<&SecretSource>) -> (Option<PathBuf>, Option<String>) {
    match secret {
        Some(SecretSource::File(file)) => (Some(file.clone()), None),
        Some(SecretSource::Environment(name)) => (None, Some(name.clone())),
        None => (None, None),
    }
}

fn dicom_address(address: &str, calling_ae: AeTitle, tls: Option<DestinationTls>) -> Result<SendProtocol, String> {
    let expected = || format!("{address:?} is no address such as PACS@10.0.0.7:11112");
    let (called_ae, place) = address.split_once('@').ok_or_else(expected)?;
    let (host, port) = place.rsplit_once(':').ok_or_else(expected)?;
    let port = port.parse().map_err(|_| expected())?;
    if host.is_empty() {
        return Err(expected());
    }
    Ok(SendProtocol::Dicom { called_ae: ae_title(called_ae)?, host: host.to_owned(), port, calling_ae, tls })
}

fn ae_title(title: &str) -> Result<AeTitle, String> {
    title.parse().map_err(|error: domain::InvalidAeTitle| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<SendSettings, String> {
        let raw: RawSend = toml::from_str(text).map_err(|error| error.to_string())?;
        raw.resolve(&Context { origin: "test" }, Path::new("/etc")).map_err(|error| error.to_string())
    }

    #[test]
    fn destinations_are_read_and_written() {
        let text = "
            [[destinations]]
            name = \"pacs\"
            dicom = \"PACS@10.0.0.7:11112\"
            [[destinations]]
            name = \"web\"
            stow = \"https://pacs.example/dicom-web/studies\"
            token_file = \"token\"
            ca = \"ca.pem\"
            cert = \"own.pem\"
            key = \"own.key\"
        ";
        let settings = resolved(text).unwrap();
        let SendProtocol::Dicom { called_ae, host, port, calling_ae, .. } = &settings.destinations[0].protocol else {
            panic!("{settings:?}");
        };
        assert_eq!((called_ae.as_str(), host.as_str(), *port), ("PACS", "10.0.0.7", 11112));
        assert_eq!(calling_ae.as_str(), "ECHOLABEL");
        let written = toml::to_string(&RawSend::from(&settings)).unwrap();
        assert_eq!(resolved(&written).unwrap(), settings);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (destination, expected) in [
            ("name = \"a\"", "either `dicom` or `stow`"),
            ("name = \"\"\nstow = \"https://x\"", "name of its own"),
            ("name = \"a\"\ndicom = \"PACS\"", "no address"),
            ("name = \"a\"\ndicom = \"A-TITLE-THAT-IS-LONG@host:1\"", "AE title"),
            ("name = \"a\"\ndicom = \"PACS@host:99999\"", "no address"),
            ("name = \"a\"\nstow = \"ftp://x\"", "https://"),
            ("name = \"a\"\ndicom = \"P@h:1\"\nstow = \"https://x\"", "either"),
            ("name = \"a\"\nstow = \"https://x\"\ncert = \"c\"", "belong together"),
            ("name = \"a\"\nstow = \"https://x\"\ncert = \"c\"\nkey = \"k\"", "needs `ca`"),
            ("name = \"a\"\nstow = \"http://x\"\nca = \"c\"", "for https"),
            ("name = \"a\"\nstow = \"https://x\"\ntoken_file = \"a\"\ntoken_env = \"B\"", "not from both"),
        ] {
            let error = resolved(&format!("[[destinations]]\n{destination}")).unwrap_err();
            assert!(error.contains(expected), "{destination}: {error}");
        }
    }
}
