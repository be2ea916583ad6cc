//! A lab's DICOM loops and a CSV of their views become clips: those that the pipeline would see.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use phantom::{StudyOptions, StudyTruth, study_folder, write_study};
use pipeline::{Pipeline, PipelineSource};
use train::data::LoopData;
use train::{DataRecipe, DataSet, Outcome, Recipe, Split, TrainError, Trainer};
use zoo::{ModelCard, Registry};

fn card() -> ModelCard {
    Registry::open(Path::new("nowhere")).unwrap().card("tte11-tiny").unwrap().clone()
}

/// Small studies below `folder`, one patient each: with strips, other organs, and something that is not DICOM.
fn lab(folder: &Path, studies: u32) -> Vec<StudyTruth> {
    let options = StudyOptions {
        studies,
        seed: 6,
        size: (160, 120),
        frames: Some((12, 18)),
        color_loops: 0,
        ..StudyOptions::default()
    };
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("notes.txt"), "not DICOM").unwrap();
    (0..studies).map(|number| write_study(&options, number, folder, &mut |_, _| {}).unwrap()).collect()
}

/// `sop_instance_uid,view` and more columns that `more` gives for a study and a file in it.
fn csv(truths: &[StudyTruth], header: &str, more: impl Fn(usize, &str) -> String) -> String {
    let mut text = format!("sop_instance_uid,view{header}\n");
    for (number, truth) in truths.iter().enumerate() {
        for of_loop in &truth.loops {
            let view = of_loop.view.map_or("none", |view| view.name());
            text += &format!("{},{view}{}\n", of_loop.sop_instance_uid, more(number, &of_loop.file));
        }
    }
    text
}

fn sides(study: usize, _: &str) -> String {
    format!(",{}", ["train", "train", "validation", "test"][study % 4])
}

fn recipe(data: LoopData, seed: u64) -> Recipe {
    let text = format!(
        "name = \"test\"\nmodel = \"tte11-tiny\"\nseed = {seed}\ndata = {{ layout = \"loops\", labels = \"replaced\" }}\n\
         batch = {{ clips = 4 }}\nstop = {{ steps = 1, validate_every = 1 }}\n"
    );
    Recipe { data: DataRecipe::Loops(data), ..Recipe::parse(&text, Path::new("test.toml")).unwrap() }
}

fn data(folder: Option<&Path>, labels: &Path) -> LoopData {
    let (folder, labels) = (folder.map(Path::to_owned), labels.to_owned());
    LoopData { folder, labels, validation_share: 0.3, test_share: 0.3, clips_per_loop: None }
}

/// Writes the CSV beside the lab and opens it; the cache lies in `cache`.
fn open(at: &Path, text: &str, folder: Option<&Path>, cache: &str) -> Result<DataSet, TrainError> {
    let labels = at.join("labels.csv");
    std::fs::write(&labels, text).unwrap();
    DataSet::open(&recipe(data(folder, &labels), 1), &card(), &at.join(cache), &mut |_, _| {})
}

fn everything_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { everything_below(&path, found) } else { found.push(path) }
    }
}

