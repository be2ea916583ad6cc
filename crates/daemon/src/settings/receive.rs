//! The table `[receive]`: as it is written, and as settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use domain::{Peer, ReceiveLimits, ReceiveSettings, is_valid_uid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::network::{RawTls, address_ranges, ae_title, fingerprint, socket_address};
use super::stow::RawStow;
use crate::DaemonError;

/// Bytes of a protocol data unit: less than a request for an association needs, and more than any peer sends.
const PDU_RANGE: std::ops::RangeInclusive<u32> = 16_384..=1_048_576;

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Receive")]
pub(super) struct RawReceive {
    /// Address and port to listen on; other computers reach `0.0.0.0:11112`.
    pub(super) listen: String,
    /// The AE title that peers call.
    pub(super) ae_title: String,
    /// Who may connect; nobody where it is empty.
    pub(super) peers: Vec<RawPeer>,
    /// Watched folder that objects are stored below; the first of `inbox.folders` without it.
    pub(super) folder: Option<PathBuf>,
    /// SOP Class UIDs of vendors that are accepted beside those of the standard.
    pub(super) private_classes: Vec<String>,
    /// Largest protocol data unit, in bytes.
    #[schemars(range(min = 16_384, max = 1_048_576))]
    pub(super) max_pdu: u32,
    /// Largest object, such as `4 GiB`.
    pub(super) max_object: String,
    /// Associations at once.
    #[schemars(range(min = 1))]
    pub(super) max_associations: usize,
    /// Associations at once of one peer.
    #[schemars(range(min = 1))]
    pub(super) max_associations_per_peer: usize,
    /// Time without progress after which an association is aborted.
    #[schemars(range(min = 1.0))]
    pub(super) idle_seconds: f64,
    /// Rate that a data set must come with on average, such as `32 KiB/s`.
    pub(super) least_rate: String,
    /// Space that stays free on the disk of the folder, such as `5 GiB`: below it senders are told to try later.
    pub(super) keep_free: String,
    /// Certificate and key of encrypted connections; without it they are not encrypted.
    pub(super) tls: Option<RawTls>,
    /// Receiving by STOW-RS as well.
    pub(super) stow: Option<RawStow>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Peer")]
pub(super) struct RawPeer {
    /// The AE title that the peer calls itself.
    ae: String,
    /// Addresses or ranges that it may come from, such as `10.1.2.0/24`; any without it.
    #[serde(default)]
    addresses: Vec<String>,
    /// SHA-256 of its certificate, where connections are encrypted and `client_ca` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_sha256: Option<String>,
    /// Address and port where it listens for reports on storage commitment, such as `10.1.2.31:104`, if it does not wait
    /// for them on the association that it asked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    report_to: Option<String>,
}

impl Default for RawReceive {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:11112".to_owned(),
            ae_title: "ECHOLABEL".to_owned(),
            peers: Vec::new(),
            folder: None,
            private_classes: Vec::new(),
            max_pdu: 131_072,
            max_object: "4 GiB".to_owned(),
            max_associations: 16,
            max_associations_per_peer: 4,
            idle_seconds: 30.0,
            least_rate: "32 KiB/s".to_owned(),
            keep_free: "5 GiB".to_owned(),
            tls: None,
            stow: None,
        }
    }
}

