//! Every tensor of every golden file, against the formula it was filled by.

mod common;

use std::collections::BTreeSet;

use checkpoint::{Checkpoint, Element, Format, StoredTensor, read};
use common::{Row, path, rows};

/// The layers of the tiny Keras models by the name that the newer store gives them.
const STORE_LAYERS: [(&str, &str); 11] = [
    ("conv2d", "tiny/block1_conv1"),
    ("conv2d_1", "tiny/conv2d#0"),
    ("conv2d_2", "tiny/conv2d#1"),
    ("separable_conv2d", "tiny/block2_sepconv1"),
    ("separable_conv2d_1", "tiny/block3_sepconv1"),
    ("batch_normalization", "tiny/block1_conv1_bn"),
    ("batch_normalization_1", "tiny/block2_sepconv1_bn"),
    ("batch_normalization_2", "tiny/batch_normalization#0"),
    ("batch_normalization_3", "tiny/block3_sepconv1_bn"),
    ("batch_normalization_4", "tiny/batch_normalization#1"),
    ("dense", "tiny/dense#0"),
];

fn open(name: &str, format: Format) -> Checkpoint {
    let checkpoint = read(&path(name)).unwrap();
    assert_eq!(checkpoint.format, format, "{name}");
    checkpoint
}

fn row(rows: &[Row], is_it: impl Fn(&Row) -> bool) -> &Row {
    let mut found = rows.iter().filter(|row| is_it(row));
    let row = found.next().expect("a golden tensor of that name");
    assert!(found.next().is_none(), "two golden tensors fit {}", row.name);
    row
}

fn assert_same(tensor: &StoredTensor, row: &Row) {
    assert_eq!(tensor.shape, row.shape, "{} is {}", tensor.name, row.name);
    assert_eq!(tensor.values, row.values, "{} is {}", tensor.name, row.name);
}

#[test]
fn keras_legacy_files_have_the_formulas_numbers() {
    let files = [
        ("tiny_keras213_encoder.h5", "tiny_keras213.json", 27),
        ("tiny_keras213_classifier.h5", "tiny_keras213.json", 29),
        ("tiny_keras213_legacy_weights.h5", "tiny_keras213.json", 29),
        ("tiny_keras215_classifier.h5", "tiny_keras215.json", 29),
        ("tiny_keras3_encoder.h5", "tiny_keras3.json", 27),
        ("tiny_keras3_compiled.h5", "tiny_keras3.json", 29),
    ];
    for (file, json, count) in files {
        let (checkpoint, rows) = (open(file, Format::KerasLegacy), rows(json));
        let mut seen = BTreeSet::new();
        for tensor in &checkpoint.tensors {
            let [variable, layer] = tensor.name.rsplit('/').take(2).collect::<Vec<_>>()[..] else { panic!("{file}") };
            let row = row(&rows, |row| row.layer == layer && row.name.ends_with(&format!("/{variable}")));
            assert_same(tensor, row);
            assert_eq!(tensor.stored_as, Element::F32);
            assert!(seen.insert(&row.name), "{file}: {} twice", row.name);
        }
        assert_eq!(seen.len(), count, "{file}");
    }
}

#[test]
fn keras_legacy_names_are_paths_in_the_order_of_the_attributes() {
    let names = |file: &str| {
        let tensors = open(file, Format::KerasLegacy).tensors;
        tensors.into_iter().map(|tensor| tensor.name).collect::<Vec<_>>()
    };
    let classifier = names("tiny_keras213_classifier.h5");
    assert_eq!(classifier, names("tiny_keras213_legacy_weights.h5"));
    assert_eq!(classifier[0], "sequential_2/block1_conv1/kernel");
    // Trainable variables of a nested model come first, then the moving averages; HDF5 itself sorts by name.
    assert_eq!(classifier[1..3], ["sequential_2/block1_conv1_bn/gamma", "sequential_2/block1_conv1_bn/beta"]);
    assert!(classifier[17..27].iter().all(|name| name.contains("/moving_")));
    assert_eq!(classifier[27..], ["dense_1/dense_1/kernel", "dense_1/dense_1/bias"]);
    assert_eq!(names("tiny_keras213_encoder.h5")[0], "xception/block1_conv1/kernel");
    assert_eq!(names("tiny_keras3_compiled.h5")[27], "dense_1/sequential_3/dense_1/kernel");
}

#[test]
fn optimizer_state_is_left_out_and_said_to_be() {
    let left_out = open("tiny_keras3_compiled.h5", Format::KerasLegacy).left_out;
    assert_eq!(left_out.len(), 40);
    assert!(left_out.iter().all(|left| left.name.starts_with("optimizer_weights/") && left.why == "optimizer state"));
}

#[test]
fn keras_store_files_have_the_formulas_numbers() {
    let files = [
        ("tiny_keras213.weights.h5", "tiny_keras213.json"),
        ("tiny_keras213.keras", "tiny_keras213.json"),
        ("tiny_keras215.weights.h5", "tiny_keras215.json"),
        ("tiny_keras3.weights.h5", "tiny_keras3.json"),
        ("tiny_keras3.keras", "tiny_keras3.json"),
    ];
    for (file, json) in files {
        let (checkpoint, rows) = (open(file, Format::KerasStore), rows(json));
        assert_eq!(checkpoint.tensors.len(), 29, "{file}");
        assert_eq!(checkpoint.left_out, [], "{file}");
        for tensor in &checkpoint.tensors {
            assert_same(tensor, row(&rows, |row| row.name == store_name(&tensor.name, file.contains("213"))));
        }
    }
}