#[test]
fn loops_and_a_csv_go_through_training_as_the_pipeline_sees_them() {
    let folder = tempfile::tempdir().unwrap();
    let lab_folder = folder.path().join("lab");
    let truths = lab(&lab_folder, 4);
    let mut text = csv(&truths, ",split", sides);
    let known = &truths[0].loops[0].sop_instance_uid;
    text += "1.2.3,PLAX,train\n1.2.4,PLAXX,train\n1.2.5,,train\n";
    text += &format!("{known},PLAX,train\n");
    // One file is cut off within its header.
    let damaged = lab_folder.join(study_folder(1)).join(&truths[1].loops[2].file);
    let bytes = std::fs::read(&damaged).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len().min(700)]).unwrap();

    let set = open(folder.path(), &text, Some(&lab_folder), "data").unwrap();
    let examples = set.clips().examples();
    for side in [Split::Train, Split::Validation, Split::Test] {
        assert!(set.of(side).len() >= 12, "{side:?}: {}", set.of(side).len());
    }
    assert!(examples.iter().any(|example| example.class.is_none()), "other organs show none of the views");
    let reason_of = |uid: &str| {
        let left = set.left_out().iter().find(|left| left.sop_instance_uid == uid);
        left.map(|left| left.reason.clone()).unwrap_or_default()
    };
    assert!(reason_of("1.2.3").contains("no file"), "{}", reason_of("1.2.3"));
    assert!(reason_of("1.2.4").contains("tte11 has no view \"PLAXX\""), "{}", reason_of("1.2.4"));
    assert_eq!(reason_of("1.2.5"), "", "a row without a label is no fault");
    let strip = truths[0].loops.iter().find(|of_loop| of_loop.view.is_none()).unwrap();
    assert!(reason_of(&strip.sop_instance_uid).contains("no views of mode"), "{}", reason_of(&strip.sop_instance_uid));
    assert!(!reason_of(&truths[1].loops[2].sop_instance_uid).is_empty(), "a damaged file is left out");

    // The clips are those of the pipeline, but for normalization and rounding.
    let pipeline = Pipeline::open(
        &PipelineSource::named("tte11-tiny", folder.path()).unwrap(),
        folder.path(),
        nn::DeviceChoice::Cpu,
    )
    .unwrap();
    for of_loop in truths[0].loops.iter().take(4) {
        let path = lab_folder.join(study_folder(0)).join(&of_loop.file);
        let seen = pipeline.preprocess(&path).unwrap().inputs.unwrap().clips;
        let numbers: Vec<usize> =
            (0..examples.len()).filter(|&number| examples[number].source == of_loop.sop_instance_uid).collect();
        assert_eq!(numbers.len(), seen.clips.len());
        let normalize = card().prepare.normalize.unwrap_or(zoo::Normalize::IDENTITY);
        for (&number, positions) in numbers.iter().zip(&seen.clips) {
            let clip = set.clips().clip(number).unwrap();
            let area = clip.size * clip.size;
            for (frame, position) in positions.iter().enumerate() {
                for at in 0..area {
                    let value = seen.values[position * 3 * area + at] * normalize.std[0] + normalize.mean[0];
                    assert!((value * 255.0 - f32::from(clip.pixels[frame * area + at])).abs() <= 0.51);
                }
            }
        }
    }

    let recipe = recipe(data(Some(&lab_folder), &folder.path().join("labels.csv")), 1);
    let card = card();
    let run = folder.path().join("run");
    train::write_file_list(&set, &run).unwrap();
    let mut trainer = Trainer::open(&recipe, &card, &set, &run, &candle_core::Device::Cpu).unwrap();
    assert_eq!(trainer.run(&AtomicBool::new(false), &mut |_| {}).unwrap(), Outcome::Finished);
    let tested =
        train::predict(&card, &trainer.weights().unwrap(), &set, Split::Test, &candle_core::Device::Cpu).unwrap();
    assert!(tested.rows().len() >= 12);
    assert!(std::fs::read_to_string(run.join(train::LEFT_OUT)).unwrap().contains("1.2.4"));

    // A second opening finds the clips, and what was left out, as they were.
    let again = open(folder.path(), &text, Some(&lab_folder), "data").unwrap();
    assert_eq!((again.clips().fingerprint(), again.left_out()), (set.clips().fingerprint(), set.left_out()));
    let mut written = Vec::new();
    everything_below(&run, &mut written);
    everything_below(&folder.path().join("data"), &mut written);
    for path in written {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(7).any(|some| some == b"PHANTOM"), "{} names a patient", path.display());
    }
}

#[test]
fn patients_are_drawn_and_more_loops_move_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let lab_folder = folder.path().join("lab");
    let truths = lab(&lab_folder, 5);
    let labels = folder.path().join("labels.csv");
    let plax = |truths: &[StudyTruth]| {
        let all = csv(truths, "", |_, _| String::new());
        all.lines().filter(|line| !line.ends_with("none")).map(|line| format!("{line}\n")).collect::<String>()
    };
    // The first seed that leaves no side empty for four of the five patients.
    let drawn = |truths: &[StudyTruth], seed: u64| {
        std::fs::write(&labels, plax(truths)).unwrap();
        let cache = folder.path().join(format!("data-{}", truths.len()));
        DataSet::open(&recipe(data(Some(&lab_folder), &labels), seed), &card(), &cache, &mut |_, _| {})
    };
    let mut refused = Vec::new();
    let (seed, four) = (0..40)
        .find_map(|seed| match drawn(&truths[..4], seed) {
            Ok(set) => Some((seed, set)),
            Err(error) => {
                refused.push(error.to_string());
                None
            }
        })
        .unwrap();
    assert!(refused.iter().all(|message| message.contains("another seed")), "{refused:?}");
    let side_of = |set: &DataSet| -> std::collections::BTreeMap<String, (String, Split)> {
        let examples = set.clips().examples().iter();
        examples.map(|example| (example.source.clone(), (example.patient.clone(), example.split))).collect()
    };
    let (four, five) = (side_of(&four), side_of(&drawn(&truths, seed).unwrap()));
    assert!(five.len() > four.len());
    for (source, side) in &four {
        assert_eq!(five.get(source), Some(side));
    }
}

