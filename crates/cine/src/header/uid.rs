//! UIDs that are safe to store, to show and to build names from.

use std::str::FromStr;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use domain::{Finding, FindingCode, SeriesUid, SopUid, StudyUid};
use sha2::{Digest, Sha256};

use crate::error::CineError;
use crate::scan::{DataSet, Source};

const CHUNK_BYTES: usize = 1 << 20;

/// Returns a version 8 UUID that holds the first bits of a SHA-256: the same bytes always give the same UID.
fn uuid_from_digest(digest: &[u8]) -> u128 {
    let mut uuid = [0; 16];
    for (byte, hashed) in uuid.iter_mut().zip(digest) {
        *byte = *hashed;
    }
    uuid[6] = (uuid[6] & 0x0F) | 0x80;
    uuid[8] = (uuid[8] & 0x3F) | 0x80;
    u128::from_be_bytes(uuid)
}

/// The UIDs of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceUids {
    /// SOP Instance UID.
    pub sop: SopUid,
    /// Study Instance UID.
    pub study: StudyUid,
    /// Series Instance UID.
    pub series: SeriesUid,
    /// SOP Class UID, as the data set says it.
    pub sop_class: Option<String>,
}

/// Reads SOP, study and series Instance UID; one that is absent or invalid is made, with a finding.
///
/// # Errors
/// The file cannot be read for the digest that a made SOP Instance UID holds.
pub(crate) fn instance_uids(
    data_set: &DataSet,
    meta: &DataSet,
    source: &Source,
    findings: &mut Vec<Finding>,
) -> Result<InstanceUids, CineError> {
    let sop = sop_instance_uid(data_set, meta, source, findings)?;
    let mut derive = |tag, code| {
        let message = format!("the UID {tag} is {}; one was made in its place", presence(data_set, tag));
        findings.push(Finding::new(code, message));
        uuid_of_group(data_set, tag, &sop)
    };
    let study = valid_uid(data_set, tags::STUDY_INSTANCE_UID)
        .unwrap_or_else(|| StudyUid::from_uuid(derive(tags::STUDY_INSTANCE_UID, FindingCode::StudyInstanceUidDerived)));
    let series = valid_uid(data_set, tags::SERIES_INSTANCE_UID).unwrap_or_else(|| {
        SeriesUid::from_uuid(derive(tags::SERIES_INSTANCE_UID, FindingCode::SeriesInstanceUidDerived))
    });
    Ok(InstanceUids { sop, study, series, sop_class: data_set.text(tags::SOP_CLASS_UID) })
}

/// Reads the SOP Instance UID of the data set, else of the file meta group, else makes one from the whole file's bytes.
fn sop_instance_uid(
    data_set: &DataSet,
    meta: &DataSet,
    source: &Source,
    findings: &mut Vec<Finding>,
) -> Result<SopUid, CineError> {
    if let Some(uid) = valid_uid(data_set, tags::SOP_INSTANCE_UID) {
        return Ok(uid);
    }
    if let Some(uid) = valid_uid(meta, tags::MEDIA_STORAGE_SOP_INSTANCE_UID) {
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
    Ok(SopUid::from_uuid(uuid_from_digest(&hasher.finalize())))
}

fn valid_uid<U: FromStr>(data_set: &DataSet, tag: Tag) -> Option<U> {
    data_set.text(tag)?.parse().ok()
}

fn presence(data_set: &DataSet, tag: Tag) -> &'static str {
    if data_set.bytes(tag).is_some_and(|bytes| !bytes.is_empty()) { "invalid" } else { "absent" }
}

/// Returns the UUID of a study or series without a valid UID: an invalid one gives that of its text, so that what
/// belongs together stays together, an absent one that of the SOP instance.
fn uuid_of_group(data_set: &DataSet, tag: Tag, sop_instance_uid: &SopUid) -> u128 {
    let seed = match data_set.bytes(tag) {
        Some(bytes) if !bytes.is_empty() => bytes.to_vec(),
        _ => format!("{tag} of {sop_instance_uid}").into_bytes(),
    };
    uuid_from_digest(&Sha256::digest(seed))
}

#[cfg(test)]
mod tests {
    use domain::{SopUid, is_valid_uid};

    use super::uuid_from_digest;

    #[test]
    fn a_made_uid_is_valid_and_stable() {
        let uid = SopUid::from_uuid(uuid_from_digest(&[7; 32]));
        assert!(is_valid_uid(uid.as_str()));
        assert_eq!(uid, SopUid::from_uuid(uuid_from_digest(&[7; 32])));
        assert_ne!(uid, SopUid::from_uuid(uuid_from_digest(&[8; 32])));
    }
}
