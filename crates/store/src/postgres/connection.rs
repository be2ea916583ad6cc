//! One connection to the server.

use std::collections::HashMap;
use std::time::Duration;

use postgres::{Client, NoTls, Statement};

use super::PostgresAddress;

/// Time that making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time after which a server that does not acknowledge what was sent is given up.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of each connection. A lock that somebody holds for long is an error that is tried again; a transaction that its
/// program forgot is ended, as it holds everybody else up.
const SETTINGS: &str = "SET TIME ZONE 'UTC'; SET lock_timeout = '10s'; SET client_min_messages = warning;
    SET idle_in_transaction_session_timeout = '60s'";

/// A connection with the statements that were prepared on it.
pub(super) struct Connection {
    pub client: Client,
    statements: HashMap<String, Statement>,
}

impl Connection {
    /// Connects to the server.
    pub fn new(address: &PostgresAddress, read_only: bool) -> Result<Self, postgres::Error> {
        let mut config = address.config();
        config.application_name("echolabel").tcp_user_timeout(SILENCE_TIMEOUT);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let mut client = config.connect(NoTls)?;
        client.batch_execute(SETTINGS)?;
        if read_only {
            client.batch_execute("SET default_transaction_read_only = on")?;
        }
        Ok(Self { client, statements: HashMap::new() })
    }

    /// Returns a prepared statement; parameters are written `?1`, as SQLite's are.
    pub fn prepare(&mut self, sql: &str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&numbered_by_dollars(sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Writes `$1` for `?1`.
fn numbered_by_dollars(sql: &str) -> String {
    let mut parts = sql.split('?');
    let mut converted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        converted.push(if part.starts_with(|next: char| next.is_ascii_digit()) { '$' } else { '?' });
        converted.push_str(part);
    }
    converted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_renamed_and_other_question_marks_stay() {
        assert_eq!(numbered_by_dollars("SELECT '?' WHERE a = ?12 AND b=?2"), "SELECT '?' WHERE a = $12 AND b=$2");
    }
}