/// The golden name of a variable of the newer store.
fn store_name(path: &str, counts_in_twos: bool) -> String {
    let [variable, _, layer] = path.rsplit('/').take(3).collect::<Vec<_>>()[..] else { panic!("{path}") };
    let (class, count) = match layer.rsplit_once('_').and_then(|(class, count)| Some((class, count.parse().ok()?))) {
        Some((class, count)) => (class, if counts_in_twos { count / 2 } else { count }),
        None => (layer, 0_usize),
    };
    let layer = if count == 0 { class.to_owned() } else { format!("{class}_{count}") };
    let (_, golden) = STORE_LAYERS.iter().find(|(stored, _)| *stored == layer).expect("a layer of the tiny model");
    let variables: &[&str] = match class {
        "batch_normalization" => &["gamma", "beta", "moving_mean", "moving_variance"],
        "separable_conv2d" => &["depthwise_kernel", "pointwise_kernel"],
        _ => &["kernel", "bias"],
    };
    format!("{golden}/{}", variables[variable.parse::<usize>().unwrap()])
}

#[test]
fn keras_store_names_are_whole_paths_in_natural_order() {
    let names: Vec<String> =
        open("tiny_keras213.keras", Format::KerasStore).tensors.into_iter().map(|tensor| tensor.name).collect();
    let nested = "_layer_checkpoint_dependencies/sequential/_layer_checkpoint_dependencies/functional";
    assert_eq!(names[0], "_layer_checkpoint_dependencies/dense/vars/0");
    assert_eq!(names[2], format!("{nested}/_layer_checkpoint_dependencies/batch_normalization/vars/0"));
    let convolutions: Vec<&str> = names.iter().filter_map(|name| name.rsplit('/').nth(2)).collect();
    assert_eq!(convolutions[22..25], ["conv2d", "conv2d_2", "conv2d_4"]);
}

#[test]
fn torch_files_have_the_formulas_numbers_in_order() {
    let files = [
        ("tiny_torch.pth", Format::TorchZip, "", Element::F32),
        ("tiny_torch_dataparallel.pth", Format::TorchZip, "module.", Element::F32),
        ("tiny_torch_wrapped.pth", Format::TorchZip, "module.", Element::F32),
        ("tiny_torch_legacy.pth", Format::TorchLegacy, "module.", Element::F32),
        ("tiny_torch_f16.pth", Format::TorchZip, "", Element::F16),
    ];
    let rows = rows("tiny_torch.json");
    for (file, format, prefix, stored_as) in files {
        let checkpoint = open(file, format);
        assert_eq!(checkpoint.tensors.len(), rows.len(), "{file}");
        for (tensor, row) in checkpoint.tensors.iter().zip(&rows) {
            assert_eq!(tensor.name, format!("{prefix}{}", row.name), "{file}");
            assert_eq!(tensor.stored_as, stored_as, "{file}");
            if stored_as == Element::F32 {
                assert_same(tensor, row);
                continue;
            }
            assert_eq!(tensor.shape, row.shape, "{file}: {}", row.name);
            let halves = row.values.iter().map(|value| half::f16::from_f32(*value).to_f32());
            assert!(tensor.values.iter().copied().eq(halves), "{file}: {}", row.name);
        }
        let counters = checkpoint.left_out.iter().filter(|left| left.name.ends_with("num_batches_tracked"));
        assert_eq!(counters.filter(|left| left.why == "stored as int64").count(), 3, "{file}");
    }
}

#[test]
fn what_stands_beside_a_wrapped_state_dict_is_listed() {
    let left_out = open("tiny_torch_wrapped.pth", Format::TorchZip).left_out;
    let beside: Vec<_> = left_out.iter().filter(|left| !left.name.ends_with("num_batches_tracked")).collect();
    assert_eq!(beside.iter().map(|left| left.name.as_str()).collect::<Vec<_>>(), ["epoch", "best_acc"]);
    assert_eq!(beside[0].why, "an integer, beside the weights");
}

#[test]
fn views_with_strides_and_offsets_come_out_contiguous() {
    let checkpoint = open("torch_strided_views.pth", Format::TorchZip);
    let by_name = |name: &str| checkpoint.tensors.iter().find(|tensor| tensor.name == name).unwrap();
    let range = |from: usize, to: usize| (from..to).map(|value| value as f32).collect::<Vec<_>>();
    assert_eq!(by_name("base").values, range(0, 64));
    assert_eq!(by_name("row").values, range(24, 32));
    assert_eq!(by_name("tail").values, range(40, 64));
    let transposed: Vec<f32> = (0..64).map(|index| (index % 8 * 8 + index / 8) as f32).collect();
    assert_eq!((by_name("transposed").shape.as_slice(), &by_name("transposed").values), (&[8, 8][..], &transposed));
    assert_eq!((by_name("empty").shape.as_slice(), by_name("empty").values.len()), (&[0, 3][..], 0));
    assert_eq!(checkpoint.left_out.len(), 1);
    assert_eq!(checkpoint.left_out[0].name, "scalar");
}
