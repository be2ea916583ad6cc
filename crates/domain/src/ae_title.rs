//! The name of a program in a DICOM network.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Characters of a title, at most (PS3.5, value representation AE).
const MAX_LENGTH: usize = 16;

/// A valid application entity title, without the spaces around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AeTitle(Box<str>);

/// A text that is no application entity title. The text itself is not shown: a stranger may have sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an AE title: expected 1 to {MAX_LENGTH} printable ASCII characters without a backslash")]
pub struct InvalidAeTitle;

impl AeTitle {
    /// Returns the title as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AeTitle {
    type Err = InvalidAeTitle;

    fn from_str(text: &str) -> Result<Self, InvalidAeTitle> {
        let title = text.trim_matches(' ');
        let is_allowed = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && byte != b'\\';
        match (1..=MAX_LENGTH).contains(&title.len()) && title.bytes().all(is_allowed) {
            true => Ok(Self(title.into())),
            false => Err(InvalidAeTitle),
        }
    }
}

impl TryFrom<String> for AeTitle {
    type Error = InvalidAeTitle;

    fn try_from(text: String) -> Result<Self, InvalidAeTitle> {
        text.parse()
    }
}

impl From<AeTitle> for String {
    fn from(title: AeTitle) -> Self {
        title.0.into()
    }
}

impl fmt::Display for AeTitle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_short_and_printable() {
        assert_eq!(" US 7 ".parse::<AeTitle>().unwrap().as_str(), "US 7");
        assert!("SIXTEEN_LETTERS_".parse::<AeTitle>().is_ok());
        for wrong in ["", "  ", "SEVENTEEN_LETTERS", "A\\B", "A\nB", "ÄCHO"] {
            assert_eq!(wrong.parse::<AeTitle>(), Err(InvalidAeTitle), "{wrong}");
        }
    }
}
