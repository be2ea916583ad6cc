//! Simulated screens as DICOM files.

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use domain::{Mode, PixelRect, RgbImage};
use random::mix;
use rayon::prelude::*;
use serde::Serialize;

use super::still::{SimulatedStill, StillLook, simulated_still};
use crate::dicom::{Header, LoopIdentity};
use crate::error::PhantomError;
use crate::spec::PixelEncoding;

/// The truth of one screen, as it stands in `truth.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StillTruth {
    /// File name.
    pub file: String,
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// Arrangement of the screen.
    pub look: StillLook,
    /// The mode.
    pub mode: Mode,
    /// The strip of velocities or depths over time, in pixels.
    pub strip: Option<PixelRect>,
}

/// Writes `count` screens of each look as secondary captures without regions, and `truth.json`, to `folder`.
///
/// # Errors
/// The folder or a file cannot be written, or an image cannot be encoded.
pub fn write_stills(count: u32, seed: u64, folder: &Path) -> Result<Vec<StillTruth>, PhantomError> {
    std::fs::create_dir_all(folder)
        .map_err(|source| PhantomError::CreateFolder { path: folder.to_path_buf(), source })?;
    let looks = StillLook::ALL.into_iter().flat_map(|look| (0..count).map(move |number| (look, number)));
    let looks: Vec<(usize, (StillLook, u32))> = looks.enumerate().collect();
    let truths: Vec<StillTruth> = looks
        .into_par_iter()
        .map(|(index, (look, number))| {
            let identity = LoopIdentity::new(seed, index as u32 + 1);
            let file = format!("{:05}.dcm", index + 1);
            let SimulatedStill { image, strip } = simulated_still(look, mix(seed ^ mix(u64::from(number))));
            write_still(&image, index as u32, &identity, &folder.join(&file))?;
            Ok(StillTruth { file, sop_instance_uid: identity.sop_instance_uid, look, mode: look.mode(), strip })
        })
        .collect::<Result<_, PhantomError>>()?;
    let text = serde_json::to_string_pretty(&truths).map_err(|source| PhantomError::EncodeTruth { source })?;
    let path = folder.join("truth.json");
    std::fs::write(&path, text).map_err(|source| PhantomError::WriteFile { path, source })?;
    Ok(truths)
}

fn write_still(image: &RgbImage, index: u32, identity: &LoopIdentity, path: &Path) -> Result<(), PhantomError> {
    // Captures reach an archive with and without compression.
    let encoding = if index.is_multiple_of(3) { PixelEncoding::ExplicitRgb } else { PixelEncoding::JpegBaseline };
    let is_jpeg = encoding == PixelEncoding::JpegBaseline;
    let mut bytes = crate::dicom::encode(image, encoding, 0)?;
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    let mut header = Header(InMemDicomObject::new_empty());
    header.text(tags::SOP_CLASS_UID, VR::UI, uids::SECONDARY_CAPTURE_IMAGE_STORAGE);
    header.text(tags::SOP_INSTANCE_UID, VR::UI, &identity.sop_instance_uid);
    header.text(tags::STUDY_INSTANCE_UID, VR::UI, &identity.study_instance_uid);
    header.text(tags::SERIES_INSTANCE_UID, VR::UI, &identity.series_instance_uid);
    header.text(tags::INSTANCE_NUMBER, VR::IS, identity.instance_number.to_string());
    header.text(tags::MODALITY, VR::CS, "US");
    header.short(tags::SAMPLES_PER_PIXEL, 3);
    header.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, if is_jpeg { "YBR_FULL_422" } else { "RGB" });
    header.short(tags::PLANAR_CONFIGURATION, 0);
    header.short(tags::ROWS, image.height() as u16);
    header.short(tags::COLUMNS, image.width() as u16);
    header.short(tags::BITS_ALLOCATED, 8);
    header.short(tags::BITS_STORED, 8);
    header.short(tags::HIGH_BIT, 7);
    header.short(tags::PIXEL_REPRESENTATION, 0);
    if is_jpeg {
        let fragments = dicom_core::value::PixelFragmentSequence::new(vec![0], vec![bytes]);
        header.0.put(DataElement::new(tags::PIXEL_DATA, VR::OB, fragments));
    } else {
        header.0.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::from(bytes)));
    }
    let meta = FileMetaTableBuilder::new()
        .media_storage_sop_class_uid(uids::SECONDARY_CAPTURE_IMAGE_STORAGE)
        .media_storage_sop_instance_uid(identity.sop_instance_uid.as_str())
        .transfer_syntax(if is_jpeg { uids::JPEG_BASELINE8_BIT } else { uids::EXPLICIT_VR_LITTLE_ENDIAN });
    let encode_error = |source| PhantomError::EncodeHeader { path: path.to_path_buf(), source: Box::new(source) };
    let object = header.0.with_meta(meta).map_err(encode_error)?;
    object
        .write_to_file(path)
        .map_err(|source| PhantomError::EncodeHeader { path: path.to_path_buf(), source: Box::new(source) })
}
