//! The ECG in a retired curve group 50xx (PS3.3-2004 C.10.2).

use dicom_core::Tag;

use crate::scan::{DataSet, words};
use crate::timing::FrameTiming;
use domain::{EcgSamples, Finding, FindingCode};

const DIMENSIONS: u16 = 0x0005;
const NUMBER_OF_POINTS: u16 = 0x0010;
const TYPE_OF_DATA: u16 = 0x0020;
const AXIS_UNITS: u16 = 0x0030;
const DATA_VALUE_REPRESENTATION: u16 = 0x0103;
const CURVE_DATA_DESCRIPTOR: u16 = 0x0110;
const COORDINATE_START_VALUE: u16 = 0x0112;
const COORDINATE_STEP_VALUE: u16 = 0x0114;
const CURVE_DATA: u16 = 0x3000;

/// Returns the first curve group that is an ECG.
pub(super) fn ecg_curve(data_set: &DataSet, timing: &FrameTiming, findings: &mut Vec<Finding>) -> Option<EcgSamples> {
    let groups = (0x5000..=0x501E_u16).step_by(2);
    let is_ecg = |group: &u16| data_set.text(Tag(*group, TYPE_OF_DATA)).as_deref() == Some("ECG");
    let group = groups.into_iter().find(is_ecg)?;
    let curve = Curve::read(data_set, group).and_then(|curve| curve.samples(timing));
    if curve.is_none() {
        findings
            .push(Finding::new(FindingCode::CurveUnreadable, format!("the ECG curve of group {group:04X} is damaged")));
    }
    curve
}

struct Curve {
    /// The amplitudes.
    values: Vec<f32>,
    /// The abscissas, where they are stored or follow from start and step.
    abscissas: Vec<f64>,
    /// Unit of the abscissas: `MSEC`, `SEC`, `PIXL`, `NONE`, ...
    abscissa_unit: String,
}

impl Curve {
    fn read(data_set: &DataSet, group: u16) -> Option<Self> {
        let tag = |element| Tag(group, element);
        let dimensions = usize::from(data_set.u16(tag(DIMENSIONS)).unwrap_or(1));
        let points = usize::from(data_set.u16(tag(NUMBER_OF_POINTS))?);
        let representation = data_set.u16(tag(DATA_VALUE_REPRESENTATION)).unwrap_or(0);
        let stored = coordinates(data_set, tag(CURVE_DATA), representation)?;
        // A descriptor of 0 says that a dimension is not stored but follows from its start and step.
        let descriptor = data_set.u16s(tag(CURVE_DATA_DESCRIPTOR));
        let stores_abscissas = dimensions == 2 && descriptor.first() != Some(&0);
        let stride = if stores_abscissas { 2 } else { 1 };
        let values: Vec<f32> =
            stored.iter().skip(stride - 1).step_by(stride).take(points).map(|value| *value as f32).collect();
        let abscissas = if stores_abscissas {
            stored.iter().step_by(stride).take(points).copied().collect()
        } else {
            let start = data_set.u16(tag(COORDINATE_START_VALUE)).unwrap_or(0);
            let step = data_set.u16(tag(COORDINATE_STEP_VALUE)).unwrap_or(0);
            (0..values.len()).map(|index| f64::from(start) + index as f64 * f64::from(step)).collect()
        };
        let usable = (1..=2).contains(&dimensions) && values.len() >= 2 && values.iter().all(|value| value.is_finite());
        usable.then(|| Self {
            values,
            abscissas,
            abscissa_unit: data_set.texts(tag(AXIS_UNITS)).into_iter().next().unwrap_or_default(),
        })
    }

    /// Returns the curve over time. Without a time axis the curve is taken to span the whole loop, as converters write
    /// it.
    fn samples(self, timing: &FrameTiming) -> Option<EcgSamples> {
        let ms_per_unit = match self.abscissa_unit.as_str() {
            "MSEC" => Some(1.0),
            "SEC" => Some(1000.0),
            _ => None,
        };
        let points = self.values.len() as f64;
        let (first, last) = (*self.abscissas.first()?, *self.abscissas.last()?);
        let (sample_interval_ms, start_ms) = match ms_per_unit {
            Some(ms) if last > first => ((last - first) * ms / (points - 1.0), first * ms),
            _ => ((timing.duration_ms() + timing.frame_time_ms()) / points, 0.0),
        };
        EcgSamples::new(self.values, sample_interval_ms, start_ms).ok()
    }
}

/// Returns the stored coordinates for each Data Value Representation (50xx,0103).
fn coordinates(data_set: &DataSet, tag: Tag, representation: u16) -> Option<Vec<f64>> {
    let bytes = data_set.bytes(tag)?;
    let big = data_set.is_big_endian();
    Some(match representation {
        0 => words(bytes, big, u16::from_be_bytes, u16::from_le_bytes).into_iter().map(f64::from).collect(),
        1 => words(bytes, big, i16::from_be_bytes, i16::from_le_bytes).into_iter().map(f64::from).collect(),
        2 => words(bytes, big, f32::from_be_bytes, f32::from_le_bytes).into_iter().map(f64::from).collect(),
        3 => words(bytes, big, f64::from_be_bytes, f64::from_le_bytes),
        4 => words(bytes, big, i32::from_be_bytes, i32::from_le_bytes).into_iter().map(f64::from).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use dicom_core::Tag;

    use super::ecg_curve;
    use crate::scan::{DataSet, Value};
    use crate::timing::{FrameTiming, TimingSource};

    fn curve(representation: u16, points: u16, data: Vec<u8>) -> DataSet {
        let mut data_set = DataSet::new(false);
        let mut push = |element, bytes: Vec<u8>| data_set.push(Tag(0x5002, element), Value::Bytes(bytes));
        push(0x0005, 1_u16.to_le_bytes().to_vec());
        push(0x0010, points.to_le_bytes().to_vec());
        push(0x0020, b"ECG ".to_vec());
        push(0x0103, representation.to_le_bytes().to_vec());
        push(0x3000, data);
        data_set
    }

    #[test]
    fn every_data_value_representation_is_read() {
        let timing = FrameTiming::uniform(TimingSource::FrameTime, 20.0, 3);
        let bytes: [Vec<u8>; 5] = [
            [3_u16, 5].iter().flat_map(|value| value.to_le_bytes()).collect(),
            [-3_i16, 5].iter().flat_map(|value| value.to_le_bytes()).collect(),
            [-3_f32, 5.0].iter().flat_map(|value| value.to_le_bytes()).collect(),
            [-3_f64, 5.0].iter().flat_map(|value| value.to_le_bytes()).collect(),
            [-3_i32, 5].iter().flat_map(|value| value.to_le_bytes()).collect(),
        ];
        for (representation, bytes) in bytes.into_iter().enumerate() {
            let mut findings = Vec::new();
            let ecg = ecg_curve(&curve(representation as u16, 2, bytes), &timing, &mut findings).expect("it is an ECG");
            assert_eq!(ecg.values[0].abs(), 3.0);
            assert_eq!(ecg.values[0] < 0.0, representation > 0, "representation {representation}");
            assert_eq!((ecg.sample_interval_ms, ecg.start_ms), (30.0, 0.0), "two points over three frames of 20 ms");
        }
    }

    #[test]
    fn a_curve_of_nonsense_is_a_finding() {
        let timing = FrameTiming::assumed(3);
        let mut findings = Vec::new();
        assert_eq!(ecg_curve(&curve(9, 2, vec![0; 8]), &timing, &mut findings), None);
        assert_eq!(findings.len(), 1);
    }
}
