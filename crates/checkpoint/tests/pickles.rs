//! Files that training scripts save besides bare state dicts; made by `fixtures/checkpoint/make.py`, and by hand.

mod common;

use checkpoint::{CheckpointError, Element, Format, read, read_bytes};
use common::archive::archive;
use common::variant;

/// The numbers of the `offset`th tensor of a file, as `make.py` says.
fn numbers(range: std::ops::Range<usize>, offset: usize) -> Vec<f32> {
    range.map(|index| ((7 * index + offset) % 64) as f32 / 8.0 - 4.0).collect()
}

#[test]
fn the_weights_of_a_training_state_are_found_in_every_protocol() {
    for protocol in 2..=5 {
        let checkpoint = read(&variant(&format!("training_state_protocol{protocol}.pth"))).unwrap();
        assert_eq!(checkpoint.format, Format::TorchZip);
        let expected: [(&str, &[usize], Element, Vec<f32>); 5] = [
            ("lstm.weight", &[4, 5], Element::F32, numbers(0..20, 0)),
            ("lstm.bias", &[10], Element::F32, numbers(20..30, 0)),
            ("head.weight", &[2, 3], Element::BF16, numbers(0..6, 1)),
            ("head.bias", &[2], Element::F64, numbers(0..2, 2)),
            ("head.expanded", &[2, 3], Element::F32, numbers(0..3, 3).repeat(2)),
        ];
        assert_eq!(checkpoint.tensors.len(), expected.len());
        for (tensor, (name, shape, stored_as, values)) in checkpoint.tensors.iter().zip(expected) {
            assert_eq!((tensor.name.as_str(), tensor.shape.as_slice(), tensor.stored_as), (name, shape, stored_as));
            assert_eq!(tensor.values, values, "{name} of protocol {protocol}");
        }
        let left_out: Vec<_> = checkpoint.left_out.iter().map(|left| (left.name.as_str(), left.why.as_str())).collect();
        let expected = [
            ("ema", "None, beside the weights"),
            ("epoch", "an integer, beside the weights"),
            ("loss", "a float, beside the weights"),
            ("arguments", "an object of class argparse.Namespace, beside the weights"),
            ("optimizer", "an optimizer's state, beside the weights"),
            ("steps", "stored as int64"),
            ("new", "stored as a number type without a storage class of its own"),
        ];
        assert_eq!(left_out, expected, "protocol {protocol}");
    }
}

#[test]
fn a_pickled_module_is_refused_by_its_class() {
    for file in ["whole_module.pth", "module_and_optimizer.pth"] {
        match read(&variant(file)) {
            Err(CheckpointError::PickledObject { class, .. }) => assert_eq!(class, "models.net.Model", "{file}"),
            other => panic!("{file}: {other:?}"),
        }
    }
}

#[test]
fn big_endian_files_are_refused_by_name() {
    let message = read(&variant("big_endian.pth")).unwrap_err().to_string();
    assert!(message.contains("byteorder: cannot be read: the byte order big"), "{message}");
    let mut legacy = common::bytes("tiny_torch_legacy.pth");
    let little = legacy.windows(16).position(|window| window.starts_with(b"little_endian")).unwrap();
    let is_true = legacy[little..].iter().position(|byte| *byte == 0x88).unwrap();
    legacy[little + is_true] = 0x89;
    let message = read_bytes(&legacy, "legacy").unwrap_err().to_string();
    assert!(message.contains("system information: cannot be read: the byte order big"), "{message}");
}

/// A torch archive of one pickle program and one storage of four floats, 0 to 3.
fn torch(program: &[u8]) -> Vec<u8> {
    let storage: Vec<u8> = (0..4).flat_map(|value| (value as f32).to_le_bytes()).collect();
    archive(&[("a/data.pkl", program), ("a/data/0", storage.as_slice())])
}

/// Opcodes of a tensor of four elements in storage `key`.
fn tensor(key: u8) -> Vec<u8> {
    let mut program =
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0".to_vec();
    program.push(key);
    program.extend(b"X\x03\0\0\0cpuK\x04tQK\0K\x04\x85K\x01\x85\x89NtR");
    program
}

fn dict(items: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let items: Vec<u8> =
        items.iter().flat_map(|(key, value)| [key.to_vec(), value.clone(), b"s".to_vec()].concat()).collect();
    [b"\x80\x02}".to_vec(), items, b".".to_vec()].concat()
}

const W: &[u8] = b"X\x01\0\0\0w";

#[test]
fn a_program_by_hand_gives_its_tensor() {
    let checkpoint = read_bytes(&torch(&dict(&[(W, tensor(b'0'))])), "by hand").unwrap();
    assert_eq!(checkpoint.tensors[0].values, [0.0, 1.0, 2.0, 3.0]);
}

#[test]
fn calls_are_never_made() {
    // os.system("true"), as an attack would have it, beside a tensor.
    let call = b"cposix\nsystem\nX\x04\0\0\0true\x85R".to_vec();
    let checkpoint = read_bytes(&torch(&dict(&[(W, tensor(b'0')), (b"X\x01\0\0\0x", call)])), "attack").unwrap();
    assert_eq!(checkpoint.tensors.len(), 1);
    assert_eq!(checkpoint.left_out[0].why, "an object of class posix.system, not a tensor");
}

#[test]
fn damaged_programs_are_named() {
    let cases: [(Vec<u8>, &str); 7] = [
        (dict(&[(W, tensor(b'1'))]), "a/data/1: the storage is not in the archive"),
        (dict(&[(W, tensor(b'0')), (W, tensor(b'0'))]), "state dict: w: is there twice"),
        (b"\x80\x02}".to_vec(), "truncated"),
        (b"\x80\x02}.}".to_vec(), "ends at offset 4 of 5"),
        (b"\x80\x02R.".to_vec(), "pickle opcode 0x52 at offset 2: pickle at offset 3: the stack is empty"),
        (b"\x80\x02h\x07.".to_vec(), "nothing was memorized as 7"),
        (
            b"\x80\x02i.".to_vec(),
            "pickle opcode 0x69 at offset 2: the machine: cannot be read: an opcode that torch does not write",
        ),
    ];
    for (program, says) in cases {
        let message = read_bytes(&torch(&program), "test").unwrap_err().to_string();
        assert!(message.contains(says), "{says}: {message}");
    }
}

#[test]
fn a_file_without_tensors_says_what_it_holds() {
    let message = read_bytes(&torch(&dict(&[(W, b"K\x01".to_vec())])), "test").unwrap_err().to_string();
    assert_eq!(message, "test: no weights: a mapping of 1, in it no mapping of names to tensors");
}
