//! Identifiers that were checked once, where they came in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest UID (DICOM PS3.5 section 9.1), in characters.
const MAX_UID_LENGTH: usize = 64;

/// Returns whether a text is a UID: digits and dots, no empty component, at most 64 characters (DICOM PS3.5 section
/// 9.1).
///
/// Leading zeros in a component are accepted: the standard forbids them, scanners write them, and nothing here parses
/// components as numbers.
pub fn is_valid_uid(text: &str) -> bool {
    let is_component = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= MAX_UID_LENGTH && text.split('.').all(is_component)
}

/// A text that is no UID. The text itself is not shown: it may be anything, a name included.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a DICOM UID: {length} characters, expected 1 to 64 digits and dots")]
pub struct InvalidUid {
    /// Number of bytes of the text.
    pub length: usize,
}

macro_rules! uid {
    ($name:ident, $what:literal) => {
        #[doc = concat!("A valid ", $what, ".")]
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Returns the UID that stands for a UUID: `2.25.` and its decimal form (DICOM PS3.5 annex B.2).
            pub fn from_uuid(uuid: u128) -> Self {
                Self(format!("2.25.{uuid}").into())
            }

            /// Returns the UID as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidUid;

            fn from_str(text: &str) -> Result<Self, InvalidUid> {
                match is_valid_uid(text) {
                    true => Ok(Self(text.into())),
                    false => Err(InvalidUid { length: text.len() }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidUid;

            fn try_from(text: String) -> Result<Self, InvalidUid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(uid: $name) -> Self {
                uid.0.into()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

uid!(StudyUid, "Study Instance UID (0020,000D)");
uid!(SeriesUid, "Series Instance UID (0020,000E)");
uid!(SopUid, "SOP Instance UID (0008,0018)");

/// A SHA-256 digest; its text is 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256([u8; 32]);

/// A text that is no SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: expected 64 hexadecimal digits, got {length} characters")]
pub struct InvalidSha256 {
    /// Number of bytes of the text.
    pub length: usize,
}

impl Sha256 {
    /// Returns the digest's bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Sha256 {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Sha256 {
    type Err = InvalidSha256;

    fn from_str(text: &str) -> Result<Self, InvalidSha256> {
        let invalid = || InvalidSha256 { length: text.len() };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            let digit = |digit: u8| char::from(digit).to_digit(16).map(|digit| digit as u8);
            let [high, low] = pair.map(digit);
            *byte = high.ok_or_else(invalid)? << 4 | low.ok_or_else(invalid)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Sha256 {
    type Error = InvalidSha256;

    fn try_from(text: String) -> Result<Self, InvalidSha256> {
        text.parse()
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sha256({self})")
    }
}

macro_rules! row_id {
    ($name:ident, $what:literal) => {
        #[doc = concat!("The key of ", $what, " in the database.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

row_id!(JobId, "a job");
row_id!(LoopId, "a loop");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_and_dots_are_uids() {
        for good in ["1", "1.2.840.10008", "2.25.01", &"1".repeat(64)] {
            assert!(good.parse::<SopUid>().is_ok(), "{good}");
        }
        for bad in ["", ".", "1..2", "1.", "../../etc/passwd", "1.2.a", "1.2\\3", "1.2 ", &"1".repeat(65)] {
            assert!(bad.parse::<SopUid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_uid_from_json_is_checked_too() {
        assert!(serde_json::from_str::<StudyUid>("\"1.2.3\"").is_ok());
        assert!(serde_json::from_str::<StudyUid>("\"../x\"").is_err());
    }

    #[test]
    fn a_digest_is_read_back_from_its_text() {
        let digest = Sha256::from(std::array::from_fn(|index| (index * 37) as u8));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
        assert!("00".parse::<Sha256>().is_err());
        assert!("g".repeat(64).parse::<Sha256>().is_err());
    }
}
