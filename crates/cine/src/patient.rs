//! The only file that reads who a patient is: a pseudonym for training, and the raw bytes that a report copies.

use std::path::Path;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use domain::{StudyAttributes, is_valid_uid};
use sha2::{Digest, Sha256};

use crate::CineError;
use crate::header::{InstanceUids, instance_uids};
use crate::scan::{DataSet, FileStart, Source, Wanted, find_data_set, inflated, open_file, scan_elements};

/// Longer than any attribute that a report copies: Patient Comments (LT) have 10240 characters, of four bytes at most.
const MAX_ATTRIBUTE_BYTES: u64 = 40 << 10;

/// Longer than any Patient ID, which has 64 characters (PS3.5 section 6.2, LO).
const MAX_ID_BYTES: u64 = 1 << 10;

/// Returns the SHA-256 of `key` followed by the Patient ID (0010,0020) of the file at `path`, as stored but for padding;
/// `None` where the ID is empty or cannot be read.
///
/// Who knows the key can test a guess of an ID: it is a pseudonym, not more.
pub fn patient_pseudonym(path: &Path, key: &str) -> Option<[u8; 32]> {
    let id = patient_id(Source::new(open_file(path).ok()?).ok()?).ok()??;
    Some(Sha256::new().chain_update(key).chain_update(id).finalize().into())
}

/// Attributes that a report of a study copies from one of its files. They name the patient, so they are shown and logged
/// nowhere.
#[derive(Debug, Clone)]
pub struct ReportHeader {
    /// SOP Class UID, where the file has a valid one.
    pub class: Option<String>,
    /// UIDs of the object, as for a loop.
    pub uids: InstanceUids,
    /// Patient and study attributes, as stored.
    pub attributes: StudyAttributes,
}

/// Reads what a report copies from the file at `path`.
///
/// # Errors
/// The file cannot be read, or is not DICOM.
pub fn report_header(path: &Path) -> Result<ReportHeader, CineError> {
    let file = Source::new(open_file(path)?)?;
    let mut findings = Vec::new();
    let start = find_data_set(&file, &mut findings)?;
    let data_set = scanned(&file, &start, of_report)?;
    let uids = instance_uids(&data_set, &start.meta, &file, &mut findings)?;
    let mut attributes = StudyAttributes::default();
    for tag in StudyAttributes::TAGS {
        if let Some(bytes) = data_set.bytes(Tag(tag.0, tag.1)) {
            attributes.insert(tag, bytes.to_vec());
        }
    }
    let class = data_set.text(tags::SOP_CLASS_UID).filter(|class| is_valid_uid(class));
    Ok(ReportHeader { class, uids, attributes })
}

fn patient_id(file: Source) -> Result<Option<Vec<u8>>, CineError> {
    // Whoever opens the loop hears of what is wrong with its header.
    let start = find_data_set(&file, &mut Vec::new())?;
    let data_set = scanned(&file, &start, only_patient_id)?;
    let is_padding = |byte: &u8| matches!(*byte, b' ' | 0);
    let id = data_set.bytes(tags::PATIENT_ID).unwrap_or_default();
    let Some(first) = id.iter().position(|byte| !is_padding(byte)) else { return Ok(None) };
    let last = id.iter().rposition(|byte| !is_padding(byte)).unwrap_or(first);
    Ok(Some(id[first..=last].to_vec()))
}

/// Returns the elements of a file that `wanted` names.
fn scanned(file: &Source, start: &FileStart, wanted: fn(Tag) -> Wanted) -> Result<DataSet, CineError> {
    let (source, offset) = match start.deflated {
        true => (inflated(file, start.data_set_offset)?.0, 0),
        false => (file.clone(), start.data_set_offset),
    };
    Ok(scan_elements(&source, offset, start.encoding, wanted, &mut Vec::new()).data_set)
}

fn of_report(tag: Tag) -> Wanted {
    const OBJECT: [Tag; 4] =
        [tags::SOP_CLASS_UID, tags::SOP_INSTANCE_UID, tags::STUDY_INSTANCE_UID, tags::SERIES_INSTANCE_UID];
    match OBJECT.contains(&tag) || StudyAttributes::TAGS.contains(&(tag.group(), tag.element())) {
        true => Wanted::Value { max_bytes: MAX_ATTRIBUTE_BYTES },
        false => Wanted::No,
    }
}

fn only_patient_id(tag: Tag) -> Wanted {
    if tag == tags::PATIENT_ID { Wanted::Value { max_bytes: MAX_ID_BYTES } } else { Wanted::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file without preamble, in explicit VR little endian.
    fn file(id: &[u8]) -> tempfile::NamedTempFile {
        let mut bytes = Vec::new();
        let mut element = |tag: (u16, u16), vr: &[u8; 2], value: &[u8]| {
            bytes.extend(tag.0.to_le_bytes());
            bytes.extend(tag.1.to_le_bytes());
            bytes.extend(vr);
            bytes.extend((value.len() as u16).to_le_bytes());
            bytes.extend(value);
        };
        element((0x0008, 0x0016), b"UI", b"1.2.840.10008.5.1.4.1.1.3.1\0");
        element((0x0008, 0x0060), b"CS", b"US");
        element((0x0010, 0x0020), b"LO", id);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn a_report_gets_the_bytes_as_stored_and_shows_none() {
        let header = report_header(file(b"M\xFCller").path()).unwrap();
        assert_eq!(header.attributes.get((0x0010, 0x0020)), Some(&b"M\xFCller"[..]));
        assert_eq!(header.class.as_deref(), Some("1.2.840.10008.5.1.4.1.1.3.1"));
        assert!(!format!("{header:?}").contains("ller"));
    }

    #[test]
    fn a_pseudonym_is_a_digest_of_key_and_id_without_padding() {
        let expected: [u8; 32] = Sha256::digest("patient\n1\n4711").into();
        for id in [&b"4711"[..], b" 4711 ", b"4711\0\0"] {
            assert_eq!(patient_pseudonym(file(id).path(), "patient\n1\n"), Some(expected), "{id:?}");
        }
        assert_ne!(patient_pseudonym(file(b"4711").path(), "patient\n2\n"), Some(expected));
        assert_eq!(patient_pseudonym(file(b"  ").path(), "key"), None);
        assert_eq!(patient_pseudonym(Path::new("/nowhere"), "key"), None);
    }
}
