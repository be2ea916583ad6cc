//! ECG channels of a Waveform Sequence (PS3.3 C.10.9).

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::scan::{DataSet, words};
use domain::{EcgSamples, Finding, FindingCode};

/// Slower or faster than this is no ECG.
const SAMPLING_HZ: std::ops::RangeInclusive<f64> = 20.0..=100_000.0;
const MAX_CHANNELS: usize = 256;

/// Returns the best ECG channel of all multiplex groups: lead II, else the first that is called ECG or lead.
pub(crate) fn ecg_channel(data_set: &DataSet, findings: &mut Vec<Finding>) -> Option<EcgSamples> {
    let groups = data_set.items(tags::WAVEFORM_SEQUENCE);
    let candidates = groups.iter().flat_map(|group| {
        let definitions = group.items(tags::CHANNEL_DEFINITION_SEQUENCE).iter().take(MAX_CHANNELS).enumerate();
        definitions.filter_map(move |(number, definition)| {
            let label = channel_label(definition);
            channel_rank(&label).map(|rank| (rank, group, number, definition))
        })
    });
    let (_, group, number, definition) = candidates.min_by_key(|(rank, ..)| *rank)?;
    let samples = read_channel(group, number, definition);
    if samples.is_none() {
        let message = "an ECG channel has no usable samples or sampling frequency";
        findings.push(Finding::new(FindingCode::WaveformUnreadable, message));
    }
    samples
}

fn channel_label(definition: &DataSet) -> String {
    let source = definition.items(tags::CHANNEL_SOURCE_SEQUENCE).first();
    let meaning = source.and_then(|code| code.text(tags::CODE_MEANING));
    definition.text(tags::CHANNEL_LABEL).or(meaning).unwrap_or_default()
}

/// Returns the rank of a label among the names of ECG channels, 0 best; `None` where it names none.
fn channel_rank(label: &str) -> Option<u8> {
    let upper = label.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let names_ecg = words.iter().any(|word| word.starts_with("ECG") || word.starts_with("EKG") || *word == "LEAD");
    match (words.contains(&"II"), names_ecg) {
        (true, _) => Some(0),
        (false, true) => Some(1),
        (false, false) => None,
    }
}

fn read_channel(group: &DataSet, number: usize, definition: &DataSet) -> Option<EcgSamples> {
    let frequency_hz = group.decimal(tags::SAMPLING_FREQUENCY).filter(|hz| SAMPLING_HZ.contains(hz))?;
    let channels = usize::from(group.u16(tags::NUMBER_OF_WAVEFORM_CHANNELS)?);
    let announced = group.u32(tags::NUMBER_OF_WAVEFORM_SAMPLES)? as usize;
    let interpretation = group.text(tags::WAVEFORM_SAMPLE_INTERPRETATION).unwrap_or_default();
    let stored = stored_samples(group, tags::WAVEFORM_DATA, &interpretation)?;
    let factor = |tag: Tag, default: f64| definition.decimal(tag).unwrap_or(default);
    let sensitivity = factor(tags::CHANNEL_SENSITIVITY, 1.0) * factor(tags::CHANNEL_SENSITIVITY_CORRECTION_FACTOR, 1.0);
    let baseline = factor(tags::CHANNEL_BASELINE, 0.0);
    let of_channel = stored.iter().skip(number).step_by(channels.max(1)).take(announced);
    let values: Vec<f32> = of_channel.map(|sample| (sample * sensitivity + baseline) as f32).collect();
    let usable = number < channels && !values.is_empty() && values.iter().all(|value| value.is_finite());
    let skew_ms = factor(tags::CHANNEL_TIME_SKEW, 0.0) * 1000.0;
    let start_ms = group.decimal(tags::MULTIPLEX_GROUP_TIME_OFFSET).unwrap_or(0.0) + skew_ms;
    usable.then(|| EcgSamples::new(values, 1000.0 / frequency_hz, start_ms).ok())?
}

