//! The table `[notify]`: as it is written, and as settings.

use std::path::{Path, PathBuf};

use domain::{SecretSource, named_enum};
use jiff::civil::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::send::{secret, written};
use crate::DaemonError;

named_enum! {
    /// Something that people want to be told.
    NotifyEvent {
        /// A study closed and lacks an item of its protocol.
        StudyIncomplete = "study_incomplete",
        /// Files of a study that closed could not be labelled.
        FilesFailed = "files_failed",
        /// A disk is nearly full.
        DiskLow = "disk_low",
        /// No file came on a day until some hour.
        NothingReceived = "nothing_received",
    }
}

named_enum! {
    /// Encryption of the connection to a mail server.
    MailEncryption {
        /// From the first byte on.
        Tls = "tls",
        /// From the command STARTTLS on.
        StartTls = "starttls",
        /// None: for a server on the same computer.
        None = "none",
    }
}

/// Events and the people who are told of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifySettings {
    /// Events that are told.
    pub events: Vec<NotifyEvent>,
    /// True if messages carry Study Instance UIDs.
    pub include_uids: bool,
    /// True if messages carry accession numbers.
    pub include_accession_numbers: bool,
    /// Local time by which files must have come; none to never tell.
    pub nothing_received_by: Option<Time>,
    /// Free space below which a disk is nearly full.
    pub min_free_bytes: u64,
    /// Program that is told by HTTP.
    pub webhook: Option<WebhookSettings>,
    /// People who are told by e-mail.
    pub email: Option<EmailSettings>,
}

/// A program that is told by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Its address.
    pub url: String,
    /// Key of the signature; without it messages are not signed.
    pub secret: Option<SecretSource>,
}

/// People who are told by e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailSettings {
    /// Host name of the mail server.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub encryption: MailEncryption,
    /// User name, where the server asks for one.
    pub user: Option<String>,
    /// Password of the user.
    pub password: Option<SecretSource>,
    /// Sender.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Notify")]
