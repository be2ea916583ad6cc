//! Objects to send.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::PathBuf;

use crate::file_meta::ObjectKind;

/// A DICOM file to send: preamble, meta group, data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentObject {
    /// A file.
    File(PathBuf),
    /// The bytes of one.
    Bytes(Vec<u8>),
}

/// An object that is being sent.
pub(super) struct Outgoing<'a> {
    /// Its place in the list.
    pub at: usize,
    object: &'a SentObject,
    pub kind: ObjectKind,
}

impl<'a> Outgoing<'a> {
    pub fn open(at: usize, object: &'a SentObject) -> io::Result<Self> {
        let kind = match object {
            SentObject::File(path) => ObjectKind::read(&mut BufReader::new(File::open(path)?))?,
            SentObject::Bytes(bytes) => ObjectKind::read(&mut Cursor::new(bytes))?,
        };
        Ok(Self { at, object, kind })
    }

    /// Returns class and transfer syntax.
    pub fn context(&self) -> (String, String) {
        (self.kind.sop_class.clone(), self.kind.transfer_syntax.clone())
    }

    /// Returns a reader that stands at the data set.
    pub fn data_set(&self) -> io::Result<Box<dyn Read + '_>> {
        fn after_meta<'r>(mut reader: impl Read + Seek + 'r) -> io::Result<Box<dyn Read + 'r>> {
            ObjectKind::read(&mut reader)?;
            Ok(Box::new(reader))
        }
        match self.object {
            SentObject::File(path) => after_meta(BufReader::new(File::open(path)?)),
            SentObject::Bytes(bytes) => after_meta(Cursor::new(bytes)),
        }
    }
}
