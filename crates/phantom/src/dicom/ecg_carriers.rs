//! The ECG in the header: Waveform Sequence, R Wave Time Vector, retired curve group.

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, Length, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::builder::Header;
use crate::simulate::SimulatedLoop;

/// Samples per second of the waveform.
const WAVEFORM_HZ: f64 = 500.0;
/// Millivolts per stored unit of the waveform.
const WAVEFORM_MV: f64 = 0.001;
/// Points of the curve per frame, as some cath labs write.
const CURVE_POINTS_PER_FRAME: u32 = 16;

/// Puts the carriers that the loop's specification asks for.
pub fn put_ecg(header: &mut Header, simulated: &SimulatedLoop) {
    let carriers = simulated.spec().carriers;
    if carriers.r_wave_time_vector {
        let times: Vec<f32> = simulated.r_times_s().iter().map(|time_s| (time_s * 1000.0) as f32).collect();
        header.0.put(DataElement::new(tags::R_WAVE_TIME_VECTOR, VR::FL, PrimitiveValue::F32(times.into())));
    }
    if carriers.waveform {
        put_waveform(header, simulated);
    }
    if carriers.curve {
        put_curve(header, simulated);
    }
}

/// Returns the time that the loop covers: until the end of its last frame.
fn covered_s(simulated: &SimulatedLoop) -> f64 {
    simulated.frame_time_s(simulated.frames())
}

/// Puts one multiplex group with lead II, from frame 0 to the end of the loop (PS3.3 C.10.9).
fn put_waveform(header: &mut Header, simulated: &SimulatedLoop) {
    let samples = (covered_s(simulated) * WAVEFORM_HZ).ceil() as u32 + 1;
    let values: Vec<u16> = (0..samples)
        .map(|sample| {
            let millivolts = simulated.ecg().millivolts(f64::from(sample) / WAVEFORM_HZ);
            (millivolts / WAVEFORM_MV).round() as i16 as u16
        })
        .collect();
    let mut source = Header(InMemDicomObject::new_empty());
    source.text(tags::CODE_VALUE, VR::SH, "2:2");
    source.text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "MDC");
    source.text(tags::CODE_MEANING, VR::LO, "Lead II");
    let mut unit = Header(InMemDicomObject::new_empty());
    unit.text(tags::CODE_VALUE, VR::SH, "mV");
    unit.text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "UCUM");
    unit.text(tags::CODE_MEANING, VR::LO, "millivolt");
    let mut channel = Header(InMemDicomObject::new_empty());
    channel.text(tags::CHANNEL_LABEL, VR::SH, "Lead II");
    channel.0.put(sequence(tags::CHANNEL_SOURCE_SEQUENCE, source.0));
    channel.text(tags::CHANNEL_SENSITIVITY, VR::DS, WAVEFORM_MV.to_string());
    channel.0.put(sequence(tags::CHANNEL_SENSITIVITY_UNITS_SEQUENCE, unit.0));
    channel.text(tags::CHANNEL_SENSITIVITY_CORRECTION_FACTOR, VR::DS, "1");
    channel.text(tags::CHANNEL_BASELINE, VR::DS, "0");
    channel.text(tags::CHANNEL_SAMPLE_SKEW, VR::DS, "0");
    channel.short(tags::WAVEFORM_BITS_STORED, 16);
    let mut group = Header(InMemDicomObject::new_empty());
    group.text(tags::MULTIPLEX_GROUP_TIME_OFFSET, VR::DS, "0");
    group.text(tags::WAVEFORM_ORIGINALITY, VR::CS, "ORIGINAL");
    group.short(tags::NUMBER_OF_WAVEFORM_CHANNELS, 1);
    group.long(tags::NUMBER_OF_WAVEFORM_SAMPLES, samples);
    group.text(tags::SAMPLING_FREQUENCY, VR::DS, WAVEFORM_HZ.to_string());
    group.text(tags::MULTIPLEX_GROUP_LABEL, VR::SH, "ECG");
    group.0.put(sequence(tags::CHANNEL_DEFINITION_SEQUENCE, channel.0));
    group.short(tags::WAVEFORM_BITS_ALLOCATED, 16);
    group.text(tags::WAVEFORM_SAMPLE_INTERPRETATION, VR::CS, "SS");
    group.words(tags::WAVEFORM_DATA, VR::OW, values);
    header.0.put(sequence(tags::WAVEFORM_SEQUENCE, group.0));
}

/// Curve group 5000 (PS3.3-2004 C.10.2): evenly spaced points over the loop, no time axis, as met in the field.
fn put_curve(header: &mut Header, simulated: &SimulatedLoop) {
    let points = simulated.frames() * CURVE_POINTS_PER_FRAME;
    let step_s = covered_s(simulated) / f64::from(points);
    let values: Vec<u16> = (0..points)
        .map(|point| {
            let millivolts = simulated.ecg().millivolts(f64::from(point) * step_s);
            (500.0 + 300.0 * millivolts).round().clamp(0.0, 1023.0) as u16
        })
        .collect();
    let tag = |element: u16| Tag(0x5000, element);
    header.short(tag(0x0005), 1);
    header.short(tag(0x0010), points.min(65535) as u16);
    header.text(tag(0x0020), VR::CS, "ECG");
    header.short(tag(0x0103), 0);
    header.0.put(DataElement::new(tag(0x0110), VR::US, dicom_value!(U16, [0])));
    header.words(tag(0x3000), VR::OW, values);
}

fn sequence(tag: Tag, item: InMemDicomObject) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::SQ, DataSetSequence::new(vec![item], Length::UNDEFINED))
}
