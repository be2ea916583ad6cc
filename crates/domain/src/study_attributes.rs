//! Attributes of a patient and a study, as stored.

use std::collections::BTreeMap;
use std::fmt;

/// Values of patient and study attributes as the bytes of a file, by group and element. They name the patient: `Debug` shows
/// no value, and nothing logs them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StudyAttributes(BTreeMap<(u16, u16), Vec<u8>>);

impl StudyAttributes {
    /// The attributes, as groups and elements: character set and time zone, the modules Patient, Patient Study and General
    /// Study as far as they are text. Study Instance UID is not among them: the database has it.
    pub const TAGS: [(u16, u16); 23] = [
        (0x0008, 0x0005),
        (0x0008, 0x0020),
        (0x0008, 0x0030),
        (0x0008, 0x0050),
        (0x0008, 0x0090),
        (0x0008, 0x0201),
        (0x0008, 0x1030),
        (0x0010, 0x0010),
        (0x0010, 0x0020),
        (0x0010, 0x0021),
        (0x0010, 0x0030),
        (0x0010, 0x0032),
        (0x0010, 0x0040),
        (0x0010, 0x1000),
        (0x0010, 0x1001),
        (0x0010, 0x1010),
        (0x0010, 0x1020),
        (0x0010, 0x1030),
        (0x0010, 0x2160),
        (0x0010, 0x2180),
        (0x0010, 0x21B0),
        (0x0010, 0x4000),
        (0x0020, 0x0010),
    ];

    /// Adds or replaces a value.
    pub fn insert(&mut self, tag: (u16, u16), value: Vec<u8>) {
        self.0.insert(tag, value);
    }

    /// Returns the value of an attribute.
    pub fn get(&self, tag: (u16, u16)) -> Option<&[u8]> {
        self.0.get(&tag).map(Vec::as_slice)
    }

    /// Returns every attribute, by tag.
    pub fn iter(&self) -> impl Iterator<Item = ((u16, u16), &[u8])> {
        self.0.iter().map(|(tag, value)| (*tag, value.as_slice()))
    }
}

impl fmt::Debug for StudyAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StudyAttributes({} values)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_shown() {
        let mut attributes = StudyAttributes::default();
        attributes.insert((0x0010, 0x0010), b"Doe^Jane".to_vec());
        assert_eq!(attributes.get((0x0010, 0x0010)), Some(&b"Doe^Jane"[..]));
        assert!(!format!("{attributes:?}").contains("Doe"));
    }
}
