//! The real position of the pixel data: the element's length form and the bytes behind it may contradict the transfer
//! syntax.

use dicom_dictionary_std::tags;

use crate::codec::{Codec, codec_of};
use crate::error::CineError;
use crate::frames::{Extent, ItemHeader, codestream_at, item_header_at, stored_layout};
use crate::header::{ImageFormat, declared_frames};
use crate::scan::{PixelLocation, Scan, Source};
use domain::{Finding, FindingCode};

/// Returns the pixel data's location as its bytes show it, with a finding where that is not what the header says.
///
/// Read are, beside what PS3.5 annex A.4 asks for: items in an element of defined length, one bare codestream in an
/// element of defined length, and plain samples in an element of undefined length.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn resolve_location(
    source: &Source,
    scan: &Scan,
    transfer_syntax: &str,
    findings: &mut Vec<Finding>,
) -> Result<Option<PixelLocation>, CineError> {
    let is_compressed = !matches!(codec_of(transfer_syntax), Some(Codec::Native) | None);
    match scan.pixels {
        Some(PixelLocation::Native { offset, length, .. }) if is_compressed && length > 0 => {
            let end = offset + length;
            if matches!(item_header_at(source, offset)?, ItemHeader::Item(_)) {
                let message = "the compressed pixel data stands in an element of defined length";
                findings.push(Finding::new(FindingCode::PixelItemsInDefinedLength, message));
                return Ok(Some(PixelLocation::Encapsulated { offset, end: Some(end) }));
            }
            let length = length.min(source.len().saturating_sub(offset));
            if codestream_at(source, Extent { offset, length })?.is_some() {
                let message = "the compressed pixel data stands without items around it";
                findings.push(Finding::new(FindingCode::PixelDataWithoutItems, message));
                return Ok(Some(PixelLocation::Bare { offset, length }));
            }
            Ok(scan.pixels)
        }
        Some(PixelLocation::Encapsulated { offset, end: None }) if !is_compressed => {
            if !matches!(item_header_at(source, offset)?, ItemHeader::NotAnItem) {
                return Ok(scan.pixels);
            }
            let message = "the samples are not compressed but stand in an element of undefined length";
            findings.push(Finding::new(FindingCode::PixelDataOfUndefinedLength, message));
            let length = sample_bytes(scan).unwrap_or_else(|| source.len().saturating_sub(offset));
            Ok(Some(PixelLocation::Native { offset, length, has_swapped_bytes: false }))
        }
        location => Ok(location),
    }
}

/// Returns the bytes that the samples of all declared frames take.
fn sample_bytes(scan: &Scan) -> Option<u64> {
    // What is odd about these attributes is found again, and kept, when the loop is opened.
    let mut findings = Vec::new();
    let format = ImageFormat::read(&scan.data_set, &mut findings).ok()?;
    let frames = match scan.data_set.text(tags::NUMBER_OF_FRAMES) {
        Some(_) => declared_frames(&scan.data_set, &mut findings)?,
        None => 1,
    };
    let layout = stored_layout(&format, u64::MAX, Some(frames));
    (layout.frame_bytes(&format) as u64).checked_mul(u64::from(frames))
}
