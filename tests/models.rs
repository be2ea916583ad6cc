//! Weights of other frameworks: imported, fetched, refused.

mod support;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use support::run;
use zoo::weights::{DeterministicInit, TensorSource};
use zoo::{Model, Registry};

const NAME: &str = "tte11-image";

/// A checkpoint as the thesis' code would save it, the tensor `without` left out.
fn checkpoint(folder: &Path, without: Option<&str>) -> PathBuf {
    let registry = Registry::open(folder).unwrap();
    let formula = DeterministicInit { seed: "a test".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None };
    let tensors: HashMap<String, Tensor> = Model::tensors(registry.card(NAME).unwrap())
        .unwrap()
        .into_iter()
        .map(|tensor| {
            let values = formula.tensor(&tensor.name, &tensor.shape).unwrap();
            let name = tensor.name.replacen("encoder.", "conv.", 1).replacen("classifier.w", "classifier_layer.0.w", 1);
            (name.replace("classifier.b", "classifier_layer.0.b"), values)
        })
        .map(|(name, tensor)| (name.replace("conv.classifier_layer.0", "conv.classifier"), tensor))
        .filter(|(name, _)| Some(name.as_str()) != without)
        .collect();
    assert_eq!(tensors["classifier_layer.0.weight"].dims(), [11, 1000]);
    assert!(tensors.values().all(|tensor| matches!(tensor.device(), Device::Cpu)));
    let path = folder.join("best_model.safetensors");
    candle_core::safetensors::save(&tensors, &path).unwrap();
    path
}

/// Runs `echolabel models` with weights in a folder of their own: exit code, stdout, stderr.
fn models(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let weights = folder.join("models");
    run(&[["models"].as_slice(), arguments, &["--models", weights.to_str().unwrap()]].concat())
}

#[test]
fn a_checkpoint_is_imported_and_then_here() {
    let folder = tempfile::tempdir().unwrap();
    let file = checkpoint(folder.path(), None);
    let (_, before, _) = models(folder.path(), &["show", NAME]);
    assert!(before.contains("models import"), "{before}");
    let (code, stdout, stderr) = models(folder.path(), &["import", file.to_str().unwrap(), "--as", NAME, "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let line: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(line["model"], NAME);
    // The parameters, and the means and variances of the norms beside them.
    assert!(line["elements"].as_u64().unwrap() > 9_121_005);
    assert!(folder.path().join("models/tte11-image.safetensors").is_file());
    let (_, list, _) = models(folder.path(), &["list", "--json"]);
    let here = |line: &&str| line.contains("\"name\":\"tte11-image\"") && line.contains("\"weights_here\":true");
    assert_eq!(list.lines().filter(here).count(), 1);
    // What was imported can be imported again, and is the same.
    let imported = folder.path().join("models/tte11-image.safetensors");
    let before = std::fs::read(&imported).unwrap();
    let (_, shown, _) = models(folder.path(), &["show", NAME]);
    assert!(shown.contains("from best_model.safetensors, sha256"), "{shown}");
    let (code, _, stderr) = models(folder.path(), &["import", imported.to_str().unwrap(), "--as", NAME]);
    assert_eq!(code, 0, "{stderr}");
    assert!(std::fs::read(&imported).unwrap() == before);
}

#[test]
fn a_file_that_is_not_right_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let missing = "conv.features.3.0.block.1.0.weight";
    let file = checkpoint(folder.path(), Some(missing));
    let (code, _, stderr) = models(folder.path(), &["import", file.to_str().unwrap(), "--as", NAME]);
    assert_eq!(code, 1);
    assert!(stderr.contains("features.3.0.block.1.0.weight\" is missing"), "{stderr}");
    std::fs::write(&file, b"PK not a weight file").unwrap();
    let (code, _, stderr) = models(folder.path(), &["import", file.to_str().unwrap(), "--as", NAME]);
    assert_eq!(code, 1);
    assert!(stderr.contains("best_model.safetensors"), "{stderr}");
    let left = std::fs::read_dir(folder.path().join("models")).map_or(0, Iterator::count);
    assert_eq!(left, 0);
}

#[test]
fn mistakes_in_the_command_are_told_from_bad_files() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        ["import", "nowhere.pth", "--as", "no-such-model"].as_slice(),
        &["import", "nowhere.pth", "--as", "tte11-tiny"],
        &["pull", "no-such-model"],
        &["pull", NAME],
        &["pull", NAME, "--from", "http://127.0.0.1:9"],
        &["verify"],
    ] {
        let (code, _, stderr) = models(folder.path(), arguments);
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
    }
    let (code, _, stderr) = models(folder.path(), &["import", "nowhere.pth", "--as", NAME]);
    assert_eq!(code, 1);
    assert!(stderr.contains("nowhere.pth"), "{stderr}");
}