#[test]
fn a_leaking_column_is_refused_without_naming_the_patient() {
    let folder = tempfile::tempdir().unwrap();
    let lab_folder = folder.path().join("lab");
    let truths = lab(&lab_folder, 2);
    let by_file = |_: usize, file: &str| if file.contains("loop001") { ",validation" } else { ",train" }.to_owned();
    let Err(error) = open(folder.path(), &csv(&truths, ",split", by_file), Some(&lab_folder), "data") else {
        panic!("both patients stand on two sides");
    };
    assert!(matches!(error, TrainError::LeakingSplit { patients: 2, .. }), "{error}");
    assert!(!error.to_string().contains("PHANTOM"), "{error}");
    assert!(!folder.path().join("data").try_exists().unwrap(), "refused before anything was decoded");
    let Err(error) = open(folder.path(), &csv(&truths, ",split", |_, _| ",left".to_owned()), Some(&lab_folder), "data")
    else {
        panic!("there is no such side");
    };
    assert!(error.to_string().contains("line 2: split \"left\""), "{error}");
}

#[test]
fn an_export_with_reviews_and_paths_needs_no_search() {
    let folder = tempfile::tempdir().unwrap();
    let lab_folder = folder.path().join("lab");
    let truths = lab(&lab_folder, 2);
    // What a model said stands under `view`; only what a person said is learned.
    let mut text = "sop_instance_uid,view,reviewed_view,path,split\n".to_owned();
    for (number, truth) in truths.iter().enumerate() {
        for (at, of_loop) in truth.loops.iter().enumerate() {
            let reviewed = if at < 3 {
                "PSAX-base"
            } else if at == 3 {
                "none"
            } else {
                ""
            };
            let path = format!("lab/{}/{}", study_folder(number as u32), of_loop.file);
            let side = ["train", "validation"][number];
            text += &format!("{},PLAX,{reviewed},{path},{side}\n", of_loop.sop_instance_uid);
        }
    }
    let wrong = &truths[0].loops[5];
    text += &format!("1.2.3,PLAX,PLAX,lab/{}/{},train\n", study_folder(0), wrong.file);
    text += "1.2.4,PLAX,PLAX,lab/notes.txt,train\n1.2.5,PLAX,PLAX,lab/nothing.dcm,train\n";
    let set = open(folder.path(), &text, None, "data").unwrap();
    let base = zoo::LabelSet::named("tte11").unwrap().index_of("PSAX-base");
    let classes: Vec<Option<usize>> = set.clips().examples().iter().map(|example| example.class).collect();
    assert!(classes.iter().all(|class| class.is_none() || *class == base), "{classes:?}");
    assert!(classes.contains(&base) && classes.contains(&None), "{classes:?}");
    let reasons: Vec<(&str, &str)> =
        set.left_out().iter().map(|left| (left.sop_instance_uid.as_str(), left.reason.as_str())).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons.iter().any(|(uid, reason)| *uid == "1.2.3" && reason.contains("another loop")), "{reasons:?}");
}

#[test]
fn nothing_to_learn_from_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let lab_folder = folder.path().join("lab");
    lab(&lab_folder, 1);
    let refused = |text: &str, lab: Option<&Path>| match open(folder.path(), text, lab, "data") {
        Ok(_) => panic!("{text}"),
        Err(error) => error.to_string(),
    };
    let message = refused("sop_instance_uid,view\n1.2.3,PLAX\n1.2.4,PLAX\n1.2.5,\n", Some(&lab_folder));
    assert!(message.contains("2 times: no file has this") && message.contains("data.folder"), "{message}");
    let message = refused("sop_instance_uid,view\n1.2.3,PLAX\n", None);
    assert!(message.contains("--paths"), "{message}");
    let message = refused("study;view\n1.2.3;PLAX\n", Some(&lab_folder));
    assert!(message.contains("needs the columns") && message.contains("study, view"), "{message}");
}
