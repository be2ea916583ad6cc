//! Whole studies: valid DICOM, consistent truth, the same bytes for the same seed.

use std::path::Path;

use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, open_file};

use domain::EcgSource;
use phantom::{
    ImageFormation, LoopTruth, PixelEncoding, StudyOptions, Subject, View, simulate_loop, study_folder, study_specs,
    write_study,
};

fn small() -> StudyOptions {
    StudyOptions { seed: 21, size: (160, 120), frames: Some((2, 10)), ..StudyOptions::default() }
}

fn number(object: &DefaultDicomObject, tag: dicom_core::Tag) -> Option<u32> {
    object.get(tag).and_then(|element| element.to_int().ok())
}

fn check_pixels(object: &DefaultDicomObject, truth: &LoopTruth) {
    let pixels = object.element(tags::PIXEL_DATA).expect("pixel data");
    let pixel_count = 160 * 120_usize;
    match pixels.fragments() {
        Some(fragments) => {
            assert!(matches!(truth.encoding, PixelEncoding::JpegBaseline | PixelEncoding::RleRgb));
            assert_eq!(fragments.len(), truth.frames as usize);
        }
        None => {
            let frame_bytes = match truth.encoding {
                PixelEncoding::Palette => pixel_count,
                PixelEncoding::RawYbr422 => pixel_count * 2,
                _ => pixel_count * 3,
            };
            let stored = pixels.to_bytes().expect("bytes").len();
            assert_eq!(stored, frame_bytes * truth.frames as usize, "{}", truth.file);
        }
    }
}

fn check_loop(folder: &Path, truth: &LoopTruth) {
    let object = open_file(folder.join(&truth.file)).expect("the file parses");
    let uid = object.element(tags::SOP_INSTANCE_UID).expect("uid").to_str().expect("text");
    assert_eq!(uid, truth.sop_instance_uid);
    assert_eq!(number(&object, tags::NUMBER_OF_FRAMES).unwrap_or(1), truth.frames);
    assert_eq!(number(&object, tags::ROWS), Some(120));
    let has = |tag| object.get(tag).is_some();
    let expected = if has(tags::WAVEFORM_SEQUENCE) {
        EcgSource::Waveform
    } else if has(tags::R_WAVE_TIME_VECTOR) {
        EcgSource::RWaveTimeVector
    } else if has(dicom_core::Tag(0x5000, 0x3000)) {
        EcgSource::Curve
    } else if truth.trace.is_some() {
        EcgSource::BurnedInTrace
    } else {
        EcgSource::None
    };
    assert_eq!(truth.ecg_source, expected, "{}", truth.file);
    check_pixels(&object, truth);
    let last = f64::from(truth.frames - 1);
    let inside = |frames: &[f64]| frames.iter().all(|frame| (0.0..=last).contains(frame));
    assert!(inside(&truth.r_peaks) && inside(&truth.phases.end_systole), "{}", truth.file);
}

#[test]
fn a_study_is_valid_and_its_truth_is_consistent() {
    let out = tempfile::tempdir().expect("a folder");
    let mut steps = 0;
    let truth = write_study(&small(), 0, out.path(), &mut |_, _| steps += 1).expect("a study");
    assert_eq!(steps, truth.loops.len());
    let folder = out.path().join(study_folder(0));
    for loop_truth in &truth.loops {
        check_loop(&folder, loop_truth);
    }
    for view in View::ALL {
        assert!(truth.loops.iter().any(|one| one.view == Some(view)), "no {}", view.name());
    }
    let json = std::fs::read_to_string(folder.join("truth.json")).expect("truth.json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["loops"][1]["view"], "PSAX-ves");
    assert_eq!(json["loops"][0]["mode"], "2d");
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let write = |threads: usize| {
        let out = tempfile::tempdir().expect("a folder");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let truth = pool.install(|| write_study(&small(), 1, out.path(), &mut |_, _| ())).expect("a study");
        let folder = out.path().join(study_folder(1));
        let mut files: Vec<Vec<u8>> =
            truth.loops.iter().map(|one| std::fs::read(folder.join(&one.file)).expect("a file")).collect();
        files.push(std::fs::read(folder.join("truth.json")).expect("truth.json"));
        files
    };
    assert!(write(1) == write(3));
}

#[test]
fn impossible_options_are_named() {
    let out = tempfile::tempdir().expect("a folder");
    let options = StudyOptions { size: (0, 120), ..small() };
    let error = write_study(&options, 0, out.path(), &mut |_, _| ()).expect_err("no image has no columns");
    assert!(error.to_string().starts_with("size cannot be 0 x 120"), "{error}");
    assert!(!error.is_temporary());
    for sway in [f64::NAN, -1.0, 1e9] {
        let error = write_study(&StudyOptions { sway, ..small() }, 0, out.path(), &mut |_, _| ()).expect_err("too far");
        assert!(error.to_string().starts_with(&format!("sway cannot be {sway}")), "{error}");
    }
}

#[test]
fn randomized_studies_show_every_view_in_looks_of_their_own() {
    let usual = small();
    let randomized = StudyOptions { domain_randomization: true, color_loops: 6, non_cardiac_loops: 4, ..usual.clone() };
    let specs = study_specs(&randomized, 0);
    assert_eq!(specs, study_specs(&randomized, 0), "the same seed draws the same");
    let views: Vec<Subject> = specs.iter().take(View::ALL.len()).map(|spec| spec.subject).collect();
    assert_eq!(views, View::ALL.map(Subject::Heart), "the usual order of views stays");
    assert_eq!(specs.iter().filter(|spec| spec.subject == Subject::Invented).count(), 2);
    assert!(specs.windows(2).all(|pair| pair[0].gain != pair[1].gain), "each loop has its own look");
    assert!(specs.iter().all(|spec| spec.patient == specs[0].patient), "one patient a study");
    assert_ne!(specs[0].patient, study_specs(&usual, 0)[0].patient);
    for spec in &specs {
        spec.check().expect("it can be simulated");
        let frame = simulate_loop(spec).frame(0);
        assert!(frame.pixels().iter().any(|&level| level > 60), "{:?} is not black", spec.subject);
    }
}

#[test]
fn the_other_image_formation_shows_the_same_hearts_otherwise() {
    let other = StudyOptions { image_formation: ImageFormation::PointScatterers, ..small() };
    let (specs, other_specs) = (study_specs(&small(), 0), study_specs(&other, 0));
    for (spec, other_spec) in specs.iter().zip(&other_specs).take(4) {
        let (usual, other) = (simulate_loop(spec), simulate_loop(other_spec));
        assert_eq!(usual.tissue_areas(0.2), other.tissue_areas(0.2));
        let (usual, other) = (usual.frame(1), other.frame(1));
        assert_eq!(other, simulate_loop(other_spec).frame(1), "the same seed gives the same pixels");
        let differing = usual.pixels().iter().zip(other.pixels()).filter(|(a, b)| a.abs_diff(**b) > 8).count();
        assert!(differing > usual.pixels().len() / 20, "{differing} of {}", usual.pixels().len());
    }
}
