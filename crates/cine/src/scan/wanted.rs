//! The elements that are read at all, and how long their values may be.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

const SHORT: u64 = 1 << 10;
const TIMES: u64 = 1 << 20;
const SAMPLES: u64 = 16 << 20;
const TABLE: u64 = 256 << 10;

/// Decision on an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Read its value if it is at most this long.
    Value { max_bytes: u64 },
    /// It is a sequence whose items are read.
    Sequence,
    /// Pass over it.
    No,
}

/// Tells whether an element is read; anything that names a patient is not.
pub(crate) fn wanted(tag: Tag) -> Wanted {
    const CURVE_ELEMENTS: [u16; 9] = [0x0005, 0x0010, 0x0020, 0x0030, 0x0103, 0x0110, 0x0112, 0x0114, 0x3000];
    if SEQUENCES.contains(&tag) {
        return Wanted::Sequence;
    }
    let max_bytes = if tag.group() & 0xFF00 == 0x5000 && CURVE_ELEMENTS.contains(&tag.element()) {
        SAMPLES
    } else if let Some((_, max_bytes)) = VALUES.iter().find(|(candidate, _)| *candidate == tag) {
        *max_bytes
    } else {
        return Wanted::No;
    };
    Wanted::Value { max_bytes }
}

const SEQUENCES: [Tag; 4] = [
    tags::SEQUENCE_OF_ULTRASOUND_REGIONS,
    tags::WAVEFORM_SEQUENCE,
    tags::CHANNEL_DEFINITION_SEQUENCE,
    tags::CHANNEL_SOURCE_SEQUENCE,
];

