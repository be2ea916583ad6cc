//! The ECG of a loop in a waveform object of its own.

mod support;

use std::path::{Path, PathBuf};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{DefaultDicomObject, InMemDicomObject, open_file};
use serde_json::Value;
use support::{json_lines, run, small_studies};

/// Time by which the recording begins before the loop.
const LEAD_MS: f64 = 250.0;

/// A simulated loop and its recording, still one object.
struct Source {
    file: DefaultDicomObject,
    recording: DataElement<InMemDicomObject>,
    r_peaks: Vec<Value>,
}

/// Takes the Waveform Sequence out of the first loop that shows no other ECG.
fn loop_with_its_ecg_apart(folder: &Path) -> Source {
    for (study, truth) in small_studies(folder, 8, 3) {
        for of_loop in truth["loops"].as_array().unwrap().iter().filter(|of_loop| of_loop["ecg_source"] == "waveform") {
            let path = study.join(of_loop["file"].as_str().unwrap());
            let r_peaks = inspected(&path)["ecg"]["r_peaks"].as_array().unwrap().clone();
            let mut file = open_file(&path).unwrap();
            file.remove_element(tags::R_WAVE_TIME_VECTOR);
            let recording = file.take_element(tags::WAVEFORM_SEQUENCE).unwrap();
            let stripped = folder.join("stripped.dcm");
            file.write_to_file(&stripped).unwrap();
            if inspected(&stripped)["ecg"]["source"] == "none" && r_peaks.len() > 1 {
                return Source { file, recording, r_peaks };
            }
        }
    }
    panic!("no simulated loop of these seeds has its ECG in the Waveform Sequence alone");
}

fn inspected(path: &Path) -> Value {
    let (code, stdout, stderr) = run(&["inspect", path.to_str().unwrap(), "--json"]);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn put(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
}

impl Source {
    /// Writes loop and recording beside each other; returns the loop's path.
    fn write(&self, folder: &Path, loop_start: &str, study: Option<&str>, recording_start: &str) -> PathBuf {
        std::fs::create_dir(folder).unwrap();
        let mut file = self.file.clone();
        put(&mut file, tags::ACQUISITION_DATE_TIME, VR::DT, loop_start);
        let path = folder.join("loop.dcm");
        file.write_to_file(&path).unwrap();
        let mut object = InMemDicomObject::new_empty();
        let own_study = file.get(tags::STUDY_INSTANCE_UID).unwrap().to_str().unwrap().into_owned();
        put(&mut object, tags::SOP_CLASS_UID, VR::UI, uids::GENERAL_ECG_WAVEFORM_STORAGE);
        put(&mut object, tags::SOP_INSTANCE_UID, VR::UI, "1.2.3.4.5");
        put(&mut object, tags::STUDY_INSTANCE_UID, VR::UI, study.unwrap_or(&own_study));
        put(&mut object, tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.4.6");
        put(&mut object, tags::MODALITY, VR::CS, "ECG");
        put(&mut object, tags::ACQUISITION_DATE_TIME, VR::DT, recording_start);
        object.put(self.recording.clone());
        let meta = dicom_object::FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(uids::GENERAL_ECG_WAVEFORM_STORAGE)
            .media_storage_sop_instance_uid("1.2.3.4.5")
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
        object.with_meta(meta).unwrap().write_to_file(folder.join("ecg.dcm")).unwrap();
        path
    }
}

#[test]
fn an_ecg_object_of_the_same_study_and_time_gives_the_beat() {
    let folder = tempfile::tempdir().unwrap();
    let source = loop_with_its_ecg_apart(folder.path());
    let at = |name: &str| folder.path().join(name);

    let beside = inspected(&source.write(&at("same"), "20260301120000.250", None, "20260301120000.250"));
    assert_eq!(beside["ecg"]["source"], "waveform");
    assert_eq!(beside["ecg"]["r_peaks"].as_array(), Some(&source.r_peaks));
    let codes: Vec<&Value> = beside["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert!(codes.contains(&&Value::from("ecg_of_another_object")), "{codes:?}");

    // A recording that begins earlier has the same peaks earlier.
    let earlier = inspected(&source.write(&at("earlier"), "20260301120000.250", None, "20260301120000.000"));
    let frame_time_ms = earlier["frame_time_ms"].as_f64().unwrap();
    let as_frames = |peaks: &Value| peaks.as_array().unwrap().iter().filter_map(Value::as_f64).collect::<Vec<f64>>();
    let expected: Vec<f64> =
        source.r_peaks.iter().filter_map(Value::as_f64).map(|peak| peak - LEAD_MS / frame_time_ms).collect();
    for peak in as_frames(&earlier["ecg"]["r_peaks"]) {
        assert!(expected.iter().any(|expected| (expected - peak).abs() < 0.05), "{peak} is none of {expected:?}");
    }

    let refused = [
        source.write(&at("another-study"), "20260301120000.250", Some("1.2.3"), "20260301120000.250"),
        source.write(&at("whole-seconds"), "20260301120000", None, "20260301120000"),
        source.write(&at("an-hour-later"), "20260301120000.250", None, "20260301130000.250"),
    ];
    for path in refused {
        assert_eq!(inspected(&path)["ecg"]["source"], "none", "{}", path.display());
    }
}

#[test]
fn watch_and_label_use_the_ecg_object_and_count_it_as_no_image() {
    let folder = tempfile::tempdir().unwrap();
    let source = loop_with_its_ecg_apart(folder.path());
    let inbox = folder.path().join("inbox");
    source.write(&inbox, "20260301120000.250", None, "20260301120000.250");
    let inbox = inbox.to_str().unwrap();
    let (code, stdout, stderr) = run(&["label", inbox, "--json", "--pipeline", "tte11-tiny"]);
    assert_eq!(code, 0, "{stderr}");
    let lines = json_lines(&stdout);
    assert!(lines.iter().any(|line| line["ecg_source"] == "waveform"), "{stdout}");

    let database = folder.path().join("lab.sqlite");
    let database = database.to_str().unwrap();
    let (code, stdout, stderr) = run(&["watch", inbox, "--once", "--pipeline", "tte11-tiny", "--db", database]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let (_, stdout, _) = run(&["inventory", "--json", "--db", database]);
    let study = &json_lines(&stdout)[0];
    assert_eq!(study["states"]["no_image"], 1, "{study}");
}