impl RawReceive {
    /// `folders` are those that are watched; relative paths count from `base`.
    pub fn resolve(
        self,
        context: &Context<'_>,
        base: &Path,
        folders: &[PathBuf],
    ) -> Result<ReceiveSettings, DaemonError> {
        let from_file = |path: PathBuf| base.join(path);
        let listen = socket_address(context, "receive.listen", &self.listen)?;
        if !PDU_RANGE.contains(&self.max_pdu) {
            return Err(context.problem("receive.max_pdu", "must be between 16384 and 1048576".to_owned()));
        }
        if let Some(wrong) = self.private_classes.iter().find(|uid| !is_valid_uid(uid)) {
            return Err(context.problem("receive.private_classes", format!("{wrong:?} is no UID")));
        }
        let idle = context.seconds("receive.idle_seconds", self.idle_seconds, 1.0)?;
        Ok(ReceiveSettings {
            listen,
            ae_title: ae_title(context, "receive.ae_title", &self.ae_title)?,
            peers: self.peers.into_iter().map(|peer| peer.resolve(context)).collect::<Result<_, _>>()?,
            folder: self.folder.map(from_file).or_else(|| folders.first().cloned()).unwrap_or_default(),
            private_classes: self.private_classes,
            limits: ReceiveLimits {
                max_pdu: self.max_pdu,
                max_object: bytes(context, "receive.max_object", &self.max_object)?,
                max_associations: context.at_least_one("receive.max_associations", self.max_associations)?,
                max_associations_per_peer: context
                    .at_least_one("receive.max_associations_per_peer", self.max_associations_per_peer)?,
                idle: Duration::try_from(idle).unwrap_or_default(),
                least_rate: bytes(context, "receive.least_rate", self.least_rate.trim_end_matches("/s"))?,
                keep_free: bytes(context, "receive.keep_free", &self.keep_free)?,
            },
            tls: self.tls.map(|tls| tls.resolve(base)),
            stow: self.stow.map(|stow| stow.resolve(context, base)).transpose()?,
        })
    }
}

impl RawPeer {
    fn resolve(self, context: &Context<'_>) -> Result<Peer, DaemonError> {
        Ok(Peer {
            ae_title: ae_title(context, "receive.peers.ae", &self.ae)?,
            addresses: address_ranges(context, "receive.peers.addresses", &self.addresses)?,
            certificate_sha256: self
                .certificate_sha256
                .map(|text| fingerprint(context, "receive.peers.certificate_sha256", &text))
                .transpose()?,
            report_to: self.report_to.map(|text| host_and_port(context, &text)).transpose()?,
        })
    }
}

impl From<&ReceiveSettings> for RawReceive {
    fn from(settings: &ReceiveSettings) -> Self {
        let ReceiveSettings { listen, ae_title, peers, folder, private_classes, limits, tls, stow } = settings;
        Self {
            listen: listen.to_string(),
            ae_title: ae_title.to_string(),
            peers: peers.iter().map(RawPeer::from).collect(),
            folder: Some(folder.clone()),
            private_classes: private_classes.clone(),
            max_pdu: limits.max_pdu,
            max_object: size(limits.max_object),
            max_associations: limits.max_associations,
            max_associations_per_peer: limits.max_associations_per_peer,
            idle_seconds: limits.idle.as_secs_f64(),
            least_rate: format!("{}/s", size(limits.least_rate)),
            keep_free: size(limits.keep_free),
            tls: tls.as_ref().map(RawTls::from),
            stow: stow.as_ref().map(RawStow::from),
        }
    }
}

impl From<&Peer> for RawPeer {
    fn from(peer: &Peer) -> Self {
        Self {
            ae: peer.ae_title.to_string(),
            addresses: peer.addresses.iter().map(ToString::to_string).collect(),
            certificate_sha256: peer.certificate_sha256.map(|digest| digest.to_string()),
            report_to: peer.report_to.as_ref().map(|(host, port)| format!("{host}:{port}")),
        }
    }
}

fn host_and_port(context: &Context<'_>, text: &str) -> Result<(String, u16), DaemonError> {
    text.rsplit_once(':')
        .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
        .filter(|(host, _)| !host.is_empty())
        .ok_or_else(|| {
            let problem = format!("{text:?} is no host with a port, such as \"10.1.2.31:104\"");
            context.problem("receive.peers.report_to", problem)
        })
}

fn bytes(context: &Context<'_>, key: &'static str, text: &str) -> Result<u64, DaemonError> {
    match text.trim().parse::<ByteSize>() {
        Ok(size) => Ok(size.as_u64()),
        Err(_) => Err(context.problem(key, format!("{text:?} is no size, such as \"5 GiB\""))),
    }
}

