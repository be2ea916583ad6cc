//! Command sets: the first part of every DICOM message (PS3.7 section 6.3), in implicit little endian.

use std::collections::BTreeMap;

/// Elements of group 0000.
pub(crate) mod element {
    pub const GROUP_LENGTH: u16 = 0x0000;
    pub const AFFECTED_SOP_CLASS: u16 = 0x0002;
    pub const REQUESTED_SOP_CLASS: u16 = 0x0003;
    pub const COMMAND_FIELD: u16 = 0x0100;
    pub const MESSAGE_ID: u16 = 0x0110;
    pub const MESSAGE_ID_RESPONDED_TO: u16 = 0x0120;
    pub const PRIORITY: u16 = 0x0700;
    pub const DATA_SET_TYPE: u16 = 0x0800;
    pub const STATUS: u16 = 0x0900;
    pub const ERROR_COMMENT: u16 = 0x0902;
    pub const AFFECTED_SOP_INSTANCE: u16 = 0x1000;
    pub const REQUESTED_SOP_INSTANCE: u16 = 0x1001;
    pub const EVENT_TYPE: u16 = 0x1002;
    pub const ACTION_TYPE: u16 = 0x1008;
}

/// Values of the command field.
pub(crate) mod field {
    pub const C_STORE_RQ: u16 = 0x0001;
    pub const C_ECHO_RQ: u16 = 0x0030;
    pub const N_EVENT_REPORT_RQ: u16 = 0x0100;
    pub const N_ACTION_RQ: u16 = 0x0130;
    pub const C_CANCEL_RQ: u16 = 0x0FFF;
    /// Set in the field of every response.
    pub const RESPONSE: u16 = 0x8000;
}

/// The value of the data set type of a message without a data set.
pub(crate) const NO_DATA_SET: u16 = 0x0101;

/// The value of the data set type of a message with one.
pub(crate) const HAS_DATA_SET: u16 = 0x0001;

/// Characters of an error comment, at most (value representation LO).
const MAX_COMMENT: usize = 64;

/// A command set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Command {
    elements: BTreeMap<u16, Vec<u8>>,
}

/// Bytes that are no command set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the command set is malformed")]
pub(crate) struct MalformedCommand;

impl Command {
    /// Returns a request or response of the kind `field`.
    pub fn new(field: u16, data_set_type: u16) -> Self {
        Self::default().with_number(element::COMMAND_FIELD, field).with_number(element::DATA_SET_TYPE, data_set_type)
    }

    /// Returns the response to `request`, without a data set.
    pub fn response(request: &Self, status: u16) -> Self {
        let field = request.number(element::COMMAND_FIELD).unwrap_or_default() | field::RESPONSE;
        let mut response = Self::new(field, NO_DATA_SET)
            .with_number(element::MESSAGE_ID_RESPONDED_TO, request.number(element::MESSAGE_ID).unwrap_or_default())
            .with_number(element::STATUS, status);
        for (copied, to) in [
            (element::AFFECTED_SOP_CLASS, element::AFFECTED_SOP_CLASS),
            (element::AFFECTED_SOP_INSTANCE, element::AFFECTED_SOP_INSTANCE),
            (element::REQUESTED_SOP_CLASS, element::AFFECTED_SOP_CLASS),
            (element::REQUESTED_SOP_INSTANCE, element::AFFECTED_SOP_INSTANCE),
        ] {
            if let Some(value) = request.elements.get(&copied) {
                response.elements.insert(to, value.clone());
            }
        }
        response
    }

