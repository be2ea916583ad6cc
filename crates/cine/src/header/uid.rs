//! UIDs that are safe to store, to show and to build names from.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use sha2::{Digest, Sha256};

use crate::error::CineError;
use crate::scan::{DataSet, Source};
use domain::{Finding, FindingCode};

const CHUNK_BYTES: usize = 1 << 20;

/// Whether a text is a UID: digits and dots, components not empty, at most 64 characters (PS3.5 section 9.1).
///
/// Leading zeros are let through, since scanners write them and no harm comes of them.
pub(crate) fn is_valid_uid(text: &str) -> bool {
    let is_component = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    !text.is_empty() && text.len() <= 64 && text.split('.').all(is_component)
}

/// A UID made from bytes: `2.25.` and the decimal form of a UUID (PS3.5 annex B.2) that holds their SHA-256's first
/// bits as a version 8 UUID does. The same bytes always give the same UID.
fn uid_from_digest(digest: &[u8]) -> String {
    let mut uuid = [0; 16];
    for (byte, hashed) in uuid.iter_mut().zip(digest) {
        *byte = *hashed;
    }
    uuid[6] = (uuid[6] & 0x0F) | 0x80;
    uuid[8] = (uuid[8] & 0x3F) | 0x80;
    format!("2.25.{}", u128::from_be_bytes(uuid))
}

/// SOP, study and series Instance UID, all of them valid; made ones come with a finding.
pub(crate) fn instance_uids(
    data_set: &DataSet,
    meta: &DataSet,
    source: &Source,
    findings: &mut Vec<Finding>,
) -> Result<(String, String, String), CineError> {
    let sop = sop_instance_uid(data_set, meta, source, findings)?;
    let mut group = |tag, code| group_uid(data_set, tag, code, &sop, findings);
    let study = group(tags::STUDY_INSTANCE_UID, FindingCode::StudyInstanceUidDerived);
    let series = group(tags::SERIES_INSTANCE_UID, FindingCode::SeriesInstanceUidDerived);
    Ok((sop, study, series))
}

/// The SOP Instance UID: of the data set, else of the file meta group, else made from the whole file's bytes.
fn sop_instance_uid(
    data_set: &DataSet,
    meta: &DataSet,
    source: &Source,
    findings: &mut Vec<Finding>,
) -> Result<String, CineError> {
    let valid = |set: &DataSet, tag| set.text(tag).filter(|uid| is_valid_uid(uid));
    if let Some(uid) = valid(data_set, tags::SOP_INSTANCE_UID) {
        return Ok(uid);
    }
    if let Some(uid) = valid(meta, tags::MEDIA_STORAGE_SOP_INSTANCE_UID) {
        let message = "the data set has no valid SOP Instance UID; that of the file meta group is used";
        findings.push(Finding::new(FindingCode::SopInstanceUidFromMeta, message));
        return Ok(uid);
    }
    let message = "the file has no valid SOP Instance UID; one was made from its bytes";
    findings.push(Finding::new(FindingCode::SopInstanceUidDerived, message));
    let mut hasher = Sha256::new();
    let mut position = 0;
    while position < source.len() {
        let length = (source.len() - position).min(CHUNK_BYTES as u64);
        hasher.update(source.read_vec(position, length, "the file")?);
        position += length;
    }
    Ok(uid_from_digest(&hasher.finalize()))
}

/// A study's or series' UID; an invalid one gives a UID made from its text, so that what belongs together stays together,
/// an absent one a UID made from the SOP instance's.
fn group_uid(
    data_set: &DataSet,
    tag: Tag,
    code: FindingCode,
    sop_instance_uid: &str,
    findings: &mut Vec<Finding>,
) -> String {
    let text = data_set.text(tag);
    if let Some(uid) = text.as_deref().filter(|uid| is_valid_uid(uid)) {
        return uid.to_owned();
    }
    let state = if data_set.bytes(tag).is_some_and(|bytes| !bytes.is_empty()) { "invalid" } else { "absent" };
    findings.push(Finding::new(code, format!("the UID {tag} is {state}; one was made in its place")));
    let seed = match data_set.bytes(tag) {
        Some(bytes) if !bytes.is_empty() => bytes.to_vec(),
        _ => format!("{tag} of {sop_instance_uid}").into_bytes(),
    };
    uid_from_digest(&Sha256::digest(seed))
}

#[cfg(test)]
mod tests {
    use super::{is_valid_uid, uid_from_digest};

    #[test]
    fn only_digits_and_dots_are_uids() {
        assert!(is_valid_uid("1.2.840.10008"));
        for bad in ["", ".", "1..2", "../../etc/passwd", "1.2.a", "1.2\\3"] {
            assert!(!is_valid_uid(bad), "{bad}");
        }
        assert!(!is_valid_uid(&"1".repeat(65)));
    }

    #[test]
    fn a_made_uid_is_valid_and_stable() {
        let uid = uid_from_digest(&[7; 32]);
        assert!(is_valid_uid(&uid));
        assert_eq!(uid, uid_from_digest(&[7; 32]));
        assert_ne!(uid, uid_from_digest(&[8; 32]));
    }
}
