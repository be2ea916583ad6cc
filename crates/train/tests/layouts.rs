//! A miniature of each published layout goes through reading, preparation and a few steps; leaking splits are refused.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use train::data::tte47_experts;
use train::{DataRecipe, DataSet, Outcome, Recipe, Split, TrainError, Trainer};
use zoo::{ModelCard, Registry};

const WIDTH: u32 = 48;
const HEIGHT: u32 = 36;

/// A gray image whose brightness is that of its class.
fn pixels(class: usize, frame: usize) -> Vec<u8> {
    let pixel = |at: u32| ((40 * class + 10 * frame + at as usize * 7919 % 23) % 256) as u8;
    (0..WIDTH * HEIGHT).flat_map(|at| [pixel(at); 3]).collect()
}

fn write_png(path: &Path, class: usize) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&pixels(class, 0)).unwrap();
}

fn write_jpeg(path: &Path, class: usize, frame: usize) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let encoder = jpeg_encoder::Encoder::new_file(path, 90).unwrap();
    encoder.encode(&pixels(class, frame), WIDTH as u16, HEIGHT as u16, jpeg_encoder::ColorType::Rgb).unwrap();
}

fn tte47(folder: &Path) -> DataRecipe {
    let names = ["a2ch-full", "a2ch-la", "a2ch-lv"];
    let lookup: Vec<String> = (0..3).map(|index| format!("\"{index}\": \"{}\"", names[index])).collect();
    std::fs::write(folder.join("class_lookup.json"), format!("{{{}}}", lookup.join(","))).unwrap();
    let mut lists = Vec::new();
    for (side, count) in [("train", 6), ("val", 3), ("test", 3)] {
        let mut files = Vec::new();
        for number in 0..count {
            let file = format!("Data/Set/{}/01-{side}{number}-0003.png", names[number % 3]);
            write_png(&folder.join(&file), number % 3);
            files.push(format!("\"{file}\""));
        }
        let labels: Vec<String> = (0..count).map(|number| (number % 3).to_string()).collect();
        lists.push(format!("\"{side}_files\": [{}], \"{side}_labels\": [{}]", files.join(","), labels.join(",")));
    }
    std::fs::write(folder.join("data_split.json"), format!("{{{}}}", lists.join(","))).unwrap();
    DataRecipe::Tte47 { folder: folder.to_owned() }
}

fn tmed2(folder: &Path, patient_of_test: usize) -> DataRecipe {
    let mut csv = "query_key,SourceFolder,view_label,diagnosis_label,view_classifier_split\n".to_owned();
    for (number, (view, split)) in
        [("PLAX", "train"), ("A4CorA2CorOther", "train"), ("A4C", "train"), ("PSAX", "val"), ("A2C", "test")]
            .into_iter()
            .enumerate()
    {
        let patient = if split == "test" { patient_of_test } else { number };
        let key = format!("{patient}s1_{number}.png");
        csv += &format!("{key},labeled,{view},Not_Provided,{split}\n");
        write_png(&folder.join("labeled").join(&key), number);
    }
    csv += "9s1_1.png,labeled,Not_Provided,Not_Provided,train\n";
    let fold = PathBuf::from("fold0.csv");
    std::fs::write(folder.join(&fold), csv).unwrap();
    DataRecipe::Tmed2 { folder: folder.to_owned(), fold }
}

fn eleven_views(folder: &Path) -> DataRecipe {
    let mut csv = "path,label,start,end\n".to_owned();
    for (number, split) in ["Train", "Train", "Validation", "Test"].into_iter().enumerate() {
        let path = format!("{split}/study{number}/video{number}/0");
        for frame in 2..18 {
            write_jpeg(&folder.join(&path).join(format!("video{number}_{frame}.jpeg")), number, frame);
        }
        csv += &format!("{path},{},2,17\n", ["PLAX", "3", "Subcostal", "PSAX-ves"][number]);
    }
    std::fs::write(folder.join("windows.csv"), csv).unwrap();
    DataRecipe::ElevenViews { folder: folder.to_owned(), windows: "windows.csv".into() }
}

fn card(name: &str, label_set: &str) -> ModelCard {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    let mut card = registry.card(name).unwrap().clone();
    card.prepare = registry.card("tte11-tiny").unwrap().prepare;
    card.prepare.size = 32;
    card.label_set = Some(label_set.to_owned());
    card
}

fn recipe(data: &DataRecipe, objective: &str) -> Recipe {
    let text = format!(
        "name = \"test\"\nmodel = \"tte11-tiny\"\nseed = 1\nobjective = {{ kind = \"{objective}\" }}\n\
         data = {{ layout = \"tte47\", folder = \"replaced\" }}\nbatch = {{ clips = 4 }}\n\
         stop = {{ steps = 2, validate_every = 2 }}\n"
    );
    Recipe { data: data.clone(), ..Recipe::parse(&text, Path::new("test.toml")).unwrap() }
}

