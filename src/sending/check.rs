//! Files of the destinations of reports that cannot be used, told before anything is sent.

use daemon::SendProtocol;
use daemon::settings::SendSettings;
use domain::{DestinationTls, SecretSource};

use crate::secret;

/// Returns what is wrong with the certificates, keys and tokens of the destinations; reads them, and connects to nobody.
pub fn problems(settings: &SendSettings) -> Vec<String> {
    let mut problems = Vec::new();
    for destination in &settings.destinations {
        let (tls, token) = match &destination.protocol {
            SendProtocol::Dicom { tls, .. } => (tls.as_ref(), None),
            SendProtocol::Stow { tls, token, .. } => (tls.as_ref(), token.as_ref()),
        };
        let unusable = [tls.map(usable_tls), token.map(usable_token)].into_iter().flatten().filter_map(Result::err);
        problems.extend(unusable.map(|problem| format!("send.destinations {}: {problem}", destination.name)));
    }
    problems
}

fn usable_tls(files: &DestinationTls) -> Result<(), String> {
    dicom_net::check_client_tls(files).map_err(|error| error.to_string())
}

fn usable_token(source: &SecretSource) -> Result<(), String> {
    match secret::read(source)?.is_empty() {
        true => Err("the token is empty".to_owned()),
        false => Ok(()),
    }
}
