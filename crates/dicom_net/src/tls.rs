//! Encryption: certificates and keys from PEM files.

use std::path::Path;
use std::sync::Arc;

use domain::{DestinationTls, ReceiveTls, Sha256, TlsIdentity};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sha2::Digest as _;

use crate::ReceiveError;

/// Reads the files of encryption of connections that we open.
///
/// # Errors
/// [`ReceiveError::Tls`], naming the file: it cannot be read, or the key is not that of the certificate.
pub fn check_client_tls(files: &DestinationTls) -> Result<(), ReceiveError> {
    client_config(files).map(drop)
}

/// Reads the files of encryption of connections that are accepted.
///
/// # Errors
/// As for [`check_client_tls`].
pub fn check_server_tls(files: &ReceiveTls) -> Result<(), ReceiveError> {
    server_config(files).map(drop)
}

/// Returns the configuration of our end of connections that are accepted.
///
/// # Errors
/// [`ReceiveError::Tls`], naming the file.
pub(crate) fn server_config(files: &ReceiveTls) -> Result<ServerConfig, ReceiveError> {
    let certificate = &files.identity.certificate;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(certificate, error))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(file)?), provider)
                .build()
                .map_err(|error| unusable(file, error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let (certificates, key) = identity(&files.identity)?;
    builder.with_single_cert(certificates, key).map_err(|error| unusable(certificate, error))
}

/// Returns the configuration of our end of a connection that we open.
///
/// # Errors
/// [`ReceiveError::Tls`], naming the file.
pub(crate) fn client_config(files: &DestinationTls) -> Result<ClientConfig, ReceiveError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&files.ca, error))?
        .with_root_certificates(authorities(&files.ca)?);
    match &files.identity {
        None => Ok(builder.with_no_client_auth()),
        Some(own) => {
            let (certificates, key) = identity(own)?;
            builder.with_client_auth_cert(certificates, key).map_err(|error| unusable(&own.certificate, error))
        }
    }
}

fn identity(files: &TlsIdentity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ReceiveError> {
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unusable(&files.key, error))?;
    Ok((certificates(&files.certificate)?, key))
}

/// Returns the digest of a certificate, as `openssl x509 -fingerprint -sha256` gives it.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> Sha256 {
    <[u8; 32]>::from(sha2::Sha256::digest(certificate)).into()
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ReceiveError> {
    let found: Vec<_> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect).map_err(|error| unusable(file, error))?;
    if found.is_empty() { Err(unusable(file, "it holds no certificate")) } else { Ok(found) }
}

fn authorities(file: &Path) -> Result<RootCertStore, ReceiveError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| unusable(file, error))?;
    }
    Ok(roots)
}

fn unusable(file: &Path, problem: impl std::fmt::Display) -> ReceiveError {
    ReceiveError::Tls { file: file.to_owned(), problem: problem.to_string() }
}
