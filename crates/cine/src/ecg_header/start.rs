//! When an object begins, on the clocks that it may share with other objects.

use std::str::FromStr as _;

use dicom_dictionary_std::tags;
use domain::EcgSamples;
use jiff::civil::{Date, DateTime, Time};

use crate::scan::DataSet;

/// The moment of the first frame, or of time 0 of a recording, as far as the header tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Start {
    /// Local date and time of acquisition, where it is told to a fraction of a second: a whole second may be a beat off.
    acquired: Option<DateTime>,
    /// Time after the trigger of a synchronized acquisition.
    after_trigger: Option<AfterTrigger>,
}

/// Time after a trigger that other objects of the same Synchronization Frame of Reference UID (0020,0200) share.
#[derive(Debug, Clone, PartialEq)]
struct AfterTrigger {
    synchronization_uid: String,
    ms: f64,
}

impl Start {
    /// Reads the start of a loop: Image Trigger Delay (0018,1067), else Trigger Time (0018,1060), after the trigger.
    pub(crate) fn of_loop(data_set: &DataSet) -> Self {
        let delay = data_set.decimal(tags::IMAGE_TRIGGER_DELAY).or_else(|| data_set.decimal(tags::TRIGGER_TIME));
        Self { acquired: acquired(data_set), after_trigger: after_trigger(data_set, delay) }
    }

    /// Reads the start of a recording: the trigger is at Trigger Time Offset (0018,1069) before its first sample, else at
    /// the sample that Trigger Sample Position (0018,106E) counts from 1 (PS3.3 C.10.9.1.1).
    pub(crate) fn of_recording(data_set: &DataSet, samples: &EcgSamples) -> Self {
        let group = data_set.items(tags::WAVEFORM_SEQUENCE).first();
        let offset = group.and_then(|group| group.decimal(tags::TRIGGER_TIME_OFFSET));
        let position =
            group.and_then(|group| group.u32(tags::TRIGGER_SAMPLE_POSITION)).filter(|position| *position > 0);
        let first_sample = offset.or_else(|| position.map(|p| -f64::from(p - 1) * samples.sample_interval_ms));
        let zero = first_sample.map(|ms| ms - samples.start_ms);
        Self { acquired: acquired(data_set), after_trigger: after_trigger(data_set, zero) }
    }

    /// Returns the time from the start of `other` to this one in milliseconds: by the trigger that both name, else by
    /// their times of acquisition.
    pub(crate) fn ms_after(&self, other: &Self) -> Option<f64> {
        match (&self.after_trigger, &other.after_trigger) {
            (Some(own), Some(others)) if own.synchronization_uid == others.synchronization_uid => {
                Some(own.ms - others.ms)
            }
            _ => Some(self.acquired?.duration_since(other.acquired?).as_secs_f64() * 1000.0),
        }
    }
}

fn after_trigger(data_set: &DataSet, ms: Option<f64>) -> Option<AfterTrigger> {
    let synchronization_uid = data_set.text(tags::SYNCHRONIZATION_FRAME_OF_REFERENCE_UID)?;
    ms.filter(|ms| ms.is_finite()).map(|ms| AfterTrigger { synchronization_uid, ms })
}

/// Reads Acquisition DateTime (0008,002A), else date and time of acquisition; times of content or series are when
/// something was written.
fn acquired(data_set: &DataSet) -> Option<DateTime> {
    let in_one = data_set.text(tags::ACQUISITION_DATE_TIME);
    let in_two = || Some(data_set.text(tags::ACQUISITION_DATE)? + &data_set.text(tags::ACQUISITION_TIME)?);
    // The offset from UTC is that of one clock in one room.
    let text = in_one.or_else(in_two)?;
    let digits = text.split(['+', '-']).next()?.trim();
    let (whole, fraction) = digits.split_once('.')?;
    let is_full = whole.len() == 14 && whole.is_ascii() && (1..=6).contains(&fraction.len());
    let (date, time) = is_full.then(|| whole.split_at(8))?;
    let date = Date::strptime("%Y%m%d", date).ok()?;
    let whole_seconds = Time::strptime("%H%M%S", time).ok()?;
    let nanoseconds = i32::from_str(&format!("{fraction:0<9}")).ok()?;
    Some(date.to_datetime(whole_seconds.with().subsec_nanosecond(nanoseconds).build().ok()?))
}

