//! Our own walk over a DICOM file's element headers: bounded, without recursion, never reading pixel bytes.
//!
//! One reader decides where everything is, so that no two parsers can disagree about it. It keeps only the elements
//! named in [`wanted`]: a patient's name never enters memory, and a header cannot make us allocate. Only `patient` asks for
//! more.

mod cursor;
mod dataset;
mod element_header;
mod file_start;
mod inflate;
mod read_at;
mod source;
mod walk;
mod wanted;

use dicom_core::Tag;

#[cfg(test)]
pub(crate) use dataset::Value;
pub(crate) use dataset::{DataSet, words};
pub(crate) use file_start::{FileStart, find_data_set};
pub(crate) use inflate::inflated;
pub use read_at::ReadAt;
pub(crate) use read_at::open_file;
pub(crate) use source::Source;
pub(crate) use walk::{PixelLocation, Scan, scan_data_set, scan_elements};
pub(crate) use wanted::Wanted;

/// Encoding of element headers and numbers in a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// True if each element names its value representation.
    pub explicit_vr: bool,
    /// True if numbers are big endian.
    pub big_endian: bool,
}

impl Encoding {
    pub(crate) const EXPLICIT_LITTLE: Self = Self { explicit_vr: true, big_endian: false };
    pub(crate) const IMPLICIT_LITTLE: Self = Self { explicit_vr: false, big_endian: false };
}

/// Item and delimiters, which no dictionary lists (PS3.5 section 7.5).
pub(crate) const ITEM: Tag = Tag(0xFFFE, 0xE000);
pub(crate) const ITEM_DELIMITER: Tag = Tag(0xFFFE, 0xE00D);
pub(crate) const SEQUENCE_DELIMITER: Tag = Tag(0xFFFE, 0xE0DD);

/// The length that means "until the delimiter".
pub(crate) const UNDEFINED_LENGTH: u32 = 0xFFFF_FFFF;
