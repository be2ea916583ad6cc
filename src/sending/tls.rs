//! Encryption of HTTP with authorities and a certificate of the lab's own.

use std::path::Path;

use domain::{DestinationTls, TlsIdentity};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// Returns the settings of connections that trust the authorities of some files.
///
/// # Errors
/// A file cannot be used, in words.
pub fn config(files: &DestinationTls) -> Result<TlsConfig, String> {
    let roots = RootCerts::from(certificates(&files.ca)?);
    let own = files.identity.as_ref().map(client_certificate).transpose()?;
    Ok(TlsConfig::builder().root_certs(roots).client_cert(own).build())
}

fn client_certificate(files: &TlsIdentity) -> Result<ClientCert, String> {
    let key = PrivateKey::from_pem(&read(&files.key)?).map_err(|error| unusable(&files.key, &error))?;
    Ok(ClientCert::new_with_certs(&certificates(&files.certificate)?, key))
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = Vec::new();
    for item in parse_pem(&read(file)?) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| unusable(file, &error))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(unusable(file, &"it holds no certificate")) } else { Ok(found) }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| unusable(file, &error))
}

fn unusable(file: &Path, problem: &dyn std::fmt::Display) -> String {
    format!("cannot use {}: {problem}", file.display())
}