    /// Reads a command set. Elements may come in any order, and a group length may be wrong.
    ///
    /// # Errors
    /// The bytes end inside an element, or an element is of another group.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, MalformedCommand> {
        let mut elements = BTreeMap::new();
        while let Some((header, rest)) = bytes.split_first_chunk::<8>() {
            let [group_low, group_high, low, high, length @ ..] = *header;
            let length = u32::from_le_bytes(length) as usize;
            if [group_low, group_high] != [0, 0] || length > rest.len() {
                return Err(MalformedCommand);
            }
            let (value, rest) = rest.split_at(length);
            elements.insert(u16::from_le_bytes([low, high]), value.to_vec());
            bytes = rest;
        }
        if bytes.is_empty() { Ok(Self { elements }) } else { Err(MalformedCommand) }
    }

    /// Returns the bytes of the command set, group length first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let elements = self.elements.iter().filter(|(number, _)| **number != element::GROUP_LENGTH);
        for (number, value) in elements {
            push_element(&mut bytes, *number, value);
        }
        let mut set = Vec::with_capacity(12 + bytes.len());
        push_element(&mut set, element::GROUP_LENGTH, &(bytes.len() as u32).to_le_bytes());
        set.extend(bytes);
        set
    }

    pub fn with_number(mut self, element: u16, value: u16) -> Self {
        self.elements.insert(element, value.to_le_bytes().to_vec());
        self
    }

    pub fn with_uid(mut self, element: u16, uid: &str) -> Self {
        let mut value = uid.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(0);
        }
        self.elements.insert(element, value);
        self
    }

    /// Adds the reason of a failure, cut to what the element can hold.
    pub fn with_comment(mut self, comment: &str) -> Self {
        let printable =
            |character: char| if character.is_ascii_graphic() || character == ' ' { character } else { '?' };
        let mut value: String = comment.chars().map(printable).take(MAX_COMMENT).collect();
        if value.len() % 2 == 1 {
            value.push(' ');
        }
        self.elements.insert(element::ERROR_COMMENT, value.into_bytes());
        self
    }

    pub fn number(&self, element: u16) -> Option<u16> {
        let value = self.elements.get(&element)?;
        Some(u16::from_le_bytes(value.as_slice().try_into().ok()?))
    }

    /// Returns a UID as it was sent, without its padding; it may be anything.
    pub fn uid(&self, element: u16) -> Option<&str> {
        let value = std::str::from_utf8(self.elements.get(&element)?).ok()?;
        Some(value.trim_end_matches(['\0', ' ']))
    }

    /// Returns true when a data set follows.
    pub fn has_data_set(&self) -> bool {
        self.number(element::DATA_SET_TYPE).is_some_and(|kind| kind != NO_DATA_SET)
    }
}

fn push_element(bytes: &mut Vec<u8>, number: u16, value: &[u8]) {
    bytes.extend([0, 0]);
    bytes.extend(number.to_le_bytes());
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend(value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_echo_request_is_encoded_as_the_standard_says() {
        let request = Command::new(field::C_ECHO_RQ, NO_DATA_SET)
            .with_uid(element::AFFECTED_SOP_CLASS, "1.2.840.10008.1.1")
            .with_number(element::MESSAGE_ID, 7);
        let bytes = request.to_bytes();
        assert_eq!(bytes[..12], [0, 0, 0, 0, 4, 0, 0, 0, 56, 0, 0, 0]);
        assert_eq!(bytes[12..38], *b"\0\0\x02\0\x12\0\0\x001.2.840.10008.1.1\0");
        let read = Command::from_bytes(&bytes).unwrap();
        assert_eq!(read.uid(element::AFFECTED_SOP_CLASS), Some("1.2.840.10008.1.1"));
        assert_eq!((read.number(element::MESSAGE_ID), read.has_data_set()), (Some(7), false));
        let response = Command::response(&read, status());
        assert_eq!(response.number(element::COMMAND_FIELD), Some(0x8030));
        assert_eq!(response.number(element::MESSAGE_ID_RESPONDED_TO), Some(7));
    }

    const fn status() -> u16 {
        crate::status::SUCCESS
    }

    #[test]
    fn a_comment_fits_its_element() {
        let command = Command::default().with_comment(&"ä".repeat(200));
        assert_eq!(command.elements[&element::ERROR_COMMENT].len(), MAX_COMMENT);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_command_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(command) = Command::from_bytes(&bytes) {
                prop_assert!(Command::from_bytes(&command.to_bytes()).is_ok());
            }
        }

        #[test]
        fn what_was_written_is_read(numbers in prop::collection::btree_map(1_u16.., any::<u16>(), 0..9)) {
            let command = numbers.iter().fold(Command::default(), |command, (at, value)| command.with_number(*at, *value));
            let read = Command::from_bytes(&command.to_bytes()).unwrap();
            for (at, value) in numbers {
                prop_assert_eq!(read.number(at), Some(value));
            }
        }
    }
}
