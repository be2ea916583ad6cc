//! Values that every way of receiving has: addresses, certificates, titles.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use domain::{AeTitle, ReceiveTls, Sha256, TlsIdentity};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use crate::DaemonError;

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tls")]
pub(super) struct RawTls {
    /// Certificate chain, PEM.
    cert: PathBuf,
    /// Private key, PEM.
    key: PathBuf,
    /// Certificates of the authorities that sign those of peers, PEM; with it a peer must show one.
    client_ca: Option<PathBuf>,
}

impl RawTls {
    pub(super) fn resolve(self, base: &Path) -> ReceiveTls {
        ReceiveTls {
            identity: TlsIdentity { certificate: base.join(self.cert), key: base.join(self.key) },
            client_ca: self.client_ca.map(|file| base.join(file)),
        }
    }
}

impl From<&ReceiveTls> for RawTls {
    fn from(tls: &ReceiveTls) -> Self {
        Self { cert: tls.identity.certificate.clone(), key: tls.identity.key.clone(), client_ca: tls.client_ca.clone() }
    }
}

pub(super) fn socket_address(context: &Context<'_>, key: &'static str, text: &str) -> Result<SocketAddr, DaemonError> {
    text.parse().map_err(|_| {
        let problem = "is no address with a port, such as \"127.0.0.1:11112\" or \"0.0.0.0:11112\"";
        context.problem(key, format!("{text:?} {problem}"))
    })
}

pub(super) fn address_ranges(
    context: &Context<'_>,
    key: &'static str,
    texts: &[String],
) -> Result<Vec<IpNet>, DaemonError> {
    let range = |text: &String| {
        text.parse().or_else(|error| text.parse::<IpAddr>().map(Into::into).map_err(|_| error)).map_err(|_| {
            let problem = format!("{text:?} is neither an address nor a range such as \"10.1.2.0/24\"");
            context.problem(key, problem)
        })
    };
    texts.iter().map(range).collect()
}

/// Reads the digest of a certificate.
pub(super) fn fingerprint(context: &Context<'_>, key: &'static str, text: &str) -> Result<Sha256, DaemonError> {
    // OpenSSL prints fingerprints with colons.
    text.replace(':', "").to_ascii_lowercase().parse().map_err(|_| {
        let problem = "is no SHA-256 fingerprint: `openssl x509 -noout -fingerprint -sha256 -in CERT` prints one";
        context.problem(key, format!("{text:?} {problem}"))
    })
}

pub(super) fn ae_title(context: &Context<'_>, key: &'static str, text: &str) -> Result<AeTitle, DaemonError> {
    text.parse().map_err(|error| context.problem(key, format!("{text:?} is {error}")))
}
