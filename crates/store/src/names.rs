//! The names by which people call studies and loops.

use std::fmt;
use std::str::FromStr;

/// A name of a study: its number in the database, or the begin of its UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudyName {
    /// The number that inventories show.
    Number(i64),
    /// The first digits of the Study Instance UID, or all of them.
    UidPrefix(String),
}

/// A name of a loop: `STUDY/NUMBER`, or the begin of its UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoopName {
    /// The number of a loop in its study, as inventories show it.
    InStudy {
        /// Its study.
        study: StudyName,
        /// Its number, from 1.
        number: usize,
    },
    /// The first digits of the SOP Instance UID, or all of them.
    UidPrefix(String),
}

/// A text that names no study and no loop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a UID or the begin of one, the number of a study such as 12, or of a loop in it such as 12/3")]
pub struct InvalidName;

/// Longest text that is taken for a number; the begin of a UID without a dot is shorter still.
const MAX_NUMBER_DIGITS: usize = 9;

fn is_uid_prefix(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

impl FromStr for StudyName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text.parse() {
            Ok(number) if text.len() <= MAX_NUMBER_DIGITS => Ok(Self::Number(number)),
            _ if is_uid_prefix(text) => Ok(Self::UidPrefix(text.to_owned())),
            _ => Err(InvalidName),
        }
    }
}

impl FromStr for LoopName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text.split_once('/') {
            Some((study, number)) => {
                let number = number.parse().ok().filter(|number| *number > 0).ok_or(InvalidName)?;
                Ok(Self::InStudy { study: study.parse()?, number })
            }
            None if is_uid_prefix(text) => Ok(Self::UidPrefix(text.to_owned())),
            None => Err(InvalidName),
        }
    }
}

impl fmt::Display for StudyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::UidPrefix(prefix) => formatter.write_str(prefix),
        }
    }
}

impl fmt::Display for LoopName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InStudy { study, number } => write!(formatter, "{study}/{number}"),
            Self::UidPrefix(prefix) => formatter.write_str(prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_uids_and_places_in_a_study_are_names_and_nothing_else_is() {
        assert_eq!("12".parse(), Ok(StudyName::Number(12)));
        assert_eq!("1.2.8".parse(), Ok(StudyName::UidPrefix("1.2.8".to_owned())));
        assert_eq!("12/3".parse(), Ok(LoopName::InStudy { study: StudyName::Number(12), number: 3 }));
        for text in ["", "12/0", "12/", "/3", "PLAX", "1/2/3", "-1"] {
            assert!(text.parse::<LoopName>().is_err(), "{text}");
        }
        for text in ["12/3", "1.2.8/4", "1.2"] {
            assert_eq!(text.parse::<LoopName>().unwrap().to_string(), text);
        }
    }
}
