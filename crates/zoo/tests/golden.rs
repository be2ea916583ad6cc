//! Numbers of the original frameworks, re-made with our layers from the same formula weights.
//!
//! The files in `fixtures/golden` hold the outputs of torch and TensorFlow for weights that a formula makes, so parity
//! is checked without shipping weights.

use std::path::Path;

use candle_core::{Device, Tensor};
use serde_json::Value;
use zoo::weights::{TensorSource, Weights, fill};
use zoo::{Classifier, EfficientNet, EfficientNetConfig, Encoder, EncoderName, Head, HeadName, Result, ZooError};

struct Golden {
    file: Value,
}

impl Golden {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden").join(name);
        Self { file: serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() }
    }

    fn seed(&self) -> &str {
        self.file["seed"].as_str().unwrap()
    }

    fn output(&self, name: &str) -> Vec<f32> {
        let data = self.file["outputs"][name]["data"].as_array().unwrap();
        data.iter().map(|value| value.as_f64().unwrap() as f32).collect()
    }

    fn parameters(&self) -> u64 {
        self.file["params"]["total"].as_u64().unwrap()
    }

    #[track_caller]
    fn check(&self, name: &str, ours: &Tensor, tolerance: f32) {
        let ours: Vec<f32> = ours.flatten_all().unwrap().to_vec1().unwrap();
        let theirs = self.output(name);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let deviation = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{} {name}: largest deviation {deviation:.1e}, tolerance {tolerance:.0e}", self.file["model"]);
        assert!(deviation <= tolerance, "{name}: {deviation} > {tolerance}");
    }
}