const VALUES: [(Tag, u64); 102] = [
    (tags::MEDIA_STORAGE_SOP_CLASS_UID, SHORT),
    (tags::MEDIA_STORAGE_SOP_INSTANCE_UID, 4 * SHORT),
    (tags::TRANSFER_SYNTAX_UID, SHORT),
    (tags::IMAGE_TYPE, SHORT),
    (tags::SOP_CLASS_UID, SHORT),
    (tags::SOP_INSTANCE_UID, 4 * SHORT),
    (tags::STUDY_INSTANCE_UID, 4 * SHORT),
    (tags::SERIES_INSTANCE_UID, 4 * SHORT),
    (tags::SERIES_NUMBER, SHORT),
    (tags::INSTANCE_NUMBER, SHORT),
    (tags::MODALITY, SHORT),
    (tags::BODY_PART_EXAMINED, SHORT),
    (tags::STUDY_DESCRIPTION, SHORT),
    (tags::SERIES_DESCRIPTION, SHORT),
    (tags::MANUFACTURER, SHORT),
    (tags::MANUFACTURER_MODEL_NAME, SHORT),
    (tags::ACQUISITION_DATE_TIME, SHORT),
    (tags::ACQUISITION_DATE, SHORT),
    (tags::ACQUISITION_TIME, SHORT),
    (tags::CONTENT_DATE, SHORT),
    (tags::CONTENT_TIME, SHORT),
    (tags::SERIES_DATE, SHORT),
    (tags::SERIES_TIME, SHORT),
    (tags::TRANSDUCER_TYPE, SHORT),
    (tags::NUMBER_OF_FRAMES, SHORT),
    (tags::FRAME_INCREMENT_POINTER, SHORT),
    (tags::FRAME_TIME, SHORT),
    (tags::FRAME_TIME_VECTOR, TIMES),
    (tags::FRAME_DELAY, SHORT),
    (tags::ACTUAL_FRAME_DURATION, SHORT),
    (tags::EFFECTIVE_DURATION, SHORT),
    (tags::CINE_RATE, SHORT),
    (tags::RECOMMENDED_DISPLAY_FRAME_RATE, SHORT),
    (tags::START_TRIM, SHORT),
    (tags::STOP_TRIM, SHORT),
    (tags::HEART_RATE, SHORT),
    (tags::R_WAVE_TIME_VECTOR, TIMES),
    (tags::TRIGGER_TIME, SHORT),
    (tags::IMAGE_TRIGGER_DELAY, SHORT),
    (tags::SYNCHRONIZATION_FRAME_OF_REFERENCE_UID, SHORT),
    (tags::ROWS, SHORT),
    (tags::COLUMNS, SHORT),
    (tags::SAMPLES_PER_PIXEL, SHORT),
    (tags::PHOTOMETRIC_INTERPRETATION, SHORT),
    (tags::PLANAR_CONFIGURATION, SHORT),
    (tags::BITS_ALLOCATED, SHORT),
    (tags::BITS_STORED, SHORT),
    (tags::HIGH_BIT, SHORT),
    (tags::PIXEL_REPRESENTATION, SHORT),
    (tags::SMALLEST_IMAGE_PIXEL_VALUE, SHORT),
    (tags::LARGEST_IMAGE_PIXEL_VALUE, SHORT),
    (tags::RESCALE_INTERCEPT, SHORT),
    (tags::RESCALE_SLOPE, SHORT),
    (tags::WINDOW_CENTER, SHORT),
    (tags::WINDOW_WIDTH, SHORT),
    (tags::ULTRASOUND_COLOR_DATA_PRESENT, SHORT),
    (tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, SHORT),
    (tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, SHORT),
    (tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, SHORT),
    (tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA, TABLE),
    (tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA, TABLE),
    (tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA, TABLE),
    (tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA, TABLE),
    (tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA, TABLE),
    (tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA, TABLE),
    (tags::EXTENDED_OFFSET_TABLE, SAMPLES),
    (tags::EXTENDED_OFFSET_TABLE_LENGTHS, SAMPLES),
    (tags::REGION_SPATIAL_FORMAT, SHORT),
    (tags::REGION_DATA_TYPE, SHORT),
    (tags::REGION_FLAGS, SHORT),
    (tags::REGION_LOCATION_MIN_X0, SHORT),
    (tags::REGION_LOCATION_MIN_Y0, SHORT),
    (tags::REGION_LOCATION_MAX_X1, SHORT),
    (tags::REGION_LOCATION_MAX_Y1, SHORT),
    (tags::REFERENCE_PIXEL_X0, SHORT),
    (tags::REFERENCE_PIXEL_Y0, SHORT),
    (tags::REFERENCE_PIXEL_PHYSICAL_VALUE_X, SHORT),
    (tags::REFERENCE_PIXEL_PHYSICAL_VALUE_Y, SHORT),
    (tags::PHYSICAL_UNITS_X_DIRECTION, SHORT),
    (tags::PHYSICAL_UNITS_Y_DIRECTION, SHORT),
    (tags::PHYSICAL_DELTA_X, SHORT),
    (tags::PHYSICAL_DELTA_Y, SHORT),
    (tags::MULTIPLEX_GROUP_TIME_OFFSET, SHORT),
    (tags::NUMBER_OF_WAVEFORM_CHANNELS, SHORT),
    (tags::NUMBER_OF_WAVEFORM_SAMPLES, SHORT),
    (tags::SAMPLING_FREQUENCY, SHORT),
    (tags::WAVEFORM_BITS_ALLOCATED, SHORT),
    (tags::WAVEFORM_SAMPLE_INTERPRETATION, SHORT),
    (tags::WAVEFORM_DATA, SAMPLES),
    (tags::MULTIPLEX_GROUP_LABEL, SHORT),
    (tags::CHANNEL_LABEL, SHORT),
    (tags::CHANNEL_SENSITIVITY, SHORT),
    (tags::CHANNEL_SENSITIVITY_CORRECTION_FACTOR, SHORT),
    (tags::CHANNEL_BASELINE, SHORT),
    (tags::CHANNEL_TIME_SKEW, SHORT),
    (tags::CHANNEL_OFFSET, SHORT),
    (tags::CODE_VALUE, SHORT),
    (tags::CODE_MEANING, SHORT),
    (tags::TRIGGER_TIME_OFFSET, SHORT),
    (tags::TRIGGER_SAMPLE_POSITION, SHORT),
    (tags::WAVEFORM_PADDING_VALUE, SHORT),
    (tags::ACQUISITION_TIME_SYNCHRONIZED, SHORT),
];
