//! True if a file is all there, told from its bytes.

use std::path::Path;

use dicom_dictionary_std::tags;

use crate::codec::{Codec, codec_of};
use crate::error::CineError;
use crate::frames::{
    Extent, Fragments, FragmentsEnd, FrameTail, basic_offset_table, codestream_at, frame_tail, group_fragments,
    stored_layout, walk_fragments,
};
use crate::header::{ImageFormat, InstanceUids, declared_frames, instance_uids};
use crate::open::{OpenedDataSet, open_data_set};
use crate::scan::{Encoding, PixelLocation, Source, scan_data_set};
use domain::is_valid_uid;

/// The answer to the question if a file is all there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Every byte that the file announces is there.
    Complete {
        /// The UIDs of the object, where it is an image or names its study.
        uids: Option<InstanceUids>,
    },
    /// Something is missing: the file may still be growing.
    Incomplete {
        /// The missing part.
        reason: String,
        /// The UIDs of the object, where the header that is there names its study.
        uids: Option<InstanceUids>,
    },
    /// The bytes are those of an archive.
    Archive {
        /// Its format.
        reason: String,
    },
    /// The bytes are not DICOM and more of them would not help.
    NotDicom {
        /// Content that was found instead.
        reason: String,
    },
}

/// Tells whether the file at `path` is all there.
///
/// It is when its elements end where the file ends (padding aside), encapsulated pixel data ends with its delimiter,
/// holds as many frames as Number of Frames says, and its last frame ends with an end-of-image mark; native pixel data
/// is as long as its frames. Only headers and the last bytes of each frame are read. A file that is damaged in a way
/// that waiting cannot mend counts as complete: reading it then names the damage.
pub fn completeness(path: &Path) -> Completeness {
    let opened = match open_data_set(path, &mut Vec::new()) {
        Ok(opened) => opened,
        Err(error) => return after_error(error, None),
    };
    match missing_part(&opened) {
        Ok(None) => Completeness::Complete { uids: object_uids(&opened) },
        Ok(Some(reason)) => Completeness::Incomplete { reason, uids: stated_uids(&opened) },
        Err(error) => after_error(error, object_uids(&opened)),
    }
}

fn after_error(error: CineError, uids: Option<InstanceUids>) -> Completeness {
    match error {
        error if error.is_temporary() => Completeness::Incomplete { reason: error.to_string(), uids },
        error @ CineError::NotDicom { .. } => Completeness::NotDicom { reason: error.to_string() },
        error @ CineError::Archive { .. } => Completeness::Archive { reason: error.to_string() },
        // Broken in a way that waiting cannot mend: the reader of the loop names the damage.
        _ => Completeness::Complete { uids },
    }
}

/// Returns the UIDs of an object that names its study.
fn stated_uids(opened: &OpenedDataSet) -> Option<InstanceUids> {
    let study = opened.scan.data_set.text(tags::STUDY_INSTANCE_UID)?;
    is_valid_uid(&study).then(|| uids(opened)).flatten()
}

/// Returns the UIDs of an object that has pixel data or names its study.
fn object_uids(opened: &OpenedDataSet) -> Option<InstanceUids> {
    if opened.scan.pixels.is_some() { uids(opened) } else { stated_uids(opened) }
}

/// Reads or makes the UIDs; a made one needs no finding here, the reader of the loop gives it.
fn uids(opened: &OpenedDataSet) -> Option<InstanceUids> {
    instance_uids(&opened.scan.data_set, &opened.meta, &opened.file, &mut Vec::new()).ok()
}