/// Makes exactly the tensors that the golden file lists; a name that it does not list is missing.
impl TensorSource for Golden {
    fn description(&self) -> String {
        self.file["model"].to_string()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let entry = self.file["tensors"].as_array().unwrap().iter().find(|entry| entry["name"] == name);
        let entry =
            entry.ok_or_else(|| ZooError::MissingTensor { weights: self.description(), tensor: name.to_owned() })?;
        let listed: Vec<usize> =
            entry["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
        assert_eq!(listed, shape, "{name}");
        let number = |key: &str| entry[key].as_f64().unwrap();
        let values = fill(self.seed(), name, shape.iter().product(), number("center"), number("half"));
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }

    fn names(&self) -> Option<Vec<String>> {
        Some(
            self.file["tensors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["name"].as_str().unwrap().to_owned())
                .collect(),
        )
    }

    fn sha256(&self) -> String {
        String::new()
    }
}

/// The golden README's test image: a chirp that moves with `t`, and noise; [h, w, c] bytes.
fn image(seed: &str, name: &str, height: usize, width: usize, t: usize) -> Vec<u8> {
    let key = format!("image/{name}");
    // `fill` gives the stream's upper 24 bits; its upper 8 are the noise byte.
    let noise = fill(seed, &key, (t + 1) * height * width * 3, 0.5, 0.5);
    let mut pixels = Vec::with_capacity(height * width * 3);
    for y in 0..height {
        for x in 0..width {
            for k in 0..3 {
                let (chirp_x, chirp_y) = ((x + 3 * t) as i64, (y + 2 * t) as i64);
                let chirp =
                    ((chirp_x * chirp_x * (3 + k) + chirp_y * chirp_y * (5 - k) + 2 * chirp_x * chirp_y) >> 5) & 255;
                let fraction = noise[t * height * width * 3 + (y * width + x) * 3 + k as usize];
                let noise = (fraction * 256.0).floor().min(255.0) as i64;
                pixels.push(((3 * chirp + noise) >> 2) as u8);
            }
        }
    }
    pixels
}

/// Frame `t` of the golden README's `model_batch_u8`: odd ones are dimmed and cut to a sector.
fn model_image(seed: &str, height: usize, width: usize, t: usize) -> Vec<u8> {
    let mut pixels = image(seed, "model", height, width, t);
    if t % 2 == 1 {
        for y in 0..height {
            for x in 0..width {
                let inside = (2 * x as i64 - (width as i64 - 1)).unsigned_abs() as usize <= y + height / 8;
                for k in 0..3 {
                    let pixel = &mut pixels[(y * width + x) * 3 + k];
                    *pixel = if inside { *pixel >> 1 } else { 0 };
                }
            }
        }
    }
    pixels
}

fn frames(images: &[Vec<u8>], height: usize, width: usize, scale: impl Fn(u8) -> f32) -> Tensor {
    let values: Vec<f32> = images.iter().flatten().map(|&byte| scale(byte)).collect();
    let nhwc = Tensor::from_vec(values, (images.len(), height, width, 3), &Device::Cpu).unwrap();
    nhwc.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap()
}

#[test]
fn efficientnet_b2_features_equal_torchvisions() {
    let golden = Golden::read("thesis_image.json");
    let images: Vec<_> = (0..2).map(|t| model_image(golden.seed(), 288, 288, t)).collect();
    let x = frames(&images, 288, 288, |byte| f32::from(byte) / 255.0);
    Weights::read_all(&golden, &Device::Cpu, '.', |weights| {
        let encoder = Encoder::read(EncoderName::EfficientNetB2, &weights.at("conv"))?;
        let pooled = encoder.forward(&x)?;
        golden.check("pooled", &pooled, 1e-3);
        let thousand = Classifier::read(1408, 1000, &weights.at("conv.classifier.1"))?;
        let thousand = thousand.forward(&pooled.unsqueeze(1)?)?;
        let logits = Classifier::read(1000, 11, &weights.at("classifier_layer.0"))?.forward(&thousand.unsqueeze(1)?)?;
        golden.check("logits", &logits, 1e-3);
        Ok(())
    })
    .unwrap();
    assert_eq!(golden.parameters(), 9_121_005);
}

#[test]
fn the_residual_video_model_equals_the_reference() {
    let golden = Golden::read("thesis_conv1d_k3.json");
    let images: Vec<_> = (0..6).map(|t| image(golden.seed(), "clip", 288, 288, t)).collect();
    let x = frames(&images, 288, 288, |byte| f32::from(byte) / 255.0);
    Weights::read_all(&golden, &Device::Cpu, '.', |weights| {
        // The checkpoint calls torchvision's `features` `feature`, without a level above it.
        let encoder = EfficientNet::read(&EfficientNetConfig::b2(), &weights.at("feature"))?;
        let spatial = nn::global_average(&encoder.forward(&x)?)?.unsqueeze(0)?;
        golden.check("spatial", &spatial, 1e-3);
        let temporal = Head::read(HeadName::Conv1d, 1408, weights)?.forward(&spatial)?;
        let combined = (&spatial + temporal)?;
        golden.check("combined", &combined.mean(1)?, 1e-3);
        let logits = Classifier::read(1408, 11, &weights.at("classifier_layer.1"))?.forward(&combined)?;
        golden.check("logits", &logits, 2e-4);
        Ok(())
    })
    .unwrap();
}

#[test]
fn xception_equals_keras() {
    let golden = Golden::read("echoview47_classifier.json");
    let images: Vec<_> = (0..2).map(|t| model_image(golden.seed(), 224, 224, t)).collect();
    let x = frames(&images, 224, 224, |byte| f32::from(byte) * (1.0 / 255.0));
    Weights::read_all(&golden, &Device::Cpu, '/', |weights| {
        let features = Encoder::read(EncoderName::Xception, weights)?.forward(&x)?;
        golden.check("features", &features, 5e-5);
        let dense = weights.at("dense");
        let dense =
            nn::Linear::from_input_major(dense.tensor("kernel", &[2048, 47])?, Some(dense.tensor("bias", &[47])?));
        golden.check("logits", &dense.forward(&features)?, 5e-5);
        Ok(())
    })
    .unwrap();
    assert_eq!(golden.parameters(), 20_957_783);
}

#[test]
fn temporal_heads_equal_the_reference_for_every_clip_length() {
    for (file, head, residual, tolerance) in [
        ("conv1d_k3_d1.json", HeadName::Conv1d, true, 1e-5),
        ("conv1d_dilated_stack.json", HeadName::Dilated, false, 4e-5),
    ] {
        let golden = Golden::read(file);
        Weights::read_all(&golden, &Device::Cpu, '.', |weights| {
            let head = Head::read(head, 1408, weights)?;
            let classifier = Classifier::read(1408, 11, &weights.at("classifier_layer.1"))?;
            for length in [6, 10, 16] {
                let name = format!("input/seq1408_T{length}");
                let values = fill(golden.seed(), &name, 2 * length * 1408, 0.5, 0.75);
                let spatial = Tensor::from_vec(values, (2, length, 1408), &Device::Cpu)?;
                let temporal = head.forward(&spatial)?;
                let combined = if residual { (&spatial + temporal)? } else { temporal };
                golden.check(&format!("T{length}/logits"), &classifier.forward(&combined)?, tolerance);
            }
            Ok(())
        })
        .unwrap();
    }
}
