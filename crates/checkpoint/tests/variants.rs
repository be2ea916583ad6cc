//! Layouts of HDF5, Keras and safetensors that the golden files lack; made by `fixtures/checkpoint/make.py`.

mod common;

use checkpoint::{Checkpoint, CheckpointError, Element, Format, StoredTensor, read};
use common::variant;

fn open(name: &str) -> Checkpoint {
    read(&variant(name)).unwrap()
}

/// The numbers of the `offset`th tensor of a file, as `make.py` says.
fn numbers(count: usize, offset: usize) -> Vec<f32> {
    (0..count).map(|index| ((7 * index + offset) % 64) as f32 / 8.0 - 4.0).collect()
}

fn assert_is(tensor: &StoredTensor, name: &str, shape: &[usize], stored_as: Element, offset: usize) {
    assert_eq!((tensor.name.as_str(), tensor.shape.as_slice(), tensor.stored_as), (name, shape, stored_as));
    assert_eq!(tensor.values, numbers(shape.iter().product(), offset), "{name}");
}

#[test]
fn every_way_to_store_a_dataset_gives_the_same_tensors() {
    let files = ["chunked.h5", "compact.h5", "variable_text.h5", "link_messages.h5", "latest.h5"];
    for file in files {
        let checkpoint = open(file);
        assert_eq!((checkpoint.format, checkpoint.tensors.len()), (Format::KerasLegacy, 3), "{file}");
        assert_is(&checkpoint.tensors[0], "second/second/kernel", &[37, 11], Element::F32, 0);
        assert_is(&checkpoint.tensors[1], "second/second/bias", &[11], Element::F64, 1);
        assert_is(&checkpoint.tensors[2], "second/second/scale", &[5, 2, 3], Element::F16, 2);
    }
}

#[test]
fn names_in_numbered_pieces_are_put_together() {
    let names: Vec<String> = open("pieces.h5").tensors.into_iter().map(|tensor| tensor.name).collect();
    let expected =
        ["layer_0/kernel", "layer_0/bias", "layer_1/kernel", "layer_1/bias", "layer_2/kernel", "layer_2/bias"];
    assert_eq!(names, expected);
}

#[test]
fn more_than_ten_variables_keep_their_order() {
    let checkpoint = open("many.weights.h5");
    assert_eq!(checkpoint.tensors.len(), 12);
    for (index, tensor) in checkpoint.tensors.iter().enumerate() {
        assert_is(tensor, &format!("layers/dense/vars/{index}"), &[3], Element::F32, index);
    }
}

#[test]
fn keras_3_bfloat16_is_read_and_its_optimizer_left_out() {
    for file in ["keras315_compiled.weights.h5", "keras315_compiled.keras"] {
        let checkpoint = open(file);
        assert_eq!(checkpoint.tensors.len(), 2, "{file}");
        assert_is(&checkpoint.tensors[0], "layers/dense/vars/0", &[3, 4], Element::BF16, 0);
        assert_is(&checkpoint.tensors[1], "layers/dense/vars/1", &[4], Element::BF16, 1);
        assert!(!checkpoint.left_out.is_empty(), "{file}");
        assert!(checkpoint.left_out.iter().all(|left| left.name.starts_with("optimizer/vars/")), "{file}");
    }
}

#[test]
fn safetensors_come_in_the_order_of_their_bytes() {
    let checkpoint = open("tiny.safetensors");
    assert_eq!((checkpoint.format, checkpoint.tensors.len()), (Format::Safetensors, 3));
    assert_is(&checkpoint.tensors[0], "b", &[2, 3], Element::F16, 0);
    assert_is(&checkpoint.tensors[1], "a", &[4], Element::F32, 1);
    assert_is(&checkpoint.tensors[2], "c", &[], Element::F64, 2);
    assert_eq!(checkpoint.left_out.len(), 1);
    assert_eq!((checkpoint.left_out[0].name.as_str(), checkpoint.left_out[0].why.as_str()), ("steps", "stored as I64"));
}

#[test]
fn what_is_not_read_is_named() {
    let cases = [
        ("big_endian.h5", "second/second/kernel:0", "big-endian"),
        ("latest_chunked.h5", "second/second/kernel:0", "chunk index of HDF5 1.10"),
        ("many_latest.weights.h5", "layers/dense/vars", "links in a fractal heap"),
    ];
    for (file, where_it_is, what_it_is) in cases {
        match read(&variant(file)) {
            Err(CheckpointError::NotRead { place, what, .. }) => {
                assert!(place.starts_with(where_it_is) && what.contains(what_it_is), "{file}: {place}: {what}");
            }
            other => panic!("{file}: {other:?}"),
        }
    }
}
