//! The header of an ultrasound object.

use dicom_core::{DataElement, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;

use super::builder::Header;
use super::{ecg_carriers, regions};
use crate::simulate::SimulatedLoop;
use crate::spec::{LoopMode, PixelEncoding, Subject};
use crate::truth::ecg_source;
use domain::EcgSource;
use random::mix;

/// Place of a loop in a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopIdentity {
    /// Study Instance UID.
    pub study_instance_uid: String,
    /// Series Instance UID.
    pub series_instance_uid: String,
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// Series Number.
    pub series_number: u32,
    /// Instance Number.
    pub instance_number: u32,
    /// Seconds from the beginning of the study.
    pub acquired_after_s: u32,
    /// Number of the invented patient.
    pub patient_number: u64,
}

impl LoopIdentity {
    /// Returns the identity of instance `instance_number` of the study that `study_seed` determines.
    pub fn new(study_seed: u64, instance_number: u32) -> Self {
        Self {
            study_instance_uid: uid(study_seed, 1),
            series_instance_uid: uid(study_seed, 2),
            sop_instance_uid: uid(study_seed, 1000 + u64::from(instance_number)),
            series_number: 1,
            instance_number,
            acquired_after_s: 40 + instance_number * 75 + (mix(study_seed ^ u64::from(instance_number)) % 50) as u32,
            patient_number: mix(study_seed) % 100_000,
        }
    }
}

/// Returns a UID under 2.25 (PS3.5 B.2: a UUID as a decimal number).
fn uid(seed: u64, purpose: u64) -> String {
    let high = mix(seed ^ mix(purpose)) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000;
    let low = mix(high ^ purpose) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000;
    format!("2.25.{}", u128::from(high) << 64 | u128::from(low))
}

/// Returns the transfer syntax of an encoding.
pub fn transfer_syntax_uid(encoding: PixelEncoding) -> &'static str {
    match encoding {
        PixelEncoding::JpegBaseline => uids::JPEG_BASELINE8_BIT,
        PixelEncoding::ImplicitRgb => uids::IMPLICIT_VR_LITTLE_ENDIAN,
        PixelEncoding::RleRgb => uids::RLE_LOSSLESS,
        PixelEncoding::DeflatedRgb => uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        _ => uids::EXPLICIT_VR_LITTLE_ENDIAN,
    }
}

/// Returns the SOP class: a multi-frame or a single image.
pub fn sop_class_uid(frames: u32) -> &'static str {
    if frames > 1 { uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE } else { uids::ULTRASOUND_IMAGE_STORAGE }
}

/// Returns the data set of a loop without its pixels.
pub fn data_set(simulated: &SimulatedLoop, identity: &LoopIdentity) -> InMemDicomObject {
    let mut header = Header(InMemDicomObject::new_empty());
    put_patient_and_study(&mut header, simulated, identity);
    put_image(&mut header, simulated);
    put_timing(&mut header, simulated);
    regions::put_regions(&mut header, simulated);
    ecg_carriers::put_ecg(&mut header, simulated);
    header.0
}

