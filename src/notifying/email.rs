//! Messages by e-mail.

use std::time::Duration;

use daemon::{EmailSettings, MailEncryption};
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{SmtpTransport, Transport as _};

use super::Message;
use crate::secret;
use crate::sending::Delivery;

/// Time for each step of the conversation.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends a message.
pub fn send(settings: &EmailSettings, message: &[u8]) -> Delivery {
    let mail =
        match serde_json::from_slice(message).map_err(|error| error.to_string()).and_then(|told| mail(settings, &told))
        {
            Ok(mail) => mail,
            Err(problem) => return Delivery::Refused(problem),
        };
    let transport = match transport(settings) {
        Ok(transport) => transport,
        Err(problem) => return Delivery::Later(problem),
    };
    match transport.send(&mail) {
        Ok(response) => Delivery::Sent(format!("SMTP {}", response.code())),
        Err(error) if error.is_permanent() => Delivery::Refused(error.to_string()),
        Err(error) => Delivery::Later(error.to_string()),
    }
}

fn mail(settings: &EmailSettings, told: &Message) -> Result<lettre::Message, String> {
    let mut builder = lettre::Message::builder()
        .from(settings.from.parse().map_err(|error| format!("{}: {error}", settings.from))?)
        .subject(format!("echolabel: {}", told.text))
        .header(ContentType::TEXT_PLAIN);
    for to in &settings.to {
        builder = builder.to(to.parse().map_err(|error| format!("{to}: {error}"))?);
    }
    let mut body = format!("{}\n\ntime: {:.0}\n", told.text, told.at);
    for (name, value) in [("study", &told.study_instance_uid), ("accession number", &told.accession_number)] {
        if let Some(value) = value {
            body.push_str(&format!("{name}: {value}\n"));
        }
    }
    builder.body(body).map_err(|error| error.to_string())
}

fn transport(settings: &EmailSettings) -> Result<SmtpTransport, String> {
    let builder = match settings.encryption {
        MailEncryption::Tls => SmtpTransport::relay(&settings.host),
        MailEncryption::StartTls => SmtpTransport::starttls_relay(&settings.host),
        MailEncryption::None => Ok(SmtpTransport::builder_dangerous(&settings.host)),
    };
    let mut builder = builder.map_err(|error| error.to_string())?.port(settings.port).timeout(Some(TIMEOUT));
    if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
        builder = builder.credentials(Credentials::new(user.clone(), secret::read(password)?));
    }
    Ok(builder.build())
}
