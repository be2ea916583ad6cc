//! The facts of a loop's header that the rest of the program needs; never a patient's name, id or birth date.

mod examination;
mod image_format;
mod read;
mod uid;

pub(crate) use image_format::{ImageFormat, Photometric};
pub(crate) use read::{HeaderParts, MAX_FRAMES, declared_frames};
pub use uid::InstanceUids;
pub(crate) use uid::instance_uids;

use domain::{SeriesUid, SopUid, StudyUid};
use serde::Serialize;

use crate::ecg_header::EcgHeader;
use crate::regions::Region;
use crate::timing::FrameTiming;

/// The header facts of one loop.
#[derive(Debug, Clone, Serialize)]
pub struct Header {
    /// SOP Instance UID; derived (2.25.…, with a finding) where the file has none that is valid.
    pub sop_instance_uid: SopUid,
    /// Study Instance UID; derived (2.25.…, with a finding) where the file has none that is valid.
    pub study_instance_uid: StudyUid,
    /// Series Instance UID; derived (2.25.…, with a finding) where the file has none that is valid.
    pub series_instance_uid: SeriesUid,
    /// SOP Class UID, where the file has a valid one.
    pub sop_class_uid: Option<String>,
    /// Transfer Syntax UID the file was read with.
    pub transfer_syntax: String,
    /// Image height in pixels, at least 1.
    pub rows: u32,
    /// Image width in pixels, at least 1.
    pub columns: u32,
    /// Number of frames that are there, at least 1.
    pub frames: u32,
    /// Samples per Pixel (0028,0002): 1 or 3.
    pub samples_per_pixel: u16,
    /// Bits Allocated (0028,0100): 8 or 16.
    pub bits_allocated: u16,
    /// Photometric Interpretation (0028,0004) as stored, e.g. `YBR_FULL_422`.
    pub photometric_interpretation: String,
    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<String>,
    /// Manufacturer's Model Name (0008,1090).
    pub model: Option<String>,
    /// Image Type (0008,0008).
    pub image_type: Vec<String>,
    /// When the loop was acquired, `YYYYMMDDHHMMSS[.FFFFFF]`, for ordering.
    pub acquisition_datetime: Option<String>,
    /// Series Number (0020,0011).
    pub series_number: Option<i32>,
    /// Instance Number (0020,0013).
    pub instance_number: Option<i32>,
    /// Ultrasound Color Data Present (0028,0014).
    pub color_data_present: Option<bool>,
    /// True if the header says that the probe was not on the chest: esophageal, intracardiac, fetal, vascular, ...
    pub not_transthoracic: Option<String>,
    /// The kind of examination, where body part or descriptions name one that is no transthoracic echo.
    pub other_examination: Option<&'static str>,
    /// When each frame was acquired.
    pub timing: FrameTiming,
    /// The ultrasound regions as stored, in file order.
    pub regions: Vec<Region>,
    /// ECG facts of the header.
    pub ecg: EcgHeader,
}