fn put_patient_and_study(header: &mut Header, simulated: &SimulatedLoop, identity: &LoopIdentity) {
    let spec = simulated.spec();
    let seconds = identity.acquired_after_s;
    let time = format!("{:02}{:02}{:02}", 9 + seconds / 3600, seconds / 60 % 60, seconds % 60);
    let date = "20240315";
    let bit_map = match spec.mode {
        LoopMode::TwoD => "0001",
        LoopMode::Color => "0011",
        LoopMode::Pw | LoopMode::TissueDoppler => "0009",
        LoopMode::Cw => "0005",
        LoopMode::MMode => "0003",
    };
    let application = match spec.subject {
        Subject::Heart(_) => "TTE",
        Subject::NonCardiac(_) | Subject::Invented => "ABDOMINAL",
    };
    header.texts(tags::IMAGE_TYPE, VR::CS, &["ORIGINAL", "PRIMARY", application, bit_map]);
    header.text(tags::SOP_CLASS_UID, VR::UI, sop_class_uid(spec.frames));
    header.text(tags::SOP_INSTANCE_UID, VR::UI, &identity.sop_instance_uid);
    for tag in [tags::STUDY_DATE, tags::SERIES_DATE, tags::CONTENT_DATE] {
        header.text(tag, VR::DA, date);
    }
    header.text(tags::STUDY_TIME, VR::TM, "090000");
    header.text(tags::CONTENT_TIME, VR::TM, &time);
    header.text(tags::ACQUISITION_DATE_TIME, VR::DT, format!("{date}{time}"));
    header.text(tags::ACCESSION_NUMBER, VR::SH, "");
    header.text(tags::MODALITY, VR::CS, "US");
    header.text(tags::MANUFACTURER, VR::LO, spec.vendor.manufacturer());
    header.text(tags::MANUFACTURER_MODEL_NAME, VR::LO, spec.vendor.model_name());
    header.text(tags::STUDY_DESCRIPTION, VR::LO, "Simulated transthoracic echo");
    header.text(tags::REFERRING_PHYSICIAN_NAME, VR::PN, "");
    header.text(tags::PATIENT_NAME, VR::PN, format!("PHANTOM^NUMBER {:05}", identity.patient_number));
    header.text(tags::PATIENT_ID, VR::LO, format!("PHANTOM{:05}", identity.patient_number));
    header.text(tags::PATIENT_BIRTH_DATE, VR::DA, "");
    header.text(tags::PATIENT_SEX, VR::CS, "O");
    header.text(tags::SOFTWARE_VERSIONS, VR::LO, concat!("phantom ", env!("CARGO_PKG_VERSION")));
    header.text(tags::STUDY_INSTANCE_UID, VR::UI, &identity.study_instance_uid);
    header.text(tags::SERIES_INSTANCE_UID, VR::UI, &identity.series_instance_uid);
    header.text(tags::STUDY_ID, VR::SH, "1");
    header.text(tags::SERIES_NUMBER, VR::IS, identity.series_number.to_string());
    header.text(tags::INSTANCE_NUMBER, VR::IS, identity.instance_number.to_string());
    header.text(tags::PATIENT_ORIENTATION, VR::CS, "");
}

fn put_image(header: &mut Header, simulated: &SimulatedLoop) {
    let spec = simulated.spec();
    let (photometric, samples) = match spec.encoding {
        PixelEncoding::JpegBaseline | PixelEncoding::RawYbr422 => ("YBR_FULL_422", 3),
        PixelEncoding::Palette => ("PALETTE COLOR", 1),
        _ => ("RGB", 3),
    };
    header.short(tags::SAMPLES_PER_PIXEL, samples);
    header.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric);
    if samples == 3 {
        header.short(tags::PLANAR_CONFIGURATION, u16::from(spec.encoding == PixelEncoding::RleRgb));
    } else {
        super::pixels::put_palette(header);
    }
    header.short(tags::ROWS, spec.size.1 as u16);
    header.short(tags::COLUMNS, spec.size.0 as u16);
    header.short(tags::BITS_ALLOCATED, 8);
    header.short(tags::BITS_STORED, 8);
    header.short(tags::HIGH_BIT, 7);
    header.short(tags::PIXEL_REPRESENTATION, 0);
    header.short(tags::ULTRASOUND_COLOR_DATA_PRESENT, u16::from(spec.mode == LoopMode::Color));
    header.text(tags::BURNED_IN_ANNOTATION, VR::CS, "NO");
    if spec.encoding == PixelEncoding::JpegBaseline {
        header.text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "01");
    }
}

fn put_timing(header: &mut Header, simulated: &SimulatedLoop) {
    let spec = simulated.spec();
    if ecg_source(spec) != EcgSource::None {
        header.text(tags::HEART_RATE, VR::IS, format!("{:.0}", spec.heart_rate_bpm));
    }
    if spec.frames < 2 {
        return;
    }
    header.text(tags::NUMBER_OF_FRAMES, VR::IS, spec.frames.to_string());
    let frame_time = format!("{:.2}", spec.frame_time_ms);
    let pointer = if spec.frame_time_vector {
        let mut vector = vec![frame_time.as_str(); spec.frames as usize];
        vector[0] = "0";
        header.texts(tags::FRAME_TIME_VECTOR, VR::DS, &vector);
        tags::FRAME_TIME_VECTOR
    } else {
        header.text(tags::FRAME_TIME, VR::DS, frame_time);
        tags::FRAME_TIME
    };
    header.0.put(DataElement::new(tags::FRAME_INCREMENT_POINTER, VR::AT, dicom_value!(Tags, [pointer])));
    header.text(tags::CINE_RATE, VR::IS, format!("{:.0}", 1000.0 / spec.frame_time_ms));
}
