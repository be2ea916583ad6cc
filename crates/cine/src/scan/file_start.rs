//! The start of a file: preamble, file meta group, and where and how the data set begins (PS3.10 section 7).

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use crate::error::CineError;
use crate::scan::cursor::Cursor;
use crate::scan::dataset::{DataSet, Value};
use crate::scan::element_header::{is_known_vr, read_element_header, tag_from};
use crate::scan::wanted::{Wanted, wanted};
use crate::scan::{Encoding, Source};
use domain::{Finding, FindingCode};

/// Start of a file, before its data set.
#[derive(Debug)]
pub(crate) struct FileStart {
    /// The kept elements of the file meta group.
    pub meta: DataSet,
    /// The stated transfer syntax, empty where there is none.
    pub transfer_syntax: String,
    /// Offset of the data set (of its deflated form, where it is deflated).
    pub data_set_offset: u64,
    /// Encoding of the data set, determined from its first bytes where it is not deflated.
    pub encoding: Encoding,
    /// True if the data set is deflated.
    pub deflated: bool,
    /// True if the DICM mark is there.
    pub has_dicm_mark: bool,
}

/// Finds the data set of a file with or without preamble, file meta and group length.
pub(crate) fn find_data_set(source: &Source, findings: &mut Vec<Finding>) -> Result<FileStart, CineError> {
    let mut start = vec![0; 140];
    let count = source
        .read_up_to(0, &mut start)
        .map_err(|source| CineError::Io { doing: "reading the start of the file", source })?;
    start.truncate(count);
    if start.is_empty() {
        return Err(CineError::Truncated { inside: "an empty file".into() });
    }
    let meta_offset = if start.get(128..132) == Some(b"DICM") {
        132
    } else if start.starts_with(b"DICM") {
        4
    } else {
        0
    };
    if meta_offset == 0 {
        check_looks_like_a_data_set(&start)?;
        findings.push(Finding::new(FindingCode::PreambleMissing, "the file has no preamble and no DICM mark"));
    } else if source.len() <= meta_offset {
        return Err(CineError::Truncated { inside: "the file meta group".into() });
    }
    let (meta, data_set_offset) = read_meta(source, meta_offset)?;
    let transfer_syntax = meta.text(tags::TRANSFER_SYNTAX_UID).unwrap_or_default();
    let deflated = transfer_syntax == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
    let stated = stated_encoding(&transfer_syntax);
    let encoding = if deflated {
        Encoding::EXPLICIT_LITTLE
    } else {
        let first = Cursor::new(source, data_set_offset).peek::<8>()?;
        let seen = first.and_then(encoding_of_first_element).unwrap_or(stated);
        if seen != stated && !transfer_syntax.is_empty() {
            let message = "the data set is not encoded as its transfer syntax says";
            findings.push(Finding::new(FindingCode::EncodingDisagreesWithTransferSyntax, message));
        }
        seen
    };
    if transfer_syntax.is_empty() {
        let message = "no transfer syntax is stated; the encoding was told from the first element";
        findings.push(Finding::new(FindingCode::TransferSyntaxMissing, message));
    }
    Ok(FileStart { meta, transfer_syntax, data_set_offset, encoding, deflated, has_dicm_mark: meta_offset != 0 })
}

/// Returns the encoding that a transfer syntax states; all but two are explicit little endian (PS3.5 annex A).
fn stated_encoding(transfer_syntax: &str) -> Encoding {
    match transfer_syntax {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => Encoding::IMPLICIT_LITTLE,
        "1.2.840.10008.1.2.2" => Encoding { explicit_vr: true, big_endian: true },
        _ => Encoding::EXPLICIT_LITTLE,
    }
}

/// Returns the encoding as the first element shows it: the first group is small, so its byte order is plain to see.
pub(crate) fn encoding_of_first_element(first: [u8; 8]) -> Option<Encoding> {
    let [a, b, c, d, v0, v1, _, _] = first;
    let little = tag_from([a, b, c, d], false);
    let big = tag_from([a, b, c, d], true);
    let big_endian = match (little.group(), big.group()) {
        (0, 0) => return None,
        (group, _) if group <= 0x00FF => false,
        (_, group) if group <= 0x00FF => true,
        _ => return None,
    };
    Some(Encoding { explicit_vr: is_known_vr([v0, v1]), big_endian })
}

/// Returns the name of an archive's format, by its first bytes.
fn archive_format(start: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "ZIP"),
        (b"\x1F\x8B", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xFD7zXZ", "xz"),
        (b"7z\xBC\xAF", "7-Zip"),
        (b"Rar!", "RAR"),
    ];
    FORMATS.iter().find(|(mark, _)| start.starts_with(mark)).map(|(_, format)| *format)
}

/// Refuses a file without preamble unless its first element is one that a data set begins with.
fn check_looks_like_a_data_set(start: &[u8]) -> Result<(), CineError> {
    let refuse = |reason: &str| Err(CineError::NotDicom { reason: reason.into() });
    if let Some(format) = archive_format(start) {
        return Err(CineError::Archive { format });
    }
    let Some(first) = start.first_chunk::<8>() else {
        return refuse("shorter than one element and without the DICM mark");
    };
    let Some(encoding) = encoding_of_first_element(*first) else {
        return refuse("neither the DICM mark nor a first element");
    };
    let [a, b, c, d, _, _, l0, l1] = *first;
    let tag = tag_from([a, b, c, d], encoding.big_endian);
    let known_group = matches!(tag.group(), 0x0002 | 0x0004 | 0x0008);
    // Without a value representation to recognize, a first value longer than 16 MiB gives noise away.
    let sane_length = encoding.explicit_vr || if encoding.big_endian { first[4] == 0 } else { l1 == 0 && l0 == 0 };
    if known_group && sane_length { Ok(()) } else { refuse("neither the DICM mark nor a plausible first element") }
}

/// Reads the elements of group 0002, which are explicit little endian in a sound file; stops at the first other group.
fn read_meta(source: &Source, offset: u64) -> Result<(DataSet, u64), CineError> {
    let mut meta = DataSet::new(false);
    let mut cursor = Cursor::new(source, offset);
    loop {
        let start = cursor.position;
        let Some([a, b, c, d, v0, v1]) = cursor.peek::<6>()? else {
            return Ok((meta, start));
        };
        if tag_from([a, b, c, d], false).group() != 0x0002 {
            return Ok((meta, start));
        }
        let encoding = Encoding { explicit_vr: is_known_vr([v0, v1]), big_endian: false };
        let truncated = || CineError::Truncated { inside: "the file meta group".into() };
        let header = read_element_header(&mut cursor, encoding)?.ok_or_else(truncated)?;
        let end = header.value_offset.saturating_add(u64::from(header.length));
        if end > source.len() {
            return Err(truncated());
        }
        keep_value(source, &mut meta, (header.tag, wanted(header.tag)), header.value_offset, u64::from(header.length))?;
        cursor.position = end;
    }
}

/// Reads a value that is wanted and not too long; says whether it was wanted but too long.
pub(crate) fn keep_value(
    source: &Source,
    kept: &mut DataSet,
    (tag, wanted): (Tag, Wanted),
    offset: u64,
    length: u64,
) -> Result<bool, CineError> {
    match wanted {
        Wanted::Value { max_bytes } if length <= max_bytes => {
            let bytes = source.read_vec(offset, length, "an element's value")?;
            kept.push(tag, Value::Bytes(bytes));
            Ok(false)
        }
        Wanted::Value { .. } => Ok(true),
        Wanted::Sequence | Wanted::No => Ok(false),
    }
}
