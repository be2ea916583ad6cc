//! The token that opens the page, and the sessions of those who gave it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

/// A session ends after this time without a request.
const MAX_IDLE: Duration = Duration::from_secs(12 * 3600);
/// Sessions that are kept at once; the one that was idle longest goes first.
const MAX_SESSIONS: usize = 1000;
/// Bytes of a secret before it is written in hexadecimal.
const SECRET_BYTES: usize = 32;

/// A secret; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Returns a new secret from the system's random numbers.
    ///
    /// # Errors
    /// The system gives none.
    pub fn random() -> std::io::Result<Self> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// Returns the secret that a person or a file gives; `None` for one that could be guessed.
    pub fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        (text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }

    /// Returns the secret itself, to be written into a file or shown to the person who starts the server.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Returns whether `candidate` is this secret. The time that it takes tells nothing: digests are compared.
    pub(crate) fn is(&self, candidate: &str) -> bool {
        Sha256::digest(candidate.trim().as_bytes()) == Sha256::digest(self.0.as_bytes())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(secret)")
    }
}

/// A person who gave the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The name that reviews are kept with.
    pub(crate) name: String,
}

#[derive(Debug)]
struct Session {
    person: Person,
    last_used: Instant,
}

/// The sessions of a server, in memory: a restart asks for the token again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sessions(Arc<Mutex<HashMap<String, Session>>>);

impl Sessions {
    /// Begins a session and returns its key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn begin(&self, person: Person) -> std::io::Result<String> {
        let key = Token::random()?.0;
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.last_used.elapsed() < MAX_IDLE);
        if sessions.len() >= MAX_SESSIONS {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.last_used).map(|(key, _)| key.clone());
            oldest.map(|key| sessions.remove(&key));
        }
        sessions.insert(digest(&key), Session { person, last_used: Instant::now() });
        Ok(key)
    }

    /// Returns the person of a session that has not ended.
    pub(crate) fn person(&self, key: &str) -> Option<Person> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(&digest(key)).filter(|session| session.last_used.elapsed() < MAX_IDLE)?;
        session.last_used = Instant::now();
        Some(session.person.clone())
    }

    /// Ends a session.
    pub(crate) fn end(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&digest(key));
    }
}

/// Keys are looked up by their digest, so that the time of a lookup tells nothing about them.
fn digest(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_secret_and_compared_whole() {
        let token = Token::random().unwrap();
        assert_eq!(token.secret().len(), 2 * SECRET_BYTES);
        assert_ne!(token, Token::random().unwrap());
        assert!(token.is(token.secret()) && token.is(&format!(" {}\n", token.secret())));
        assert!(!token.is("") && !token.is(&token.secret()[1..]));
        assert!(!format!("{token:?}").contains(token.secret()));
        assert!(Token::from_text("short").is_none() && Token::from_text("with a space in the text").is_none());
    }

    #[test]
    fn a_session_has_its_person_until_it_ends() {
        let sessions = Sessions::default();
        let key = sessions.begin(Person { name: "kim".to_owned() }).unwrap();
        assert_eq!(sessions.person(&key).unwrap().name, "kim");
        assert_eq!(sessions.person("another"), None);
        sessions.end(&key);
        assert_eq!(sessions.person(&key), None);
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let sessions = Sessions::default();
        let person = Person { name: "kim".to_owned() };
        let keys: Vec<String> = (0..=MAX_SESSIONS).map(|_| sessions.begin(person.clone()).unwrap()).collect();
        assert_eq!(sessions.person(&keys[0]), None);
        assert!(sessions.person(&keys[MAX_SESSIONS]).is_some());
    }
}
