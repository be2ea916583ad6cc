//! The tensors that a registry entry asks for are those of its authors' checkpoint under other prefixes, so that an import
//! is a matter of renaming.

use std::collections::BTreeMap;
use std::path::Path;

use zoo::{Model, Registry};

/// An entry, the golden file that lists its checkpoint's tensors, and which prefix of ours is which of theirs.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const TORCH: [Case; 7] = [
    ("tte11-image", "thesis_image", &[("encoder.", "conv."), ("classifier.", "classifier_layer.0.")]),
    (
        "tte11-cnn-lstm",
        "thesis_cnn_lstm",
        &[("encoder.", "conv."), ("head.", ""), ("classifier.", "classifier_layer.1.")],
    ),
    (
        "tte11-residual",
        "thesis_conv1d_k3",
        &[("encoder.features.", "feature."), ("head.", ""), ("classifier.", "classifier_layer.1.")],
    ),
    (
        "tte11-attention-gate",
        "thesis_attention_gate",
        &[
            ("encoder.features.", "feature."),
            ("head.", ""),
            ("fusion.", "residual_combination."),
            ("classifier.", "classifier_layer.1."),
        ],
    ),
    ("tte11-r2plus1d", "thesis_r2plus1d_18", &[("encoder.", "conv."), ("classifier.", "conv.fc.0.")]),
    ("tte11-slow-r50", "thesis_slow_r50", &[("encoder.", "conv3."), ("classifier.", "classifier_layer.0.")]),
    ("ViT_TTE47_baseline", "baseline_torch_vit_b_16", &[("encoder.", "net."), ("classifier.", "net.heads.head.")]),
];

/// In Keras' files the last layer's kernel is [in, out].
const KERAS: [(&str, &str); 6] = [
    ("EchoView47_classifier", "echoview47_classifier"),
    ("EchoView47_TMED2", "echoview47_tmed2"),
    ("EfficientNetV2_TTE47_baseline", "baseline_keras_efficientnetv2_s"),
    ("DenseNet121_TTE47_baseline", "baseline_keras_densenet121"),
    ("ResNet50_TTE47_baseline", "baseline_keras_resnet50"),
    ("ResNet101_TTE47_baseline", "baseline_keras_resnet101"),
];

type Shapes = BTreeMap<String, Vec<usize>>;

/// The tensors of a golden file, without torch's counter of batches.
fn checkpoint(golden: &str) -> Shapes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/golden/{golden}.json"));
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let tensors = file["tensors"].as_array().unwrap().iter();
    let named = tensors.map(|tensor| {
        (tensor["name"].as_str().unwrap().to_owned(), serde_json::from_value(tensor["shape"].clone()).unwrap())
    });
    named.filter(|(name, _)| !name.ends_with("num_batches_tracked")).collect()
}

/// The tensors of a registry's entry under the names that `rename` gives them.
fn asked_for(entry: &str, rename: impl Fn(&str, Vec<usize>) -> (String, Vec<usize>)) -> Shapes {
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    let tensors = Model::tensors(registry.card(entry).unwrap()).unwrap();
    tensors.into_iter().map(|tensor| rename(&tensor.name, tensor.shape)).collect()
}

#[test]
fn torch_checkpoints_are_read_under_other_prefixes() {
    for (entry, golden, prefixes) in TORCH {
        let ours = asked_for(entry, |name, shape| {
            let (prefix, theirs) = prefixes.iter().find(|(ours, _)| name.starts_with(ours)).unwrap();
            (format!("{theirs}{}", &name[prefix.len()..]), shape)
        });
        assert_eq!(ours, checkpoint(golden), "{entry}");
    }
}

#[test]
fn keras_files_are_read_under_one_prefix_and_with_the_last_kernel_turned() {
    for (entry, golden) in KERAS {
        let ours = asked_for(entry, |name, mut shape| match name {
            "classifier.weight" => {
                shape.reverse();
                ("dense/kernel".to_owned(), shape)
            }
            "classifier.bias" => ("dense/bias".to_owned(), shape),
            _ => (name.strip_prefix("encoder/").unwrap().to_owned(), shape),
        });
        assert_eq!(ours, checkpoint(golden), "{entry}");
    }
}
