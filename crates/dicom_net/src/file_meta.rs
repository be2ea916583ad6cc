//! The file meta group (PS3.10 section 7.1): written before what is received, walked over in what is sent.

use std::io::{self, Read, Seek, SeekFrom};

/// Our implementation class. It never changes: the same object must give the same bytes in every version.
pub(crate) const IMPLEMENTATION_CLASS: &str = "2.25.204962873515466307815083476163817403429";

/// Bytes of a value of the meta group that are read, at most.
const MAX_VALUE: u32 = 1024;

/// Bytes of the meta group, at most: a file with more is damaged.
pub(crate) const MAX_META: u64 = 1 << 20;

/// Bytes that every element begins with.
const ELEMENT_HEADER: usize = 8;

/// The UIDs of an object, as its meta group or the command says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ObjectKind {
    pub sop_class: String,
    pub sop_instance: String,
    pub transfer_syntax: String,
}

impl ObjectKind {
    /// Returns preamble and meta group. They depend on the object alone, not on who sent it or when.
    pub fn file_start(&self) -> Vec<u8> {
        let mut group = Vec::new();
        // File Meta Information Version.
        group.extend(b"\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01");
        for (number, uid) in [
            (0x02_u16, self.sop_class.as_str()),
            (0x03, &self.sop_instance),
            (0x10, &self.transfer_syntax),
            (0x12, IMPLEMENTATION_CLASS),
        ] {
            let padding = uid.len() % 2;
            group.extend([2, 0]);
            group.extend(number.to_le_bytes());
            group.extend(b"UI");
            group.extend(((uid.len() + padding) as u16).to_le_bytes());
            group.extend(uid.as_bytes());
            group.extend(&[0][..padding]);
        }
        let mut start = vec![0; 128];
        start.extend(b"DICM\x02\0\0\0UL\x04\0");
        start.extend((group.len() as u32).to_le_bytes());
        start.extend(group);
        start
    }

    /// Reads the meta group from the first bytes of a file, and returns where the data set begins. `None` where its end may not
    /// have come yet; `is_whole` says that no more comes.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_start(start: &[u8], is_whole: bool) -> io::Result<Option<(Self, usize)>> {
        let mut reader = io::Cursor::new(start);
        let read = Self::read(&mut reader);
        let data_set = reader.position() as usize;
        if !is_whole && data_set + ELEMENT_HEADER > start.len() {
            return Ok(None);
        }
        read.map(|kind| Some((kind, data_set.min(start.len()))))
    }

    /// Reads the meta group of a file and leaves `reader` at the first byte of the data set.
    ///
    /// The elements are walked: real files declare a wrong length of the group.
    ///
    /// # Errors
    /// The file cannot be read, or has no meta group that names class, instance and transfer syntax.
    pub fn read(reader: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut start = [0; 132];
        reader.read_exact(&mut start)?;
        if start[128..] != *b"DICM" {
            return Err(invalid("the file does not begin as a DICOM file"));
        }
        let mut uids = [const { None }; 3];
        let data_set = loop {
            let position = reader.stream_position()?;
            if position > MAX_META {
                return Err(invalid("the file meta group has no end"));
            }
            let Some((number, length)) = element_header(reader)? else { break position };
            match [0x02, 0x03, 0x10].iter().position(|wanted| *wanted == number) {
                Some(at) if length <= MAX_VALUE => uids[at] = Some(uid(reader, length)?),
                _ => {
                    reader.seek(SeekFrom::Current(i64::from(length)))?;
                }
            }
        };
        reader.seek(SeekFrom::Start(data_set))?;
        match uids {
            [Some(sop_class), Some(sop_instance), Some(transfer_syntax)] => {
                Ok(Self { sop_class, sop_instance, transfer_syntax })
            }
            _ => Err(invalid("the file meta group lacks class, instance or transfer syntax")),
        }
    }
}

/// Reads the header of an element of group 0002: its number and the length of its value. `None` at the data set.
fn element_header(reader: &mut impl Read) -> io::Result<Option<(u16, u32)>> {
    let mut header = [0; ELEMENT_HEADER];
    match reader.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    if header[..2] != [2, 0] {
        return Ok(None);
    }
    let number = u16::from_le_bytes([header[2], header[3]]);
    let length = match &header[4..6] {
        b"OB" | b"OW" | b"UN" | b"UT" | b"SQ" => {
            let mut long = [0; 4];
            reader.read_exact(&mut long)?;
            u32::from_le_bytes(long)
        }
        _ => u32::from(u16::from_le_bytes([header[6], header[7]])),
    };
    Ok(Some((number, length)))
}

fn uid(reader: &mut impl Read, length: u32) -> io::Result<String> {
    let mut value = vec![0; length as usize];
    reader.read_exact(&mut value)?;
    let text = String::from_utf8(value).map_err(|_| invalid("a UID of the file meta group is no text"))?;
    Ok(text.trim_end_matches(['\0', ' ']).to_owned())
}

fn invalid(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn kind() -> ObjectKind {
        ObjectKind {
            sop_class: "1.2.840.10008.5.1.4.1.1.3.1".into(),
            sop_instance: "1.2.3".into(),
            transfer_syntax: "1.2.840.10008.1.2.1".into(),
        }
    }

    #[test]
    fn what_was_written_is_read_and_the_data_set_follows() {
        let mut file = kind().file_start();
        let start = file.len() as u64;
        file.extend(b"\x08\0\x16\0data set");
        let mut reader = Cursor::new(file);
        assert_eq!(ObjectKind::read(&mut reader).unwrap(), kind());
        assert_eq!(reader.position(), start);
    }

    #[test]
    fn the_group_is_read_when_it_has_come() {
        let mut file = kind().file_start();
        let start = file.len();
        file.extend(b"\x08\0\x16\0UI\0\0rest");
        for length in 0..start + 8 {
            assert_eq!(ObjectKind::from_start(&file[..length], false).unwrap(), None, "{length}");
        }
        assert_eq!(ObjectKind::from_start(&file, false).unwrap(), Some((kind(), start)));
        assert_eq!(ObjectKind::from_start(&file[..start], true).unwrap(), Some((kind(), start)));
        assert!(ObjectKind::from_start(&file[..170], true).is_err());
        assert!(ObjectKind::from_start(&[0; 200], false).is_err());
    }

    #[test]
    fn a_wrong_length_of_the_group_does_not_matter() {
        let mut file = kind().file_start();
        let start = file.len() as u64;
        file[140] ^= 0x0F;
        file.extend([8, 0, 22, 0, b'U', b'I', 0, 0]);
        let mut reader = Cursor::new(file);
        ObjectKind::read(&mut reader).unwrap();
        assert_eq!(reader.position(), start);
    }

    #[test]
    fn what_is_no_file_of_an_object_is_an_error() {
        let whole = kind().file_start();
        for length in [0, 100, 132, 140, 170] {
            assert!(ObjectKind::read(&mut Cursor::new(&whole[..length])).is_err(), "{length}");
        }
        assert!(ObjectKind::read(&mut Cursor::new([0; 200])).is_err());
    }
}