/// Returns all samples of a multiplex group, channels interleaved. The data's value representation is OB or OW, so
/// signed samples come as unsigned words and are taken for what the interpretation says (PS3.3 C.10.9.1.5).
fn stored_samples(group: &DataSet, tag: Tag, interpretation: &str) -> Option<Vec<f64>> {
    let bytes = group.bytes(tag)?;
    let big = group.is_big_endian();
    Some(match interpretation {
        "SB" => bytes.iter().map(|byte| f64::from(byte.cast_signed())).collect(),
        "UB" => bytes.iter().map(|byte| f64::from(*byte)).collect(),
        "SS" => words(bytes, big, i16::from_be_bytes, i16::from_le_bytes).into_iter().map(f64::from).collect(),
        "US" => words(bytes, big, u16::from_be_bytes, u16::from_le_bytes).into_iter().map(f64::from).collect(),
        "SL" => words(bytes, big, i32::from_be_bytes, i32::from_le_bytes).into_iter().map(f64::from).collect(),
        "UL" => words(bytes, big, u32::from_be_bytes, u32::from_le_bytes).into_iter().map(f64::from).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use dicom_dictionary_std::tags;

    use super::{channel_rank, ecg_channel};
    use crate::open::open_data_set;
    use crate::scan::{DataSet, Value};

    #[test]
    fn ecg_channels_are_told_by_their_labels() {
        assert_eq!(channel_rank("Lead II"), Some(0));
        assert_eq!(channel_rank("II"), Some(0));
        assert_eq!(channel_rank("ECG 1"), Some(1));
        assert_eq!(channel_rank("Lead III"), Some(1));
        assert_eq!(channel_rank("Respiration"), None);
        assert_eq!(channel_rank("Leading pressure"), None);
    }

    /// Two channels, pressure and ECG, two samples each, sensitivity 0.5, baseline 1, 40 ms after frame 0.
    fn two_channels(interpretation: &[u8], data: Vec<u8>) -> DataSet {
        let channel = |label: &[u8]| {
            let mut definition = DataSet::new(false);
            definition.push(tags::CHANNEL_LABEL, Value::Bytes(label.to_vec()));
            definition.push(tags::CHANNEL_SENSITIVITY, Value::Bytes(b"0.5 ".to_vec()));
            definition.push(tags::CHANNEL_BASELINE, Value::Bytes(b"1 ".to_vec()));
            definition
        };
        let mut group = DataSet::new(false);
        group.push(tags::SAMPLING_FREQUENCY, Value::Bytes(b"500 ".to_vec()));
        group.push(tags::NUMBER_OF_WAVEFORM_CHANNELS, Value::Bytes(2_u16.to_le_bytes().to_vec()));
        group.push(tags::NUMBER_OF_WAVEFORM_SAMPLES, Value::Bytes(2_u32.to_le_bytes().to_vec()));
        group.push(tags::MULTIPLEX_GROUP_TIME_OFFSET, Value::Bytes(b"40".to_vec()));
        group.push(tags::WAVEFORM_SAMPLE_INTERPRETATION, Value::Bytes(interpretation.to_vec()));
        group.push(tags::WAVEFORM_DATA, Value::Bytes(data));
        group.push(tags::CHANNEL_DEFINITION_SEQUENCE, Value::Items(vec![channel(b"Pressure"), channel(b"ECG ")]));
        let mut data_set = DataSet::new(false);
        data_set.push(tags::WAVEFORM_SEQUENCE, Value::Items(vec![group]));
        data_set
    }

    #[test]
    fn samples_of_8_16_and_32_bits_are_signed_and_scaled() {
        let data: [(&[u8], Vec<u8>); 3] = [
            (b"SB", [9_i8, -4, 9, 6].iter().flat_map(|value| value.to_le_bytes()).collect()),
            (b"SS", [9_i16, -4, 9, 6].iter().flat_map(|value| value.to_le_bytes()).collect()),
            (b"SL", [9_i32, -4, 9, 6].iter().flat_map(|value| value.to_le_bytes()).collect()),
        ];
        for (interpretation, data) in data {
            let ecg = ecg_channel(&two_channels(interpretation, data), &mut Vec::new()).expect("it has an ECG");
            assert_eq!(ecg.values, [-1.0, 4.0]);
            assert_eq!((ecg.sample_interval_ms, ecg.start_ms), (2.0, 40.0));
        }
    }

    #[test]
    fn an_unknown_interpretation_is_a_finding() {
        let mut findings = Vec::new();
        assert_eq!(ecg_channel(&two_channels(b"MB", vec![0; 4]), &mut findings), None);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn lead_ii_of_real_waveform_objects_is_read() {
        let Some(shared) = test_support::shared_data() else {
            return;
        };
        let manifest = std::fs::read_to_string(shared.join("manifest.json")).expect("a manifest");
        let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("a manifest");
        let files = manifest["dicom"].as_array().expect("the manifest lists DICOM files");
        let with_waveforms: Vec<_> = files.iter().filter(|entry| entry["waveforms"].is_array()).collect();
        assert_eq!(with_waveforms.len(), 3);
        for entry in with_waveforms {
            let name = entry["name"].as_str().unwrap_or_default();
            let opened = open_data_set(&shared.join(name), &mut Vec::new()).expect("it opens");
            let ecg = ecg_channel(&opened.scan.data_set, &mut Vec::new()).expect("it has an ECG");
            let group = &entry["waveforms"][0];
            assert_eq!(ecg.values.len() as u64, group["samples"].as_u64().unwrap_or(0), "{name}");
            assert!((ecg.rate_hz() - group["hz"].as_f64().unwrap_or(0.0)).abs() < 1e-6, "{name}");
            assert!(ecg.values.iter().any(|value| *value < 0.0), "{name}: samples are signed");
        }
    }
}
