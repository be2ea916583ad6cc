//! Miniatures of the three published data sets, with the reference systems' own networks, through `train` and `eval`.

mod support;

use std::path::Path;

use serde_json::Value;
use support::echolabel;

fn run_in(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = echolabel().current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = run_in(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    stdout
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// A small gray image that looks like its class.
fn write_image(path: &Path, class: usize, number: usize) {
    const SIDE: u32 = 32;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixel = |at: u32| {
        let bar = (at % SIDE) as usize / 4 == class % 8 || (at / SIDE) as usize / 4 == class / 8;
        if bar { 220 } else { (20 + (at as usize * 7919 + number * 31) % 23) as u8 }
    };
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), SIDE, SIDE);
    encoder.set_color(png::ColorType::Grayscale);
    let pixels: Vec<u8> = (0..SIDE * SIDE).map(pixel).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
}

/// A recipe that learns only the last layer, so that a large network costs little.
fn recipe(name: &str, model: &str, objective: &str, data: &str) -> String {
    format!(
        "name = \"{name}\"\nmodel = \"{model}\"\nseed = 1\ntrainable = \"last_layer\"\ndata = {data}\n\
         objective = {{ kind = \"{objective}\" }}\nbatch = {{ clips = 2 }}\nstop = {{ steps = 1, validate_every = 1 }}\n"
    )
}

#[test]
fn tte47_with_three_experts_and_label_noise() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let names = ["a2ch-full", "a2ch-la", "a2ch-lv"];
    let mut lists = Vec::new();
    for (side, count) in [("train", 48), ("val", 3), ("test", 6)] {
        let mut files = Vec::new();
        for number in 0..count {
            let file = format!("Data/Set/{}/01-{side}{number}-0003.png", names[number % 3]);
            write_image(&at("tte47").join(&file), number % 3, number);
            files.push(file);
        }
        let labels: Vec<usize> = (0..count).map(|number| number % 3).collect();
        lists.push(format!("\"{side}_files\": {files:?}, \"{side}_labels\": {labels:?}"));
    }
    std::fs::write(at("tte47/data_split.json"), format!("{{{}}}", lists.join(","))).unwrap();
    let lookup: Vec<String> = (0..3).map(|index| format!("\"{index}\": \"{}\"", names[index])).collect();
    std::fs::write(at("tte47/class_lookup.json"), format!("{{{}}}", lookup.join(","))).unwrap();
    let data = "{ layout = \"tte47\", folder = \"tte47\" }";
    let text = recipe("stills", "EchoView47_classifier", "cross_entropy", data);
    std::fs::write(at("stills.toml"), &text).unwrap();
    succeeds(folder.path(), &["train", "stills.toml"]);

    let (code, _, stderr) = run_in(folder.path(), &["eval", "stills.toml", "--split", "test"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("no experts.json"), "nothing stands in for experts: {stderr}");
    let metrics = at("runs/stills/report-test/metrics.json");
    assert!(json(&metrics)["experts"].is_null());

    // Expert 1 gave the data set's labels; images 3 and 4 have a "not sure", image 5 three different labels.
    let experts = "{ \"expert1_labels\": [0, 1, 2, 0, 1, 2], \"expert2_labels\": [0, 1, 1, null, 1, 1], \
                   \"expert3_labels\": [0, 1, 2, 0, null, 0] }";
    std::fs::write(at("tte47/experts.json"), experts).unwrap();
    succeeds(folder.path(), &["eval", "stills.toml", "--split", "test"]);
    let read = json(&metrics);
    let rows = |subset: &str| read["experts"]["subsets"][subset]["rows"].as_u64().unwrap();
    let counted = ["full", "all_agree", "majority", "no_majority", "intersection", "any_expert"].map(rows);
    assert_eq!(counted, [6, 2, 5, 1, 4, 6]);
    assert_eq!(read["experts"]["agreement"]["rows"], 4);
    assert!(read["experts"]["agreement"]["expert_expert"][0].is_number(), "{read}");
    let page = std::fs::read_to_string(at("runs/stills/report-test/report.html")).unwrap();
    assert!(page.contains("<h2>Experts</h2>"));

    let stdout = succeeds(folder.path(), &["eval", "stills.toml", "--label-noise", "0.25,0.5"]);
    assert_eq!(stdout.matches("Detection Rate").count(), 2, "{stdout}");
    let noise = json(&at("runs/stills/label-noise.json"));
    assert_eq!((noise[0]["loops"].as_u64(), noise[0]["noisy"].as_u64()), (Some(48), Some(12)), "{noise}");
    assert_eq!((noise[1]["noisy"].as_u64(), &noise[1]["learned_from_them"]), (Some(24), &Value::Bool(false)));
    assert!(noise[1]["detection_rate"].is_number() && noise[1]["label_recovery_precision"].is_number(), "{noise}");

    // The weights of a run with noise learned from the very labels that are looked for.
    std::fs::write(at("noisy.toml"), format!("label_noise = 0.5\n{}", text.replace("stills", "noisy"))).unwrap();
    succeeds(folder.path(), &["train", "noisy.toml", "--cache", "runs/stills/data"]);
    let arguments = ["eval", "noisy.toml", "--label-noise", "0.5", "--cache", "runs/stills/data"];
    succeeds(folder.path(), &arguments);
    assert_eq!(json(&at("runs/noisy/label-noise.json"))[0]["learned_from_them"], true);
}

