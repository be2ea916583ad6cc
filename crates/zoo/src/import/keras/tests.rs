//! The order in which encoders read their layers must be Keras' own: files of the newer store tell layers apart by nothing
//! else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Device;
use serde_json::Value;

use super::*;
use crate::weights::{Weights, outlines};
use crate::{Classifier, Encoder, EncoderName};

fn golden(path: &str) -> Value {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden");
    serde_json::from_slice(&std::fs::read(folder.join(path)).unwrap()).unwrap()
}

/// The tensors that an encoder with a last layer of `classes` needs.
fn needed(encoder: EncoderName, classes: usize) -> Vec<TensorOutline> {
    outlines(|source| {
        Weights::read_all(source, &Device::Cpu, '.', |weights| {
            Encoder::read(encoder, &weights.at("encoder"))?;
            Classifier::read(Encoder::width(encoder), classes, &weights.at("classifier"))?;
            Ok::<_, crate::ZooError>(())
        })
    })
    .unwrap()
}

/// The tensors of a golden file: Keras' names and shapes in the order of the model's layers.
fn in_keras_order(file: &str) -> Vec<TensorOutline> {
    let shape = |value: &Value| value.as_array().unwrap().iter().map(|side| side.as_u64().unwrap() as usize).collect();
    let tensors = golden(file)["tensors"].as_array().unwrap().clone();
    tensors
        .iter()
        .map(|tensor| TensorOutline {
            name: tensor["name"].as_str().unwrap().to_owned(),
            shape: shape(&tensor["shape"]),
        })
        .collect()
}

const ENCODERS: [(&str, EncoderName); 6] = [
    ("echoview47_classifier.json", EncoderName::Xception),
    ("baseline_keras_resnet50.json", EncoderName::ResNet50Keras),
    ("baseline_keras_resnet101.json", EncoderName::ResNet101Keras),
    ("baseline_keras_densenet121.json", EncoderName::DenseNet121Keras),
    ("baseline_keras_efficientnetv2_s.json", EncoderName::EfficientNetV2SKeras),
    ("baseline_keras_convnext_tiny.json", EncoderName::ConvNextTinyKeras),
];

/// The names as the newer store writes them: class and count, variable by number.
fn as_store(keras: &[TensorOutline], step: usize) -> Vec<TensorOutline> {
    let renamed: Vec<TensorOutline> = keras
        .iter()
        .map(|tensor| match tensor.name.strip_prefix("dense/") {
            Some("kernel") => {
                TensorOutline { name: "classifier.weight".into(), shape: tensor.shape.iter().rev().copied().collect() }
            }
            Some(_) => TensorOutline { name: "classifier.bias".into(), shape: tensor.shape.clone() },
            None => TensorOutline { name: format!("encoder/{}", tensor.name), shape: tensor.shape.clone() },
        })
        .collect();
    let mut counts = BTreeMap::new();
    let mut stored = keras.to_vec();
    for layer in NeededLayer::all(&renamed) {
        let inside = "layers/sequential/layers/functional/layers";
        let model = match (layer.transposed, layer.is_nested()) {
            (true, _) => "layers".to_owned(),
            (_, true) => {
                let rank = layer.name.rsplit('_').next().unwrap().parse().map_or(0, |stage: usize| stage + 1);
                format!("{inside}/sequential{}/layers", if rank == 0 { String::new() } else { format!("_{rank}") })
            }
            _ => inside.to_owned(),
        };
        let count: &mut usize = counts.entry((model.clone(), layer.class)).or_default();
        let number = if *count == 0 { String::new() } else { format!("_{}", *count * step) };
        *count += 1;
        for (variable, &(_, index)) in layer.variables.iter().enumerate() {
            let root = if step == 2 { "_layer_checkpoint_dependencies/" } else { "" };
            stored[index].name = format!("{root}{model}/{}{number}/vars/{variable}", layer.class.stem());
        }
    }
    // HDF5 lists names in its own order.
    stored.reverse();
    stored
}

#[test]
fn every_tensor_of_a_store_finds_its_place_by_class_and_count() {
    for (file, encoder) in ENCODERS {
        let keras = in_keras_order(file);
        let needed = needed(encoder, 47);
        assert_eq!(keras.len(), needed.len(), "{file}");
        for step in [1, 2] {
            let stored = as_store(&keras, step);
            let places = store_places(file, &stored, &needed).unwrap_or_else(|error| panic!("{error}"));
            for (needed, place) in needed.iter().zip(places) {
                let keras = &keras[keras.len() - 1 - place.stored].name;
                let own = needed.name.replace("encoder/", "");
                let own = own.replace("classifier.weight", "dense/kernel").replace("classifier.bias", "dense/bias");
                assert_eq!(*keras, own, "{file}: {}", stored[place.stored].name);
            }
        }
    }
}

#[test]
fn every_tensor_of_a_legacy_file_finds_its_place_by_name() {
    for (file, encoder) in ENCODERS {
        let keras = in_keras_order(file);
        let needed = needed(encoder, 47);
        for (inner, outer) in [("xception", "dense_1/dense_1"), ("sequential_1", "dense_1/sequential_3/dense_1")] {
            let nest = |tensor: &TensorOutline| {
                let name = match tensor.name.strip_prefix("dense/") {
                    Some(variable) => format!("{outer}/{variable}"),
                    None => format!("{inner}/{}", tensor.name),
                };
                // Keras goes on counting over the models of one process.
                let name = name.replace("/conv2d/", "/conv2d_4/").replace("/conv2d_1/", "/conv2d_5/");
                TensorOutline { name, shape: tensor.shape.clone() }
            };
            let stored: Vec<TensorOutline> = keras.iter().map(nest).collect();
            let places = legacy_places(file, &stored, &needed).unwrap_or_else(|error| panic!("{error}"));
            for (needed, place) in needed.iter().zip(places) {
                let own = needed.name.replace("encoder/", "");
                let own = own.replace("classifier.weight", "dense/kernel").replace("classifier.bias", "dense/bias");
                assert_eq!(keras[place.stored].name, own, "{file}");
            }
        }
    }
}

#[test]
fn the_paths_that_keras_wrote_for_xception_are_found() {
    for version in ["213", "215", "3"] {
        let path = format!("files/xception_paths_keras{version}.json");
        if !Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden").join(&path).is_file() {
            panic!("{path} is missing");
        }
        let paths = golden(&path);
        let keras = in_keras_order("echoview47_classifier.json");
        let needed = needed(EncoderName::Xception, 47);
        for format in ["classifier.h5", ".weights.h5"] {
            let stored: Vec<TensorOutline> = keras
                .iter()
                .map(|tensor| {
                    let path = paths[&tensor.name][format].as_str().unwrap();
                    let path = path.trim_start_matches("model_weights/").trim_end_matches(":0");
                    TensorOutline { name: path.to_owned(), shape: tensor.shape.clone() }
                })
                .collect();
            let places = match format {
                "classifier.h5" => legacy_places(format, &stored, &needed),
                _ => store_places(format, &stored, &needed),
            };
            for (needed, place) in needed.iter().zip(places.unwrap_or_else(|error| panic!("{error}"))) {
                let own = needed.name.replace("encoder/", "");
                let own = own.replace("classifier.weight", "dense/kernel").replace("classifier.bias", "dense/bias");
                assert_eq!(keras[place.stored].name, own, "{version} {format}");
            }
        }
    }
}
