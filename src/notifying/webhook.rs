//! Messages by HTTP: a POST of JSON with a signature.

use std::time::Duration;

use daemon::WebhookSettings;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use ureq::Agent;

use crate::secret;
use crate::sending::Delivery;

/// Time for a request and its answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Header of the signature: `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits.
const SIGNATURE: &str = "X-Echolabel-Signature-256";

/// Sends a message.
pub fn send(settings: &WebhookSettings, message: &[u8]) -> Delivery {
    let secret = match settings.secret.as_ref().map(secret::read).transpose() {
        Ok(secret) => secret,
        Err(problem) => return Delivery::Later(problem),
    };
    let agent: Agent = Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build().into();
    let mut request = agent.post(&settings.url).header("Content-Type", "application/json");
    if let Some(signature) = secret.and_then(|secret| signature(&secret, message)) {
        request = request.header(SIGNATURE, signature);
    }
    match request.send(message).map(|response| response.status().as_u16()) {
        Ok(status @ 200..=299) => Delivery::Sent(format!("HTTP {status}")),
        // Gone, or not what the program takes.
        Ok(status @ (400 | 410 | 413 | 415 | 422)) => Delivery::Refused(format!("HTTP {status}")),
        Ok(status) => Delivery::Later(format!("HTTP {status}")),
        Err(error) => Delivery::Later(error.to_string()),
    }
}

fn signature(secret: &str, message: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(message);
    let digits = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Some(format!("sha256={digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", b"what do ya want for nothing?").as_deref(), Some(expected));
    }
}