/// Reads the data, takes two steps and validates.
fn goes_through(data: &DataRecipe, card: &ModelCard, objective: &str, cache: &Path) -> DataSet {
    let recipe = recipe(data, objective);
    let set = DataSet::open(&recipe, card, &cache.join("data"), &mut |_, _| {}).unwrap();
    let mut trainer = Trainer::open(&recipe, card, &set, &cache.join("run"), &candle_core::Device::Cpu).unwrap();
    assert_eq!(trainer.run(&AtomicBool::new(false), &mut |_| {}).unwrap(), Outcome::Finished);
    let tested =
        train::predict(card, &trainer.weights().unwrap(), &set, Split::Test, &candle_core::Device::Cpu).unwrap();
    assert!(!tested.rows().is_empty(), "nothing to test on");
    set
}

#[test]
fn tte47_goes_through() {
    let folder = tempfile::tempdir().unwrap();
    let mut card = card("tte11-tiny", "tte47");
    card.head = zoo::HeadName::None;
    card.fusion = zoo::FusionName::Spatial;
    let set = goes_through(&tte47(folder.path()), &card, "cross_entropy", folder.path());
    assert_eq!([Split::Train, Split::Validation, Split::Test].map(|split| set.of(split).len()), [6, 3, 3]);
    assert_eq!(set.clips().clip(1).unwrap().pixels.len(), 32 * 32);
}

#[test]
fn experts_of_tte47_are_read_or_refused_never_made_up() {
    let folder = tempfile::tempdir().unwrap();
    tte47(folder.path());
    let views = zoo::LabelSet::named("tte47").unwrap();
    assert_eq!(tte47_experts(folder.path(), &views).unwrap(), None);
    let write = |third: &str| {
        let lists = "\"expert1_labels\": [0, 1, 2], \"expert2_labels\": [0, null, \"a2ch-la\"], \"x\": 1";
        std::fs::write(folder.path().join("experts.json"), format!("{{{lists}, \"expert3_labels\": {third}}}"))
            .unwrap();
        tte47_experts(folder.path(), &views)
    };
    let experts = write("[1, null, null]").unwrap().unwrap();
    let said: Vec<_> = experts.values().copied().collect();
    assert_eq!(said, [[Some(0), Some(0), Some(1)], [Some(1), None, None], [Some(2), Some(1), None]]);
    for (third, expected) in
        [("[1, 2]", "expert3_labels has 2 labels for 3"), ("[1, 2, 7]", "class 7"), ("[1, 2, \"x\"]", "no view")]
    {
        let error = write(third).unwrap_err().to_string();
        assert!(error.contains("experts.json") && error.contains(expected), "{error}");
    }
}

#[test]
fn tmed2_goes_through_with_its_partial_labels() {
    let folder = tempfile::tempdir().unwrap();
    let mut card = card("tte11-tiny", "tmed2");
    card.head = zoo::HeadName::None;
    card.fusion = zoo::FusionName::Spatial;
    let set = goes_through(&tmed2(folder.path(), 4), &card, "partial_label", folder.path());
    assert_eq!(set.of(Split::Train).len(), 3, "an image without a label is left out");
    assert_eq!(set.clips().examples()[1].class, Some(4));
}

#[test]
fn the_thesis_layout_goes_through() {
    let folder = tempfile::tempdir().unwrap();
    let set = goes_through(&eleven_views(folder.path()), &card("tte11-tiny", "tte11"), "cross_entropy", folder.path());
    let classes: Vec<Option<usize>> = set.clips().examples().iter().map(|example| example.class).collect();
    assert_eq!(classes, [Some(0), Some(3), Some(10), Some(1)]);
    assert_eq!(set.clips().clip(0).unwrap().frames, 6, "every third of sixteen");
}

#[test]
fn a_leaking_split_is_refused_before_anything_is_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let leaking = recipe(&tmed2(folder.path(), 0), "partial_label");
    let cache = folder.path().join("data");
    let Err(error) = DataSet::open(&leaking, &card("tte11-tiny", "tmed2"), &cache, &mut |_, _| {}) else {
        panic!("patient 0 is in train and in test");
    };
    assert!(matches!(error, TrainError::LeakingSplit { patients: 1, .. }), "{error}");
    assert!(!cache.try_exists().expect("the folder can be looked at"));
}

#[test]
fn what_does_not_fit_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(&eleven_views(folder.path()), "cross_entropy");
    std::fs::write(
        folder.path().join("windows.csv"),
        "path,label,start,end\nTrain/a/b/0,PLAX,0,15\nTrain/a/b,4ch,0,9\n",
    )
    .unwrap();
    let error = |recipe: &Recipe| {
        let opened = DataSet::open(recipe, &card("tte11-tiny", "tte11"), &folder.path().join("x"), &mut |_, _| {});
        opened.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let message = error(&recipe);
    assert!(message.contains("windows.csv: line 3") && message.contains("4ch"), "{message}");
    std::fs::write(folder.path().join("windows.csv"), "path,label,start,end\nTrain/a/b/0,PLAX,0,15\n").unwrap();
    let message = error(&recipe);
    assert!(message.contains("b_0.jpeg"), "{message}");
}