#[test]
fn a_model_is_pulled_from_a_server_that_hangs_up_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = checkpoint(folder.path(), None);
    let content = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/lab/best_model.safetensors", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut hung_up = false;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            if head[0].starts_with("HEAD") {
                stream
                    .write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .unwrap();
                continue;
            }
            let range = head
                .iter()
                .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok());
            let from: usize = range.unwrap_or(0);
            let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
            write!(stream, "HTTP/1.1 {status}\r\netag: \"v1\"\r\ncontent-length: {}\r\n", content.len() - from)
                .unwrap();
            write!(stream, "content-range: bytes {from}-{}/{}\r\n\r\n", content.len() - 1, content.len()).unwrap();
            let to = if hung_up { content.len() } else { content.len() / 3 };
            hung_up = true;
            stream.write_all(&content[from..to]).unwrap();
        }
    });
    let (code, stdout, stderr) = models(folder.path(), &["pull", NAME, "--from", &address]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("nobody vouches for it"), "{stdout}");
    assert!(folder.path().join("models/tte11-image.safetensors").is_file());
    // The download is kept, so that the next import needs no network.
    let kept = folder.path().join("models/downloads");
    let kept = kept.join("best_model.safetensors");
    let (code, _, stderr) = models(folder.path(), &["pull", NAME, "--from", kept.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    let wrong = "0".repeat(64);
    let (code, _, stderr) = models(folder.path(), &["pull", NAME, "--from", &address, "--sha256", &wrong]);
    assert_eq!(code, 2);
    assert!(stderr.contains("it was thrown away"), "{stderr}");
}

#[test]
fn an_imagenet_classifier_is_imported_as_an_encoder_without_its_classes() {
    const ENCODER: &str = "imagenet-efficientnet-lite0";
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path()).unwrap();
    let formula = DeterministicInit { seed: "a test".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None };
    let mut tensors: HashMap<String, Tensor> = Model::tensors(registry.card(ENCODER).unwrap())
        .unwrap()
        .into_iter()
        .map(|tensor| {
            let values = formula.tensor(&tensor.name, &tensor.shape).unwrap();
            (tensor.name.replacen("encoder.", "", 1), values)
        })
        .collect();
    tensors.insert("_fc.weight".to_owned(), formula.tensor("_fc.weight", &[1000, 1280]).unwrap());
    tensors.insert("_fc.bias".to_owned(), formula.tensor("_fc.bias", &[1000]).unwrap());
    let file = folder.path().join("efficientnet-lite0.safetensors");
    candle_core::safetensors::save(&tensors, &file).unwrap();
    let arguments = ["import", file.to_str().unwrap(), "--as", ENCODER, "--json"];
    let (code, stdout, stderr) = models(folder.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    let line: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&line["left_out"], &line["tensors"]), (&2.into(), &(tensors.len() - 2).into()));
    // A third tensor that the encoder has no place for is still an error.
    tensors.insert("_other.weight".to_owned(), formula.tensor("_other.weight", &[3, 3]).unwrap());
    candle_core::safetensors::save(&tensors, &file).unwrap();
    let (code, _, stderr) = models(folder.path(), &arguments);
    assert_eq!(code, 1);
    assert!(stderr.contains("_other.weight"), "{stderr}");
}
