//! Oddities of a loop that did not stop it from being read.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Something worth a person's attention that did not prevent the reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Kind of the finding.
    pub code: FindingCode,
    /// One sentence for people, without patient data and without paths.
    pub message: String,
}

impl Finding {
    /// Returns a finding of this kind that says `message`.
    pub fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

macro_rules! finding_codes {
    ($($variant:ident = $code:literal: $meaning:literal,)+) => {
        /// The kinds of findings. Names are stable: they are stored, shown by `inspect` and listed in
        /// `docs/findings.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum FindingCode {
            $(#[doc = $meaning] $variant,)+
        }

        impl FindingCode {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the stable name, lower case with underscores.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// Returns what a finding of this kind means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

finding_codes! {
    // The file.
    PreambleMissing = "preamble_missing": "The file has no preamble and no DICM mark.",
    TransferSyntaxMissing = "transfer_syntax_missing": "The file names no transfer syntax; it was recognized by the bytes.",
    EncodingDisagreesWithTransferSyntax = "encoding_disagrees_with_transfer_syntax":
        "The data set is encoded otherwise than the transfer syntax says.",
    DeflateDamaged = "deflate_damaged": "The deflated data set is damaged; what could be inflated was read.",
    StrayDelimiter = "stray_delimiter": "A delimiter stands where no sequence or item is open.",
    ValueTooLong = "value_too_long": "A header value is longer than its sequence, or too long to be kept.",
    ItemEncodingUnexpected = "item_encoding_unexpected":
        "A sequence's items are encoded otherwise than the data set around them.",
    VrUnknown = "vr_unknown": "An element has a placeholder where its value representation should stand.",
    TrailingBytes = "trailing_bytes": "Bytes follow the end of the data set.",
    NotTransthoracic = "not_transthoracic": "The header says that this is no transthoracic echo.",
    SopInstanceUidFromMeta = "sop_instance_uid_from_meta":
        "The data set has no valid SOP Instance UID; that of the file meta group is used.",
    SopInstanceUidDerived = "sop_instance_uid_derived":
        "The file has no valid SOP Instance UID; one was made from its bytes.",
    StudyInstanceUidDerived = "study_instance_uid_derived":
        "The Study Instance UID is absent or invalid; one was made in its place.",
    SeriesInstanceUidDerived = "series_instance_uid_derived":
        "The Series Instance UID is absent or invalid; one was made in its place.",
    // The pixels.
    NumberOfFramesInvalid = "number_of_frames_invalid": "Number of Frames is no usable number; frames were counted.",
    FewerFramesThanDeclared = "fewer_frames_than_declared": "The file holds fewer frames than its header declares.",
    MoreFramesThanDeclared = "more_frames_than_declared": "The file holds more frames than its header declares.",
    Truncated = "truncated": "The file ends inside the pixel data.",
    PixelDataTooLong = "pixel_data_too_long": "The pixel data is longer than its frames.",
    NoSequenceDelimiter = "no_sequence_delimiter": "The encapsulated pixel data has no end mark.",
    CorruptItem = "corrupt_item": "The chain of pixel data fragments is broken.",
    PixelItemsInDefinedLength = "pixel_items_in_defined_length":
        "The compressed pixel data stands in an element of defined length.",
    PixelDataWithoutItems = "pixel_data_without_items": "The compressed pixel data stands without items around it.",
    PixelDataOfUndefinedLength = "pixel_data_of_undefined_length":
        "The samples are not compressed but stand in an element of undefined length.",
    FramesPadded = "frames_padded": "A pad byte follows each frame.",
    PlanarConfigurationContradicted = "planar_configuration_contradicted":
        "The samples stand in another order, planes or pixels, than the header says; they are shown as they stand.",
    OffsetTableWrong = "offset_table_wrong": "The offset table disagrees with the fragments; it was not used.",
    PhotometricInterpretationUnknown = "photometric_interpretation_unknown":
        "The photometric interpretation is unknown; one was assumed from the samples per pixel.",
    SamplesDisagreeWithPhotometricInterpretation = "samples_disagree_with_photometric_interpretation":
        "The samples per pixel do not fit the photometric interpretation.",
    PaletteMissing = "palette_missing": "The palette is missing; its indices are shown as gray.",
    TransferSyntaxDisagreesWithPixels = "transfer_syntax_disagrees_with_pixels":
        "The pixel data is compressed otherwise than the transfer syntax says.",
    FrameDamaged = "frame_damaged": "A frame is damaged; what could be decoded is shown.",
    FrameNotDecoded = "frame_not_decoded": "A frame of the plan could not be decoded and was left out.",
    PictureMirrored = "picture_mirrored":
        "The scanner's orientation marker stands left of the apex; left and right were exchanged.",
    PictureUpsideDown = "picture_upside_down": "The apex of the fan is at the bottom; the picture was turned upright.",
    // Timing and regions.
    TimingAttributeRejected = "timing_attribute_rejected": "An attribute of the frame times is not usable.",
    TimingGuessed = "timing_guessed": "The header gives no usable frame time; one was assumed.",
    DecimalComma = "decimal_comma": "Frame times are written with a decimal comma.",
    TimingVectorOneShort = "timing_vector_one_short": "Frame Time Vector lacks its first entry.",
    TimingFramesRepeated = "timing_frames_repeated": "Frames have the time of the frame before them.",
    TimingDisagreesWithRWaves = "timing_disagrees_with_r_waves":
        "The R-wave times do not fit into the duration that the frame times give.",
    RegionUnreadable = "region_unreadable": "An ultrasound region cannot be read and was left out.",
    RegionTooSmall = "region_too_small": "An ultrasound region has next to no size and was left out.",
    RegionOutsideImage = "region_outside_image": "An ultrasound region lies outside the image and was left out.",
    // The ECG in the header.
    HeartRateInvalid = "heart_rate_invalid": "The header's heart rate is outside what a heart does.",
    HeartRateDisagreesWithRWaves = "heart_rate_disagrees_with_r_waves":
        "The header's heart rate does not fit its R-wave times.",
    RWaveTimesInvalid = "r_wave_times_invalid": "Some R-wave times are no numbers and were ignored.",
    RWaveTimesUnsorted = "r_wave_times_unsorted": "The R-wave times do not ascend; they were sorted.",
    RWavesOutsideLoop = "r_waves_outside_loop": "No R wave lies inside the loop.",
    CurveUnreadable = "curve_unreadable": "The ECG curve is damaged.",
    WaveformUnreadable = "waveform_unreadable": "The waveform is damaged.",
    EcgOfAnotherObject = "ecg_of_another_object": "The ECG is that of a waveform object in the same folder.",
    // The beat.
    EcgRTimesNotNumbers = "ecg_r_times_not_numbers": "R times that are NaN or infinite were left out.",
    EcgRTimesUnsorted = "ecg_r_times_unsorted": "R times were not in rising order and were sorted.",
    EcgRTimesDuplicate = "ecg_r_times_duplicate": "R times within 20 ms of each other were merged.",
    EcgRTimesOutsideLoop = "ecg_r_times_outside_loop":
        "R times before the first or after the last frame are not listed as R peaks.",
    EcgImplausibleRrInterval = "ecg_implausible_rr_interval":
        "Beats whose R-R interval is outside 0.25 to 2.5 s were dropped.",
    EcgNoBeatFound = "ecg_no_beat_found": "The signal shows no beat.",
    EcgImplausibleHeartRate = "ecg_implausible_heart_rate":
        "The heart rate of the header is outside what a heart does and was not used.",
    EcgBeatExtrapolated = "ecg_beat_extrapolated":
        "No whole beat is in the loop: the missing R peak was placed by the heart rate.",
    EcgPartialBeat = "ecg_partial_beat": "No whole beat is in the loop: a part of one is used.",
    // The trace in the pixels.
    FrameTimeDisagreesWithTrace = "frame_time_disagrees_with_trace":
        "The header's frame time does not fit the speed of the burned-in trace.",
    NoBeatOnTrace = "no_beat_on_trace": "The burned-in trace shows no beat.",
    NoHeadOnTrace = "no_head_on_trace":
        "The burned-in trace has no moving head or cursor, so its beats have no frames.",
    FramesNotDecoded = "frames_not_decoded": "Frames that were wanted for the burned-in trace could not be decoded.",
    // The sampling plan.
    PlanFramesRepeated = "plan_frames_repeated": "A beat or loop has fewer frames than the clip asks for; frames repeat.",
    PlanShortBeatStretched = "plan_short_beat_stretched":
        "A beat is shorter than the window; all its frames were used, stretched to the clip length.",
    PlanUniform = "plan_uniform": "No beat could be used, so frames were spread uniformly.",
    PlanClipsLimited = "plan_clips_limited": "There were more clips than the limit; evenly spaced ones were kept.",
}

impl FindingCode {
    /// Returns the kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Serialize for FindingCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FindingCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("unknown finding {name}")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_read_back_from_its_name_and_no_name_stands_twice() {
        let names: BTreeSet<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), FindingCode::ALL.len());
        for code in FindingCode::ALL {
            let json = serde_json::to_string(code).expect("a name");
            assert_eq!(serde_json::from_str::<FindingCode>(&json).ok(), Some(*code));
            assert!(code.meaning().ends_with('.'), "{code}");
        }
    }
}