pub(super) struct RawNotify {
    /// Events that are told: `study_incomplete`, `files_failed`, `disk_low`, `nothing_received`.
    pub(super) events: Vec<String>,
    /// Let messages carry Study Instance UIDs.
    pub(super) include_uids: bool,
    /// Let messages carry accession numbers.
    pub(super) include_accession_numbers: bool,
    /// Local time, such as `09:00`, by which files must have come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nothing_received_by: Option<String>,
    /// Free space in gigabytes below which a disk is nearly full.
    #[schemars(range(min = 0.0))]
    pub(super) min_free_gb: f64,
    /// Program that is told by HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) webhook: Option<RawWebhook>,
    /// People who are told by e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<RawEmail>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Webhook")]
pub(super) struct RawWebhook {
    /// Address that gets a POST with JSON.
    url: String,
    /// File whose first line is the key of the signature (HMAC-SHA256).
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<PathBuf>,
    /// Environment variable that holds the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_env: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Email")]
pub(super) struct RawEmail {
    /// Mail server, `HOST:PORT`.
    server: String,
    /// Encryption: `tls`, `starttls` or `none`.
    #[serde(default = "starttls")]
    encryption: String,
    /// User name, where the server asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// File whose first line is the user's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    password_file: Option<PathBuf>,
    /// Environment variable that holds the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    password_env: Option<String>,
    /// Sender.
    from: String,
    /// Recipients.
    to: Vec<String>,
}

fn starttls() -> String {
    MailEncryption::StartTls.as_str().to_owned()
}

impl Default for RawNotify {
    fn default() -> Self {
        Self {
            events: NotifyEvent::ALL.iter().map(|event| event.as_str().to_owned()).collect(),
            include_uids: false,
            include_accession_numbers: false,
            nothing_received_by: None,
            min_free_gb: 10.0,
            webhook: None,
            email: None,
        }
    }
}

impl RawNotify {
    pub(super) fn resolve(self, context: &Context<'_>, base: &Path) -> Result<NotifySettings, DaemonError> {
        let event = |name: &String| {
            NotifyEvent::from_name(name)
                .ok_or_else(|| context.problem("notify.events", format!("there is no event {name:?}")))
        };
        let by = |text: String| {
            let wrong = || context.problem("notify.nothing_received_by", format!("{text:?} is no time such as 09:00"));
            Time::strptime("%H:%M", &text).map_err(|_| wrong())
        };
        if !(0.0..=1e6).contains(&self.min_free_gb) {
            let problem = format!("{} is not between 0 and a million", self.min_free_gb);
            return Err(context.problem("notify.min_free_gb", problem));
        }
        let webhook = self.webhook.map(|raw| raw.resolve(base)).transpose();
        let email = self.email.map(|raw| raw.resolve(base)).transpose();
        Ok(NotifySettings {
            events: self.events.iter().map(event).collect::<Result<_, _>>()?,
            include_uids: self.include_uids,
            include_accession_numbers: self.include_accession_numbers,
            nothing_received_by: self.nothing_received_by.map(by).transpose()?,
            min_free_bytes: (self.min_free_gb * 1e9) as u64,
            webhook: webhook.map_err(|problem| context.problem("notify.webhook", problem))?,
            email: email.map_err(|problem| context.problem("notify.email", problem))?,
        })
    }
}

impl From<&NotifySettings> for RawNotify {
    fn from(settings: &NotifySettings) -> Self {
        Self {
            events: settings.events.iter().map(|event| event.as_str().to_owned()).collect(),
            include_uids: settings.include_uids,
            include_accession_numbers: settings.include_accession_numbers,
            nothing_received_by: settings.nothing_received_by.map(|time| time.strftime("%H:%M").to_string()),
            min_free_gb: settings.min_free_bytes as f64 / 1e9,
            webhook: settings.webhook.as_ref().map(RawWebhook::from),
            email: settings.email.as_ref().map(RawEmail::from),
        }
    }
}

impl RawWebhook {
    fn resolve(self, base: &Path) -> Result<WebhookSettings, String> {
        if !self.url.starts_with("https://") && !self.url.starts_with("http://") {
            return Err(format!("{:?} is no address that begins with https://", self.url));
        }
        let secret = secret(self.secret_file.as_ref(), self.secret_env.as_ref(), base)?;
        Ok(WebhookSettings { url: self.url, secret })
    }
}

impl From<&WebhookSettings> for RawWebhook {
    fn from(settings: &WebhookSettings) -> Self {
        let (secret_file, secret_env) = written(settings.secret.as_ref());
        Self { url: settings.url.clone(), secret_file, secret_env }
    }
}

impl RawEmail {
    fn resolve(self, base: &Path) -> Result<EmailSettings, String> {
        let expected = || format!("{:?} is no server such as mail.example:587", self.server);
        let (host, port) = self.server.rsplit_once(':').ok_or_else(expected)?;
        let (host, port) = (host.to_owned(), port.parse().map_err(|_| expected())?);
        let encryption = MailEncryption::from_name(&self.encryption)
            .ok_or_else(|| format!("encryption {:?} is none of \"tls\", \"starttls\", \"none\"", self.encryption))?;
        let password = secret(self.password_file.as_ref(), self.password_env.as_ref(), base)?;
        if self.user.is_some() != password.is_some() {
            return Err("a user needs a password, and a password a user".to_owned());
        }
        if self.to.is_empty() {
            return Err("nobody to write to".to_owned());
        }
        Ok(EmailSettings { host, port, encryption, user: self.user, password, from: self.from, to: self.to })
    }
}

impl From<&EmailSettings> for RawEmail {
    fn from(settings: &EmailSettings) -> Self {
        let (password_file, password_env) = written(settings.password.as_ref());
        Self {
            server: format!("{}:{}", settings.host, settings.port),
            encryption: settings.encryption.as_str().to_owned(),
            user: settings.user.clone(),
            password_file,
            password_env,
            from: settings.from.clone(),
            to: settings.to.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<NotifySettings, String> {
        let raw: RawNotify = toml::from_str(text).map_err(|error| error.to_string())?;
        raw.resolve(&Context { origin: "test" }, Path::new("/etc")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_read_is_written_again() {
        let text = "
            events = [\"disk_low\"]
            nothing_received_by = \"09:30\"
            [webhook]
            url = \"https://x.example/hook\"
            secret_env = \"HOOK\"
            [email]
            server = \"mail.example:587\"
            from = \"echo@x.example\"
            to = [\"lab@x.example\"]
        ";
        let settings = resolved(text).unwrap();
        assert_eq!(settings.events, [NotifyEvent::DiskLow]);
        assert_eq!(settings.email.as_ref().unwrap().encryption, MailEncryption::StartTls);
        let written = toml::to_string(&RawNotify::from(&settings)).unwrap();
        assert_eq!(resolved(&written).unwrap(), settings);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, expected) in [
            ("events = [\"rain\"]", "rain"),
            ("nothing_received_by = \"noon\"", "noon"),
            ("min_free_gb = -1.0", "min_free_gb"),
            ("[webhook]\nurl = \"x\"", "https://"),
            ("[email]\nserver = \"x\"\nfrom = \"a@b\"\nto = [\"c@d\"]", "no server"),
            ("[email]\nserver = \"x:25\"\nfrom = \"a@b\"\nto = []", "nobody"),
            ("[email]\nserver = \"x:25\"\nuser = \"u\"\nfrom = \"a@b\"\nto = [\"c@d\"]", "password"),
        ] {
            let error = resolved(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
