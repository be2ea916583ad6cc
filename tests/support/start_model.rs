//! A model that adaptation can make better.

use std::path::Path;

use zoo::weights::replace_last_layer;
use zoo::{ModelCard, Registry};

/// The shipped model with the rows of its last layer in another order: its vectors tell views apart, its names are wrong.
pub fn write_start_model(models: &Path) {
    std::fs::create_dir_all(models).expect("the folder of models");
    let registry = Registry::open(models).expect("the registry");
    let shipped = registry.card("tte11-phantom-image").expect("the shipped model");
    let model = registry.read_model(&shipped.name, &nn::Device::Cpu).expect("its weights");
    let (weight, bias) = model.last_layer().expect("a layer").expect("it has classes");
    let mut weight: Vec<Vec<f32>> = weight.to_vec2().expect("rows");
    let mut bias: Vec<f32> = bias.to_vec1().expect("numbers");
    weight.rotate_left(3);
    bias.rotate_left(3);
    let from = registry.weights_file(&shipped.name, &models.join("shipped.copy")).expect("a copy");
    let sha256 = replace_last_layer(&from, &models.join("start.safetensors"), &weight, &bias).expect("weights");
    let card = ModelCard {
        name: "start".to_owned(),
        file: Some("start.safetensors".to_owned()),
        sha256: Some(sha256),
        ships: false,
        ..shipped.clone()
    };
    card.write(&models.join("start.card.toml")).expect("its card");
}
