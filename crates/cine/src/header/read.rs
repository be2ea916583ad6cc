//! Building the [`Header`] from the kept elements.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::ecg_header::read_ecg;
use crate::error::CineError;
use crate::header::examination::other_examination;
use crate::header::{Header, ImageFormat, instance_uids};
use crate::regions::read_regions;
use crate::scan::{DataSet, Source};
use crate::timing::read_timing;
use domain::{Finding, FindingCode, is_valid_uid};

/// Everything that a header is built from.
pub(crate) struct HeaderParts<'a> {
    pub data_set: &'a DataSet,
    pub meta: &'a DataSet,
    pub source: &'a Source,
    pub transfer_syntax: &'a str,
    pub format: &'a ImageFormat,
    /// The number of frames that are there.
    pub frames: u32,
}

/// Five minutes at the highest frame rate that scanners reach. Tables of times and places grow with the number of
/// frames, so no header may choose it freely.
pub(crate) const MAX_FRAMES: u32 = 120_000;

impl Header {
    /// Returns whether the modality lets the image be one of ultrasound: it says so, by the code of today or by those
    /// that PS3.3 C.7.3.1.1.1 has retired for color flow, duplex and echocardiography; or it says nothing, as captures
    /// do.
    pub fn may_be_ultrasound(&self) -> bool {
        const MODALITIES: [&str; 7] = ["", "US", "CD", "DD", "EC", "OT", "SC"];
        MODALITIES.contains(&self.modality.as_deref().unwrap_or_default())
    }

    /// Builds the header; what is odd becomes a finding.
    pub(crate) fn read(parts: &HeaderParts<'_>, findings: &mut Vec<Finding>) -> Result<Self, CineError> {
        let data_set = parts.data_set;
        let format = parts.format;
        let uids = instance_uids(data_set, parts.meta, parts.source, findings)?;
        let timing = read_timing(data_set, parts.frames, findings);
        let ecg = read_ecg(data_set, &timing, findings);
        let image_type = data_set.texts(tags::IMAGE_TYPE);
        let not_transthoracic = not_transthoracic(data_set, &image_type);
        if let Some(reason) = &not_transthoracic {
            findings.push(Finding::new(FindingCode::NotTransthoracic, format!("the header says {reason}")));
        }
        let integer =
            |tag| data_set.decimal(tag).filter(|value| value.abs() < f64::from(i32::MAX)).map(|value| value as i32);
        Ok(Self {
            sop_class_uid: data_set.text(tags::SOP_CLASS_UID).filter(|uid| is_valid_uid(uid)),
            transfer_syntax: parts.transfer_syntax.to_owned(),
            rows: format.rows,
            columns: format.columns,
            frames: parts.frames,
            samples_per_pixel: format.samples_per_pixel,
            bits_allocated: format.bits_allocated,
            photometric_interpretation: format.photometric_text.clone(),
            modality: data_set.text(tags::MODALITY),
            manufacturer: data_set.text(tags::MANUFACTURER),
            model: data_set.text(tags::MANUFACTURER_MODEL_NAME),
            acquisition_datetime: acquisition_datetime(data_set),
            series_number: integer(tags::SERIES_NUMBER),
            instance_number: integer(tags::INSTANCE_NUMBER),
            color_data_present: data_set.u16(tags::ULTRASOUND_COLOR_DATA_PRESENT).map(|present| present == 1),
            regions: read_regions(data_set, format, findings),
            sop_instance_uid: uids.sop,
            study_instance_uid: uids.study,
            series_instance_uid: uids.series,
            image_type,
            not_transthoracic,
            other_examination: other_examination(data_set),
            timing,
            ecg,
        })
    }
}

/// Reads Number of Frames as a positive number; anything else is a finding and `None`.
pub(crate) fn declared_frames(data_set: &DataSet, findings: &mut Vec<Finding>) -> Option<u32> {
    let text = data_set.text(tags::NUMBER_OF_FRAMES)?;
    let first = text.split('\\').next().unwrap_or_default();
    let frames = first.trim().parse::<u32>().ok().filter(|frames| (1..=MAX_FRAMES).contains(frames));
    if frames.is_none() {
        let message = format!("Number of Frames is no number from 1 to {MAX_FRAMES}; the frames were counted");
        findings.push(Finding::new(FindingCode::NumberOfFramesInvalid, message));
    }
    frames
}

/// Returns the date and time of acquisition, else of the content, else of the series, as `YYYYMMDDHHMMSS[.FFFFFF]`.
fn acquisition_datetime(data_set: &DataSet) -> Option<String> {
    let digits = |text: String| {
        let kept: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(21).collect();
        (kept.len() >= 8).then_some(kept)
    };
    let date_and_time = |date: Tag, time: Tag| {
        // Old objects write dates with dots and times with colons.
        let day: String = data_set.text(date)?.chars().filter(char::is_ascii_digit).take(8).collect();
        let clock = data_set.text(time).unwrap_or_default().replace(':', "");
        (day.len() == 8).then(|| digits(day + &clock)).flatten()
    };
    data_set
        .text(tags::ACQUISITION_DATE_TIME)
        .and_then(digits)
        .or_else(|| date_and_time(tags::ACQUISITION_DATE, tags::ACQUISITION_TIME))
        .or_else(|| date_and_time(tags::CONTENT_DATE, tags::CONTENT_TIME))
        .or_else(|| date_and_time(tags::SERIES_DATE, tags::SERIES_TIME))
}

/// Returns the header's own words for an examination that cannot be transthoracic (PS3.3 C.8.5.6.1.1, value 3 of Image
/// Type).
///
/// Other applications pass: scanners write `EPICARDIAL` or `ABDOMINAL` into real transthoracic loops, by preset.
fn not_transthoracic(data_set: &DataSet, image_type: &[String]) -> Option<String> {
    const NEVER_TRANSTHORACIC: [&str; 7] =
        ["TEE", "INTRACARDIAC", "INTRAVASCULAR", "FETAL HEART", "ENDOCAVITARY", "ENDORECTAL", "ENDOVAGINAL"];
    let application = image_type.get(2).filter(|value| NEVER_TRANSTHORACIC.contains(&value.as_str()));
    let probe = || data_set.text(tags::TRANSDUCER_TYPE).filter(|text| text.to_ascii_uppercase().contains("ESOPH"));
    application.cloned().or_else(probe)
}
