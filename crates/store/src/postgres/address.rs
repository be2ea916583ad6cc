//! Addresses of databases on a server.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use postgres::Config;
use postgres::config::Host;

/// Address of a database on a PostgreSQL server. A password that it holds is never printed.
#[derive(Clone)]
pub struct PostgresAddress {
    /// The address as it was given, without a password.
    text: String,
    config: Arc<Config>,
}

/// The text is no address of a database.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not an address such as postgres://user@host:5432/database: {0}")]
pub struct InvalidAddress(String);

impl PostgresAddress {
    /// Returns host, port, database and user, for a password file; the first host where there are several.
    pub fn parts(&self) -> [String; 4] {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(_)) => "localhost".to_owned(),
            None => "localhost".to_owned(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let user = self.config.get_user().unwrap_or_default().to_owned();
        let database = self.config.get_dbname().map_or_else(|| user.clone(), str::to_owned);
        [host, port.to_string(), database, user]
    }

    /// Returns the password, where one is known.
    pub fn password(&self) -> Option<&[u8]> {
        self.config.get_password()
    }

    /// Returns the address with a password.
    #[must_use]
    pub fn with_password(&self, password: &str) -> Self {
        let mut config = Config::clone(&self.config);
        config.password(password);
        Self { text: self.text.clone(), config: Arc::new(config) }
    }

    pub(super) fn config(&self) -> Config {
        Config::clone(&self.config)
    }
}

impl PartialEq for PostgresAddress {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.password() == other.password()
    }
}

impl Eq for PostgresAddress {}

impl FromStr for PostgresAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The parser's words name the option that it does not know, and a value of a number, never the password.
        let config: Config = text.parse().map_err(|error: postgres::Error| {
            InvalidAddress(std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string))
        })?;
        if config.get_hosts().is_empty() {
            return Err(InvalidAddress("it names no host".to_owned()));
        }
        Ok(Self { text: without_password(text), config: Arc::new(config) })
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Leaves the password out, wherever it stands.
fn without_password(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
    let (place, options) = rest.split_once('?').map_or((rest, None), |(place, options)| (place, Some(options)));
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let authority = match authority.rsplit_once('@') {
        Some((who, host)) => format!("{}@{host}", who.split_once(':').map_or(who, |(user, _)| user)),
        None => authority.to_owned(),
    };
    let options: Vec<&str> = options
        .into_iter()
        .flat_map(|options| options.split('&'))
        .filter(|option| !option.starts_with("password="))
        .collect();
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{scheme}://{authority}{path}{mark}{}", options.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_used_and_never_printed() {
        for (given, shown) in [
            ("postgres://kim:s3cret@db.lab:5433/echo", "postgres://kim@db.lab:5433/echo"),
            (
                "postgresql://kim:s3%40cret@db.lab/echo?connect_timeout=3",
                "postgresql://kim@db.lab/echo?connect_timeout=3",
            ),
            ("postgres://db.lab/echo?user=kim&password=s3cret", "postgres://db.lab/echo?user=kim"),
            ("postgres://kim@db.lab", "postgres://kim@db.lab"),
        ] {
            let address: PostgresAddress = given.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), shown);
            assert_eq!(address.password().is_some(), given.contains("cret"));
            let again: PostgresAddress = shown.parse().unwrap();
            assert_eq!(again.parts(), address.parts());
        }
        let address: PostgresAddress = "postgres://kim@db.lab:5433/echo".parse().unwrap();
        assert_eq!(address.parts(), ["db.lab", "5433", "echo", "kim"]);
        assert_eq!(address.with_password("x").password(), Some(b"x".as_slice()));
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for wrong in ["postgres://", "postgres://kim:s3cret@db:port/echo", "postgres://kim:s3cret@db/echo?colour=red"] {
            let error = wrong.parse::<PostgresAddress>().unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
