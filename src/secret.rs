//! Secrets from where the configuration says that they are.

use domain::SecretSource;

/// Reads a secret.
///
/// # Errors
/// It is not there, in words without the secret.
pub fn read(source: &SecretSource) -> Result<String, String> {
    match source {
        SecretSource::File(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(text.lines().next().unwrap_or_default().trim().to_owned())
        }
        SecretSource::Environment(name) => std::env::var(name).map_err(|_| format!("the environment has no {name}")),
    }
}