/// Returns a size in the largest unit that gives it exactly.
fn size(bytes: u64) -> String {
    [(30, "GiB"), (20, "MiB"), (10, "KiB")]
        .into_iter()
        .find(|(power, _)| bytes > 0 && bytes.is_multiple_of(1 << power))
        .map_or_else(|| format!("{bytes} B"), |(power, unit)| format!("{} {unit}", bytes >> power))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<ReceiveSettings, String> {
        let raw: RawReceive = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        let context = Context { origin: "test" };
        raw.resolve(&context, Path::new("/etc/lab"), &["/data/in".into()]).map_err(|error| error.to_string())
    }

    #[test]
    fn nobody_is_let_in_by_default_and_only_this_computer_reaches_it() {
        let settings = resolved("").unwrap();
        assert!(settings.peers.is_empty() && settings.listen.ip().is_loopback());
        assert_eq!(settings.folder, Path::new("/data/in"));
        assert_eq!((settings.limits.max_object, settings.limits.least_rate), (4 << 30, 32 << 10));
        assert_eq!((settings.limits.keep_free, settings.limits.idle), (5 << 30, Duration::from_secs(30)));
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        let text = r#"
            listen = "0.0.0.0:104"
            folder = "in"
            peers = [{ ae = "US7", addresses = ["10.1.2.0/24", "10.9.9.9"], certificate_sha256 = "AA", report_to = "us7.lab:104" }]
            least_rate = "1000/s"
            tls = { cert = "c.pem", key = "/k.pem" }
            [stow]
            listen = "0.0.0.0:8443"
            senders = [
                { name = "PACS", addresses = ["10.1.9.0/24"], token_file = "pacs.token" },
                { name = "CLOUD", certificate_sha256 = "AA" },
            ]
            tls = { cert = "c.pem", key = "/k.pem", client_ca = "ca.pem" }
        "#;
        let text = text.replace("AA", &["AB"; 32].join(":"));
        let settings = resolved(&text).unwrap();
        assert_eq!(settings.folder, Path::new("/etc/lab/in"));
        assert_eq!(settings.peers[0].addresses[1].to_string(), "10.9.9.9/32");
        let stow = settings.stow.as_ref().unwrap();
        assert_eq!(stow.senders[0].token, Some(domain::SecretSource::File("/etc/lab/pacs.token".into())));
        let again = toml::to_string(&RawReceive::from(&settings)).unwrap();
        assert_eq!(resolved(&again).unwrap(), settings);
    }

    #[test]
    fn a_value_that_makes_no_sense_is_named() {
        for (text, key) in [
            ("listen = \"11112\"", "receive.listen"),
            ("ae_title = \"A TITLE THAT IS TOO LONG\"", "receive.ae_title"),
            ("peers = [{ ae = \"US7\", addresses = [\"10.1.2\"] }]", "receive.peers.addresses"),
            ("peers = [{ ae = \"US7\", certificate_sha256 = \"12\" }]", "receive.peers.certificate_sha256"),
            ("peers = [{ ae = \"US7\", report_to = \"us7\" }]", "receive.peers.report_to"),
            ("max_object = \"much\"", "receive.max_object"),
            ("max_pdu = 100", "receive.max_pdu"),
            ("max_associations = 0", "receive.max_associations"),
            ("idle_seconds = 0", "receive.idle_seconds"),
            ("private_classes = [\"1..2\"]", "receive.private_classes"),
            ("stow = { listen = \"8080\" }", "receive.stow.listen"),
            ("stow = { senders = [{ name = \"A\" }] }", "needs a token or a certificate"),
            ("stow = { senders = [{ name = \"A\", token_file = \"a\", token_env = \"B\" }] }", "not from both"),
        ] {
            let error = resolved(text).unwrap_err();
            assert!(error.contains(key), "{text}: {error}");
        }
    }
}