#[test]
fn tmed2_has_a_mean_over_its_folds() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let views = ["PLAX", "PSAX", "A4C", "A2C", "A4CorA2CorOther"];
    for number in 0..20 {
        write_image(&at(&format!("tmed2/labeled/{number}s1_{number}.png")), number % 5, number);
    }
    for fold in 0..2 {
        let mut csv = "query_key,SourceFolder,view_label,diagnosis_label,view_classifier_split\n".to_owned();
        for number in 0..20 {
            let side = ["train", "train", "val", "test"][(number / 5 + fold) % 4];
            csv += &format!("{number}s1_{number}.png,labeled,{},Not_Provided,{side}\n", views[number % 5]);
        }
        std::fs::write(at(&format!("tmed2/fold{fold}.csv")), csv).unwrap();
        let data = format!("{{ layout = \"tmed2\", folder = \"tmed2\", fold = \"fold{fold}.csv\" }}");
        let text = recipe(&format!("fold{fold}"), "EchoView47_TMED2", "partial_label", &data);
        std::fs::write(at(&format!("fold{fold}.toml")), text).unwrap();
        succeeds(folder.path(), &["train", &format!("fold{fold}.toml")]);
    }
    let stdout = succeeds(folder.path(), &["eval", "fold0.toml", "fold1.toml", "--split", "test"]);
    assert!(stdout.contains("balanced accuracy of PLAX, PSAX, A4C, A2C"), "{stdout}");
    let folds = json(&at("runs/folds/folds.json"));
    let four = &folds["metrics"]["balanced accuracy of PLAX, PSAX, A4C, A2C"];
    let of_fold = |fold: usize| json(&at(&format!("runs/fold{fold}/report-test/metrics.json")))["subset"][1].clone();
    let recalls = [0, 1].map(|fold| of_fold(fold)["mean_recall"].as_f64().unwrap());
    assert_eq!(four["folds"], Value::from(recalls.to_vec()));
    assert!((four["mean"].as_f64().unwrap() - (recalls[0] + recalls[1]) / 2.0).abs() < 1e-12);
    assert!(
        (four["standard_deviation"].as_f64().unwrap() - (recalls[0] - recalls[1]).abs() / 2f64.sqrt()).abs() < 1e-12
    );

    let (code, _, stderr) = run_in(folder.path(), &["eval", "fold0.toml", "tmed2/fold1.csv"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("only recipes can be folds"), "{stderr}");
    // A patient in train and in test is refused.
    let csv = std::fs::read_to_string(at("tmed2/fold0.csv")).unwrap();
    std::fs::write(at("tmed2/fold0.csv"), csv + "0s2_9.png,labeled,PLAX,Not_Provided,test\n").unwrap();
    let (code, _, stderr) = run_in(folder.path(), &["eval", "fold0.toml", "--split", "test"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("the split leaks"), "{stderr}");
}

#[test]
fn the_eleven_view_layout_is_trained_on_and_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut csv = "path,label,start,end\n".to_owned();
    for (number, split) in ["Train", "Train", "Validation", "Test"].into_iter().enumerate() {
        let path = format!("{split}/study{number}/video{number}/0");
        for frame in 2..18 {
            // What a file is, its bytes say, not its name.
            write_image(&at("eleven").join(&path).join(format!("video{number}_{frame}.jpeg")), number, frame);
        }
        csv += &format!("{path},{},2,17\n", ["PLAX", "3", "Subcostal", "PSAX-ves"][number]);
    }
    std::fs::write(at("eleven/windows.csv"), &csv).unwrap();
    let data = "{ layout = \"eleven_views\", folder = \"eleven\", windows = \"windows.csv\" }";
    std::fs::write(at("eleven.toml"), recipe("eleven", "tte11-tiny", "cross_entropy", data)).unwrap();
    succeeds(folder.path(), &["train", "eleven.toml"]);
    succeeds(folder.path(), &["eval", "eleven.toml", "--split", "test"]);
    assert_eq!(json(&at("runs/eleven/report-test/metrics.json"))["rows"]["labelled"], 1);
    // The study of training in the test set as well.
    std::fs::write(at("eleven/windows.csv"), csv + "Test/study0/video0/0,PLAX,2,17\n").unwrap();
    let (code, _, stderr) = run_in(folder.path(), &["train", "eleven.toml", "--out", "leaking"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("the split leaks"), "{stderr}");
}
