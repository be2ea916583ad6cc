//! The table `[receive.stow]`: as it is written, and as settings.

use std::path::{Path, PathBuf};

use domain::{StowSender, StowSettings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::network::{RawTls, address_ranges, ae_title, fingerprint, socket_address};
use super::send::{secret, written};
use crate::DaemonError;

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Stow")]
pub(super) struct RawStow {
    /// Address and port to listen on; other computers reach `0.0.0.0:11113`.
    listen: String,
    /// Who may store; nobody where it is empty.
    senders: Vec<RawStowSender>,
    /// Certificate and key of encrypted connections; without it tokens and images are sent in the clear.
    tls: Option<RawTls>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StowSender")]
struct RawStowSender {
    /// Name in the log, of up to 16 characters as an AE title has.
    name: String,
    /// Addresses or ranges that it may come from, such as `10.1.2.0/24`; any without it.
    #[serde(default)]
    addresses: Vec<String>,
    /// File whose first line is its bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<PathBuf>,
    /// Environment variable that holds its bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_env: Option<String>,
    /// SHA-256 of its certificate; needs `tls` with `client_ca`.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_sha256: Option<String>,
}

impl Default for RawStow {
    fn default() -> Self {
        Self { listen: "127.0.0.1:11113".to_owned(), senders: Vec::new(), tls: None }
    }
}

impl RawStow {
    pub(super) fn resolve(self, context: &Context<'_>, base: &Path) -> Result<StowSettings, DaemonError> {
        Ok(StowSettings {
            listen: socket_address(context, "receive.stow.listen", &self.listen)?,
            senders: self.senders.into_iter().map(|sender| sender.resolve(context, base)).collect::<Result<_, _>>()?,
            tls: self.tls.map(|tls| tls.resolve(base)),
        })
    }
}

impl RawStowSender {
    fn resolve(self, context: &Context<'_>, base: &Path) -> Result<StowSender, DaemonError> {
        let problem = |text: String| context.problem("receive.stow.senders", format!("{}: {text}", self.name));
        let token = secret(self.token_file.as_ref(), self.token_env.as_ref(), base).map_err(problem)?;
        if token.is_none() && self.certificate_sha256.is_none() {
            return Err(problem("needs a token or a certificate".to_owned()));
        }
        Ok(StowSender {
            name: ae_title(context, "receive.stow.senders.name", &self.name)?,
            addresses: address_ranges(context, "receive.stow.senders.addresses", &self.addresses)?,
            token,
            certificate_sha256: self
                .certificate_sha256
                .map(|text| fingerprint(context, "receive.stow.senders.certificate_sha256", &text))
                .transpose()?,
        })
    }
}

impl From<&StowSettings> for RawStow {
    fn from(settings: &StowSettings) -> Self {
        let StowSettings { listen, senders, tls } = settings;
        Self {
            listen: listen.to_string(),
            senders: senders.iter().map(RawStowSender::from).collect(),
            tls: tls.as_ref().map(RawTls::from),
        }
    }
}

impl From<&StowSender> for RawStowSender {
    fn from(sender: &StowSender) -> Self {
        let (token_file, token_env) = written(sender.token.as_ref());
        Self {
            name: sender.name.to_string(),
            addresses: sender.addresses.iter().map(ToString::to_string).collect(),
            token_file,
            token_env,
            certificate_sha256: sender.certificate_sha256.map(|digest| digest.to_string()),
        }
    }
}
