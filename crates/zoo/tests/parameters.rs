//! Numbers of parameters that each model reads: the numbers that the reference systems state.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use zoo::weights::{TensorSource, Weights};
use zoo::{Encoder, EncoderName, Model, Registry, Result, VideoEncoder, VideoEncoderName};

/// Ones of any shape; remembers how many elements each tensor has.
#[derive(Default)]
struct Counting {
    read: RefCell<BTreeMap<String, usize>>,
}

impl Counting {
    /// Elements read, with the statistics of norms (as Keras counts) or without (as torch counts).
    fn count(&self, statistics: bool) -> usize {
        let statistic = |name: &str| name.ends_with("running_mean") || name.ends_with("running_var");
        let read = self.read.borrow();
        read.iter().filter(|(name, _)| statistics || !statistic(name)).map(|(_, elements)| elements).sum()
    }
}

impl TensorSource for Counting {
    fn description(&self) -> String {
        "ones".to_owned()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.read.borrow_mut().insert(name.to_owned(), shape.iter().product());
        Ok(Tensor::ones(shape, DType::F32, &Device::Cpu)?)
    }

    fn names(&self) -> Option<Vec<String>> {
        None
    }

    fn sha256(&self) -> String {
        String::new()
    }
}

#[test]
fn encoders_read_as_many_parameters_as_the_originals() {
    for (name, expected) in [
        (EncoderName::Xception, 20_861_480),
        (EncoderName::EfficientNetB2, 7_700_994),
        (EncoderName::EfficientNetB2ImageNet, 9_109_994),
        // torchvision's and timm's totals less their thousand classes.
        (EncoderName::ConvNextBase, 88_591_464 - 1_025_000),
        (EncoderName::SwinV2Base, 87_930_848 - 1_025_000),
        (EncoderName::VitS16, 22_050_664 - 385_000),
    ] {
        let source = Counting::default();
        let encoder = Weights::read_all(&source, &Device::Cpu, '.', |weights| Encoder::read(name, weights));
        assert!(encoder.is_ok(), "{name}");
        assert_eq!(source.count(name == EncoderName::Xception), expected, "{name}");
    }
}

#[test]
fn video_encoders_read_as_many_parameters_as_the_originals() {
    // torchvision's and PyTorchVideo's totals less their 400 classes.
    for (name, expected) in [
        (VideoEncoderName::R2Plus1d18, 31_505_325 - (512 + 1) * 400),
        (VideoEncoderName::SlowR50, 32_454_096 - (2048 + 1) * 400),
        (VideoEncoderName::SlowR50Kinetics, 32_454_096),
    ] {
        let source = Counting::default();
        let encoder = Weights::read_all(&source, &Device::Cpu, '.', |weights| VideoEncoder::read(name, weights));
        assert!(encoder.is_ok(), "{name}");
        assert_eq!(source.count(false), expected, "{name}");
    }
}

/// Parameters of the registry's entry `name`, with the statistics of norms where Keras counts.
fn parameters(registry: &Registry, name: &str) -> usize {
    let card = registry.card(name).unwrap();
    let tensors = Model::tensors(card).unwrap();
    let names: BTreeSet<&String> = tensors.iter().map(|tensor| &tensor.name).collect();
    assert_eq!(names.len(), tensors.len(), "{name}: a tensor is read twice");
    let statistic = |tensor: &str| tensor.ends_with("running_mean") || tensor.ends_with("running_var");
    let counted = tensors.iter().filter(|tensor| !statistic(&tensor.name));
    counted.map(|tensor| tensor.shape.iter().product::<usize>()).sum()
}

#[test]
fn registry_entries_read_as_many_parameters_as_the_reference_systems() {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    for (name, expected) in [
        ("EchoView47_contrastive_encoder", 20_861_480),
        ("EchoView47_classifier", 20_957_783),
        ("EchoView47_TMED2", 20_861_480 + 10_245),
        ("EchoSDNet", 23_858_370),
        ("tte11-image", 9_121_005),
        ("tte11-cnn-lstm", 25_137_005),
        ("tte11-residual", 13_665_293),
        ("tte11-attention-gate", 17_636_557),
        // torchvision's total less its 400 classes, and PyTorchVideo's total, each with one layer of 11 classes.
        ("tte11-r2plus1d", 31_505_325 - (512 + 1) * 400 + (512 + 1) * 11),
        ("tte11-slow-r50", 32_454_096 + (400 + 1) * 11),
    ] {
        assert_eq!(parameters(&registry, name), expected, "{name}");
    }
}

/// The baselines' layers are those of the golden files, where a golden file is of the same size.
#[test]
fn baselines_read_as_many_parameters_as_the_original_frameworks() {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    for (name, golden) in [
        ("Xception", "echoview47_classifier"),
        ("EfficientNetV2", "baseline_keras_efficientnetv2_s"),
        ("ViT", "baseline_torch_vit_b_16"),
        ("DenseNet121", "baseline_keras_densenet121"),
        ("ResNet50", "baseline_keras_resnet50"),
        ("ResNet101", "baseline_keras_resnet101"),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/golden/{golden}.json"));
        let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let found = parameters(&registry, &format!("{name}_TTE47_baseline"));
        assert_eq!(Some(found as u64), golden["params"]["total"].as_u64(), "{name}");
    }
    // torchvision's totals less their thousand classes, plus 47.
    for (name, torchvision) in [("SwinTransformerV2", 87_930_848), ("ConvNeXt", 88_591_464)] {
        let found = parameters(&registry, &format!("{name}_TTE47_baseline"));
        assert_eq!(found, torchvision - (1024 + 1) * (1000 - 47), "{name}");
    }
}

#[test]
fn tensors_are_listed_in_the_order_of_reading() {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    let tensors = Model::tensors(registry.card("EchoSDNet").unwrap()).unwrap();
    let names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names[..2], ["encoder/conv1_conv/kernel", "encoder/conv1_conv/bias"]);
    let last = &tensors[tensors.len() - 6..];
    let expected: [(&str, &[usize]); 6] = [
        ("classifier.hidden.0.weight", &[128, 2048]),
        ("classifier.hidden.0.bias", &[128]),
        ("classifier.hidden.1.weight", &[64, 128]),
        ("classifier.hidden.1.bias", &[64]),
        ("classifier.weight", &[2, 64]),
        ("classifier.bias", &[2]),
    ];
    assert!(last.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice())).eq(expected), "{last:?}");
}
