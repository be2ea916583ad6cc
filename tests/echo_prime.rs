//! EchoPrime's view classifier: imported from an archive like the authors' release, then labelling with both of its pipelines.

mod support;

use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;
use support::{dicom_files, json_lines, run, small_studies};
use zoo::weights::{DeterministicInit, TensorSource};
use zoo::{LabelSet, Model, Registry};

const NAME: &str = "EchoPrime_view_classifier";

/// The tensors of torchvision's `convnext_base` with eleven classes, made by a formula, in the bytes of a weight file.
fn weights() -> Vec<u8> {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    let formula = DeterministicInit { seed: "a test".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None };
    let tensors: HashMap<String, Tensor> = Model::tensors(registry.card(NAME).unwrap())
        .unwrap()
        .into_iter()
        .map(|tensor| {
            let name = match tensor.name.strip_prefix("encoder.") {
                Some(inside) => inside.to_owned(),
                None => tensor.name.replacen("classifier.", "classifier.2.", 1),
            };
            (name, formula.tensor(&tensor.name, &tensor.shape).unwrap())
        })
        .collect();
    assert_eq!(tensors["classifier.2.weight"].dims(), [11, 1024]);
    assert_eq!(tensors["classifier.0.weight"].dims(), [1024]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    candle_core::safetensors::save(&tensors, &path).unwrap();
    std::fs::read(path).unwrap()
}

/// A zip archive of stored entries (PKWARE APPNOTE 6.3.10).
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let offset = bytes.len() as u32;
        let mut checksum = flate2::Crc::new();
        checksum.update(content);
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(checksum.sum().to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes().repeat(2));
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        bytes.extend(b"PK\x03\x04".iter().chain(&common).chain(name.as_bytes()).chain(*content));
        directory.extend(b"PK\x01\x02\x14\0".iter().chain(&common).chain(&[0; 10]));
        directory.extend(offset.to_le_bytes().iter().chain(name.as_bytes()));
    }
    let (start, length) = (bytes.len() as u32, directory.len() as u32);
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend((entries.len() as u16).to_le_bytes().repeat(2));
    bytes.extend(length.to_le_bytes().iter().chain(&start.to_le_bytes()).chain(&[0, 0]));
    bytes
}

#[test]
fn the_release_is_pulled_and_its_classifier_labels_a_loop() {
    let folder = tempfile::tempdir().unwrap();
    let release = folder.path().join("model_data.zip");
    {
        let weights = weights();
        let entries: [(&str, &[u8]); 3] = [
            ("model_data/weights/echo_prime_encoder.pt", b"of no use here"),
            ("model_data/weights/view_classifier.pt", &weights),
            ("model_data/candidates_data/candidate_studies.csv", b"Study"),
        ];
        std::fs::write(&release, archive(&entries)).unwrap();
    }
    let models = folder.path().join("models");
    let models = models.to_str().unwrap();
    let from = folder.path().to_str().unwrap();
    let (code, stdout, stderr) = run(&["models", "pull", NAME, "--from", from, "--models", models]);
    assert_eq!(code, 0, "{stderr}");
    // 87,566,464 of the encoder and 1024 x 11 + 11 of the last layer.
    assert!(stdout.contains("87577739 numbers"), "{stdout}");
    std::fs::remove_file(&release).unwrap();
    let (_, shown, _) = run(&["models", "show", NAME, "--models", models]);
    assert!(
        shown.contains("model_data.zip") && shown.contains("NOT VALIDATED") && shown.contains("no transfer"),
        "{shown}"
    );

    let (study, truth) = small_studies(&folder.path().join("studies"), 1, 7).remove(0);
    let loops = truth["loops"].as_array().unwrap();
    let known = loops.iter().find(|known| known["mode"] == "2d" && !known["view"].is_null()).unwrap();
    let file = study.join(known["file"].as_str().unwrap());
    assert!(dicom_files(&study).contains(&file));
    let label = |pipeline| {
        let file = file.to_str().unwrap();
        let (code, stdout, stderr) = run(&["label", "--json", "--pipeline", pipeline, "--models", models, file]);
        assert_eq!(code, 0, "{stderr}");
        json_lines(&stdout).remove(0)
    };
    let first = label("echoprime11-first-frame");
    let names = LabelSet::named("echoprime11").unwrap().view_names();
    assert_eq!(first["probabilities"].as_object().unwrap().len(), names.len());
    assert!(names.iter().any(|name| first["view"] == name.as_str()), "the likeliest class is kept: {first}");
    assert_eq!((&first["standing"], &first["ecg_source"]), (&"suggestion".into(), &"none".into()));
    let averaged = label(NAME);
    assert!(averaged["frames_used"].as_u64().unwrap() >= 6, "{averaged}");
    assert_ne!(averaged["probabilities"], first["probabilities"]);
}