fn missing_part(opened: &OpenedDataSet) -> Result<Option<String>, CineError> {
    let mut findings = Vec::new();
    let (source, scan) = (&opened.source, &opened.scan);
    let encoding = scan.encoding;
    match (&scan.pixels, &scan.stopped_by) {
        (None, Some(CineError::Truncated { .. })) if is_padding(source, scan.end)? => Ok(None),
        (None, Some(CineError::Truncated { inside })) => Ok(Some(format!("the file ends inside {inside}"))),
        // Without the DICM mark and without a study, nothing but the first element spoke for DICOM.
        (None, Some(error)) if !opened.has_dicm_mark && scan.data_set.text(tags::STUDY_INSTANCE_UID).is_none() => {
            Err(CineError::NotDicom { reason: error.to_string() })
        }
        // Waiting mends no damaged header, and whoever reads the loop names the damage.
        (None, _) => Ok(None),
        (Some(PixelLocation::Native { offset, length, .. }), _) => {
            let end = offset + length;
            if end > source.len() {
                return Ok(Some(format!("{} bytes of pixel data are missing", end - source.len())));
            }
            if let Some(missing) = missing_native_bytes(opened, *length) {
                return Ok(Some(missing));
            }
            trailing_part(source, end, encoding)
        }
        (Some(PixelLocation::Bare { offset, length }), _) => trailing_part(source, offset + length, encoding),
        (Some(PixelLocation::Encapsulated { offset, end }), _) => {
            let (table, first_item) = basic_offset_table(source, *offset)?;
            let fragments = walk_fragments(source, first_item, *end)?;
            let FragmentsEnd::Delimiter { end } = fragments.end else {
                return Ok(Some("the pixel data has no sequence delimiter".into()));
            };
            if codec_of(&opened.transfer_syntax) != Some(Codec::Video) {
                let declared = declared_frames(&scan.data_set, &mut findings);
                if let Some(missing) = missing_frames(source, &fragments, declared, &table, first_item)? {
                    return Ok(Some(missing));
                }
            }
            trailing_part(source, end, encoding)
        }
    }
}

fn missing_native_bytes(opened: &OpenedDataSet, length: u64) -> Option<String> {
    let mut findings = Vec::new();
    let data_set = &opened.scan.data_set;
    let declared = declared_frames(data_set, &mut findings)?;
    let format = ImageFormat::read(data_set, &mut findings).ok()?;
    let frame_bytes = stored_layout(&format, length, Some(declared)).frame_bytes(&format) as u64;
    let needed = frame_bytes.saturating_mul(u64::from(declared));
    // An empty element announces nothing: there is no image, and none will come.
    (0 < length && length < needed).then(|| format!("the pixel data has {length} of {needed} bytes"))
}

fn missing_frames(
    source: &Source,
    fragments: &Fragments,
    declared: Option<u32>,
    table: &[u64],
    first_item: u64,
) -> Result<Option<String>, CineError> {
    let frames = group_fragments(source, &fragments.extents, declared, table, first_item)?;
    if let Some(declared) = declared.filter(|declared| *declared as usize > frames.len()) {
        return Ok(Some(format!("{declared} frames are declared, {} are there", frames.len())));
    }
    for (number, frame) in frames.iter().enumerate() {
        if let (Some(first), Some(last)) = (frame.first(), frame.last())
            && is_hole(source, *first, *last)?
        {
            return Ok(Some(format!("frame {number} ends in a hole of zeros")));
        }
    }
    Ok(None)
}

/// Returns whether a frame ends in zeros that a copy may still fill.
///
/// A frame that ends in other bytes without its end mark is damaged, not missing: the items around it are there, up to
/// the delimiter behind the last, so nothing more will come.
fn is_hole(source: &Source, first: Extent, last: Extent) -> Result<bool, CineError> {
    match codestream_at(source, first)? {
        Some(codestream) if codestream.has_end_mark() => Ok(frame_tail(source, last)? == FrameTail::Hole),
        _ => Ok(false),
    }
}

/// Returns the part that is missing behind the pixel data: other elements may follow it, and padding.
fn trailing_part(source: &Source, end: u64, encoding: Encoding) -> Result<Option<String>, CineError> {
    let mut findings = Vec::new();
    let trailing = scan_data_set(source, end, encoding, &mut findings);
    match trailing.stopped_by {
        Some(CineError::Truncated { inside }) if !is_padding(source, trailing.end)? => {
            Ok(Some(format!("the file ends inside {inside}")))
        }
        _ => Ok(None),
    }
}

/// Returns whether fewer bytes than an element header are left, as some writers pad a file.
fn is_padding(source: &Source, from: u64) -> Result<bool, CineError> {
    let rest = source.len().saturating_sub(from);
    if rest >= 8 {
        return Ok(false);
    }
    let bytes = source.read_vec(from, rest, "the file's end")?;
    Ok(rest > 0 && bytes.iter().all(|byte| *byte == 0))
}
