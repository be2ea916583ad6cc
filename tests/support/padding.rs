//! Objects that are large.

use super::dicom::Object;
use super::support::receiver::data_set;

/// Returns the bytes of an object as a sender has it, with a meta group that names it, and trailing padding of some bytes.
pub fn with_padding(object: &Object, sop: &str, padding: usize) -> Vec<u8> {
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    for (element, uid) in [(2_u8, object.class), (3, sop), (0x10, object.transfer_syntax)] {
        let length = uid.len().next_multiple_of(2);
        bytes.extend([2, 0, element, 0, b'U', b'I', length as u8, 0]);
        bytes.extend(uid.bytes().chain([0]).take(length));
    }
    bytes.extend(data_set(&object.bytes()));
    if padding > 0 {
        // Data Set Trailing Padding.
        bytes.extend(b"\xFC\xFF\xFC\xFFOB\0\0");
        bytes.extend((padding as u32).to_le_bytes());
        bytes.resize(bytes.len() + padding, padding as u8);
    }
    bytes
}