#[cfg(test)]
mod tests {
    use dicom_core::Tag;

    use super::*;
    use crate::scan::Value;

    fn data_set(values: &[(Tag, &str)]) -> DataSet {
        let mut data_set = DataSet::new(false);
        for (tag, value) in values {
            data_set.push(*tag, Value::Bytes(value.as_bytes().to_vec()));
        }
        data_set
    }

    #[test]
    fn times_of_acquisition_are_subtracted_over_midnight() {
        let recording = Start::of_loop(&data_set(&[(tags::ACQUISITION_DATE_TIME, "20260228235959.75+0100")]));
        let of_loop = data_set(&[(tags::ACQUISITION_DATE, "20260301"), (tags::ACQUISITION_TIME, "000001.000000 ")]);
        assert_eq!(recording.ms_after(&Start::of_loop(&of_loop)), Some(-1250.0));
    }

    #[test]
    fn whole_seconds_and_what_is_no_time_tell_nothing() {
        let exact = Start::of_loop(&data_set(&[(tags::ACQUISITION_DATE_TIME, "20260301120000.5")]));
        for text in
            ["20260301120000", "20260301", "20261301120000.5", "2026030112000a.5", "20260301120000.", ".5", "é.5"]
        {
            let other = Start::of_loop(&data_set(&[(tags::ACQUISITION_DATE_TIME, text)]));
            assert_eq!(exact.ms_after(&other), None, "{text}");
        }
    }

    #[test]
    fn a_common_trigger_is_believed_before_the_clocks() {
        let frame = (tags::SYNCHRONIZATION_FRAME_OF_REFERENCE_UID, "1.2.3");
        let clock = (tags::ACQUISITION_DATE_TIME, "20260301120000.5");
        let first = Start::of_loop(&data_set(&[frame, clock, (tags::IMAGE_TRIGGER_DELAY, "250")]));
        let second = Start::of_loop(&data_set(&[frame, clock, (tags::TRIGGER_TIME, "-50 ")]));
        assert_eq!(second.ms_after(&first), Some(-300.0));
        let of_another_system = (tags::SYNCHRONIZATION_FRAME_OF_REFERENCE_UID, "1.2.4");
        let third = Start::of_loop(&data_set(&[of_another_system, clock, (tags::TRIGGER_TIME, "-50 ")]));
        assert_eq!(third.ms_after(&first), Some(0.0));
    }

    #[test]
    fn the_trigger_of_a_recording_is_a_time_or_a_sample() {
        let samples = EcgSamples::new(vec![0.0; 1000], 2.0, 0.0).unwrap();
        let recording = |tag, value: &[u8]| {
            let mut group = DataSet::new(false);
            group.push(tag, Value::Bytes(value.to_vec()));
            let mut object = data_set(&[(tags::SYNCHRONIZATION_FRAME_OF_REFERENCE_UID, "1.2.3")]);
            object.push(tags::WAVEFORM_SEQUENCE, Value::Items(vec![group]));
            Start::of_recording(&object, &samples)
        };
        let frames = [(tags::SYNCHRONIZATION_FRAME_OF_REFERENCE_UID, "1.2.3"), (tags::TRIGGER_TIME, "100")];
        let of_loop = Start::of_loop(&data_set(&frames));
        assert_eq!(recording(tags::TRIGGER_TIME_OFFSET, b"-400").ms_after(&of_loop), Some(-500.0));
        assert_eq!(recording(tags::TRIGGER_SAMPLE_POSITION, &201_u32.to_le_bytes()).ms_after(&of_loop), Some(-500.0));
        assert_eq!(recording(tags::TRIGGER_SAMPLE_POSITION, &0_u32.to_le_bytes()).ms_after(&of_loop), None);
    }
}
