//! Data sets of requests and reports.

use serde::{Deserialize, Serialize};

/// Group and number of an element.
type Tag = (u16, u16);

const TRANSACTION: Tag = (0x0008, 0x1195);
const FAILED: Tag = (0x0008, 0x1198);
const REFERENCED: Tag = (0x0008, 0x1199);
const CLASS: Tag = (0x0008, 0x1150);
const INSTANCE: Tag = (0x0008, 0x1155);
const REASON: Tag = (0x0008, 0x1197);
const ITEM: Tag = (0xFFFE, 0xE000);
const UNDEFINED: u32 = u32::MAX;

/// "No such object instance", as a failure reason.
const NOT_HERE: u16 = 0x0112;

/// The way in which a data set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Implicit,
    Explicit,
}

/// An object that a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub class: String,
    pub sop: String,
}

/// A request for commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub transaction: String,
    pub instances: Vec<Instance>,
}

impl Encoding {
    /// Returns the encoding of a transfer syntax of little endian; none for others.
    pub fn of(transfer_syntax: &str) -> Option<Self> {
        match transfer_syntax {
            "1.2.840.10008.1.2" => Some(Self::Implicit),
            "1.2.840.10008.1.2.1" => Some(Self::Explicit),
            _ => None,
        }
    }
}

impl Request {
    /// Reads a request. Nesting does not matter to what is read, so sequences and items are stepped into.
    ///
    /// `None` where it has no transaction, no objects, or ends inside an element.
    pub fn from_bytes(mut bytes: &[u8], encoding: Encoding) -> Option<Self> {
        let mut transaction = None;
        let mut class = String::new();
        let mut instances = Vec::new();
        while !bytes.is_empty() {
            let (Header { tag, is_sequence, length }, rest) = element_header(bytes, encoding)?;
            bytes = rest;
            if tag.0 == ITEM.0 || tag == REFERENCED || length == UNDEFINED || (is_sequence && tag == FAILED) {
                continue;
            }
            let (value, rest) = bytes.split_at_checked(length as usize)?;
            bytes = rest;
            let uid = || String::from_utf8_lossy(value).trim_end_matches(['\0', ' ']).to_owned();
            match tag {
                TRANSACTION => transaction = Some(uid()),
                CLASS => class = uid(),
                INSTANCE => instances.push(Instance { class: std::mem::take(&mut class), sop: uid() }),
                _ => {}
            }
        }
        let transaction = transaction.filter(|uid| domain::is_valid_uid(uid))?;
        (!instances.is_empty()).then_some(Self { transaction, instances })
    }

    /// Returns the data set of the report: `safe` says for each object whether it is.
    pub fn report(&self, safe: &[bool], encoding: Encoding) -> Vec<u8> {
        let items = |wanted: bool| {
            let chosen = self.instances.iter().zip(safe).filter(move |(_, safe)| **safe == wanted);
            let mut items = Vec::new();
            for (instance, _) in chosen {
                let mut item = uid_element(CLASS, &instance.class, encoding);
                item.extend(uid_element(INSTANCE, &instance.sop, encoding));
                if !wanted {
                    item.extend(element(REASON, b"US", &NOT_HERE.to_le_bytes(), encoding));
                }
                items.extend(tag_bytes(ITEM));
                items.extend((item.len() as u32).to_le_bytes());
                items.extend(item);
            }
            items
        };
        let mut bytes = uid_element(TRANSACTION, &self.transaction, encoding);
        for (tag, items) in [(FAILED, items(false)), (REFERENCED, items(true))] {
            if !items.is_empty() {
                bytes.extend(element(tag, b"SQ", &items, encoding));
            }
        }
        bytes
    }
}

/// The beginning of an element.
struct Header {
    tag: Tag,
    is_sequence: bool,
    length: u32,
}

/// Reads the beginning of an element; the rest begins at its value.
fn element_header(bytes: &[u8], encoding: Encoding) -> Option<(Header, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<8>()?;
    let tag = (u16::from_le_bytes([header[0], header[1]]), u16::from_le_bytes([header[2], header[3]]));
    let [.., a, b, c, d] = *header;
    if encoding == Encoding::Implicit || tag.0 == ITEM.0 {
        return Some((Header { tag, is_sequence: false, length: u32::from_le_bytes([a, b, c, d]) }, rest));
    }
    let is_sequence = [a, b] == *b"SQ";
    if is_sequence || [b"OB", b"OW", b"UN", b"UT", b"UC", b"UR", b"OF", b"OD", b"OL"].contains(&&[a, b]) {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        return Some((Header { tag, is_sequence, length: u32::from_le_bytes(*length) }, rest));
    }
    Some((Header { tag, is_sequence, length: u32::from(u16::from_le_bytes([c, d])) }, rest))
}

fn uid_element(tag: Tag, uid: &str, encoding: Encoding) -> Vec<u8> {
    let mut value = uid.as_bytes().to_vec();
    value.resize(value.len().next_multiple_of(2), 0);
    element(tag, b"UI", &value, encoding)
}

fn element(tag: Tag, vr: &[u8; 2], value: &[u8], encoding: Encoding) -> Vec<u8> {
    let mut bytes = tag_bytes(tag).to_vec();
    match encoding {
        Encoding::Implicit => bytes.extend((value.len() as u32).to_le_bytes()),
        Encoding::Explicit if vr == b"SQ" => {
            bytes.extend(b"SQ\0\0");
            bytes.extend((value.len() as u32).to_le_bytes());
        }
        Encoding::Explicit => {
            bytes.extend(vr);
            bytes.extend((value.len() as u16).to_le_bytes());
        }
    }
    bytes.extend(value);
    bytes
}

fn tag_bytes((group, number): Tag) -> [u8; 4] {
    let ([a, b], [c, d]) = (group.to_le_bytes(), number.to_le_bytes());
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request() -> Request {
        let instance = |number| Instance { class: "1.2.3".into(), sop: format!("1.2.3.{number}") };
        Request { transaction: "2.25.7".into(), instances: (0..3).map(instance).collect() }
    }

    #[test]
    fn a_report_without_failures_has_the_form_of_a_request() {
        for encoding in [Encoding::Implicit, Encoding::Explicit] {
            let bytes = request().report(&[true; 3], encoding);
            assert_eq!(Request::from_bytes(&bytes, encoding), Some(request()), "{encoding:?}");
        }
    }

    #[test]
    fn sequences_and_items_without_a_length_are_read() {
        let whole = request().report(&[true; 3], Encoding::Explicit);
        // The transaction has 8 bytes of header and 6 of value; 8 of the sequence's header stand before its length.
        let mut open = whole.clone();
        open[22..26].copy_from_slice(&[0xFF; 4]);
        open.extend(tag_bytes((0xFFFE, 0xE0DD)));
        open.extend([0; 4]);
        assert_eq!(Request::from_bytes(&open, Encoding::Explicit), Some(request()));
    }

    #[test]
    fn failures_are_listed_with_their_reason() {
        let bytes = request().report(&[true, false, true], Encoding::Implicit);
        let at = |needle: &[u8]| bytes.windows(needle.len()).position(|window| window == needle);
        let reason = at(&[8, 0, 0x97, 0x11, 2, 0, 0, 0, 0x12, 1]).expect("a reason");
        assert!(at(b"1.2.3.1").unwrap() < reason && reason < at(b"1.2.3.0").unwrap());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for encoding in [Encoding::Implicit, Encoding::Explicit] {
                let _ = Request::from_bytes(&bytes, encoding);
            }
        }
    }
}
