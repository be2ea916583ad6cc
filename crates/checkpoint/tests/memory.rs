//! Hostile files: what they cost in memory, measured by the allocator.

mod common;

use checkpoint::{CheckpointError, read_bytes};
use common::archive::archive;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A torch archive of one pickle and one storage of four floats.
fn torch(pickle: &[u8]) -> Vec<u8> {
    archive(&[("a/data.pkl", pickle), ("a/byteorder", b"little"), ("a/data/0", &[0; 16])])
}

/// Pickle opcodes for a tensor of storage 0 with the given shape and strides, each as pickled integers.
fn tensor(shape: &[u8], strides: &[u8]) -> Vec<u8> {
    let mut pickle = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n".to_vec();
    pickle.extend(b"X\x01\0\0\x000X\x03\0\0\0cpuK\x04tQK\0(");
    pickle.extend(shape);
    pickle.extend(b"t(");
    pickle.extend(strides);
    pickle.extend(b"t\x89NtR");
    pickle
}

fn state_dict(value: &[u8]) -> Vec<u8> {
    torch(&[b"\x80\x02}X\x01\0\0\0w", value, b"s."].concat())
}

/// Returns the peak memory of reading `bytes` beyond `bytes` themselves, and the error at its end.
fn cost(bytes: &[u8]) -> (usize, CheckpointError) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let error = read_bytes(bytes, "test").expect_err("a file that must be refused");
    (MEMORY.peak_usage().saturating_sub(before), error)
}

// The only test of this file: others beside it would be measured as well.
#[test]
fn hostile_files_cost_no_more_than_their_length_allows() {
    const MANY: usize = 1 << 20;
    let program = |piece: &[u8]| torch(&[b"\x80\x02".to_vec(), piece.repeat(MANY), b".".to_vec()].concat());
    let nested_lists = [b"]".repeat(MANY), b"a".repeat(MANY - 1), b".".to_vec()].concat();
    // Each list holds the one before ten times: 10^100 items, a thousand bytes.
    let laughs = [b"]q\0".to_vec(), b"](h\0h\0h\0h\0h\0h\0h\0h\0h\0h\0eq\0".repeat(100), b".".to_vec()].concat();
    let cyclic = b"\x80\x02}q\0X\x01\0\0\0wh\0s.";
    let huge_shape = [b"\x8a\x08".to_vec(), vec![0, 0, 0, 0, 0, 1, 0, 0]].concat();
    let files = [
        ("nothing, often", program(b"N")),
        ("marks", program(b"(")),
        ("empty tuples", program(b")")),
        ("empty dictionaries", program(b"}")),
        ("globals", program(b"cos\nsystem\n")),
        ("memorized", program(b"Nr\x01\x02\x03\x04")),
        ("lists in lists", torch(&nested_lists)),
        ("shared lists", torch(&laughs)),
        ("a cycle", torch(cyclic)),
        ("a huge view of stride 0", state_dict(&tensor(&huge_shape, b"K\0"))),
        ("a huge shape", state_dict(&tensor(&huge_shape, b"K\x01"))),
        ("a long key", torch(&sharing(b"7".repeat(20_000), 1))),
        ("a folder with a long name, often", in_folder("a".repeat(60_000), &sharing(b"0".to_vec(), 20_000))),
        ("text longer than the file", torch(b"\x80\x02X\xff\xff\xff\x7fabc.")),
        ("a header longer than the file", [&u64::MAX.to_le_bytes()[..], b"{}"].concat()),
        (
            "shapes of many axes",
            safetensors(&format!(
                "{{\"a\":{{\"dtype\":\"F32\",\"shape\":[{}1],\"data_offsets\":[0,0]}}}}",
                "1,".repeat(MANY)
            )),
        ),
        ("many tensors", safetensors(&many_tensors(20_000))),
        ("shapes of some axes", safetensors(&some_axes(5_000))),
        ("a tree that repeats itself", repeating_tree()),
        ("much metadata", safetensors(&much_metadata(50_000))),
    ];
    for (what, bytes) in files {
        let (most, error) = cost(&bytes);
        assert!(most <= 8 * bytes.len() + (1 << 20), "{what}: {most} bytes for {}: {error}", bytes.len());
        assert!(error.to_string().len() < 2000, "{what}: a message of {} bytes", error.to_string().len());
    }
}

fn safetensors(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
}

/// A header of empty tensors, and one that lacks its bytes.
fn many_tensors(count: usize) -> String {
    let empty: String =
        (0..count).map(|n| format!("\"{n}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}},")).collect();
    format!("{{{empty}\"last\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}}}")
}

fn some_axes(count: usize) -> String {
    let axes = ["0"; 32].join(",");
    let empty: String = (0..count)
        .map(|n| format!("\"{n}\":{{\"dtype\":\"F32\",\"shape\":[{axes}],\"data_offsets\":[0,0]}},"))
        .collect();
    format!("{{{empty}\"last\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}}}")
}

fn much_metadata(count: usize) -> String {
    let pairs: Vec<String> = (0..count).map(|n| format!("\"{n}\":\"\"")).collect();
    format!(
        "{{\"__metadata__\":{{{}}},\"last\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}}}",
        pairs.join(",")
    )
}

/// An HDF5 file whose root group is a B-tree of eight levels, each of 1000 times the same node: 10^24 steps.
fn repeating_tree() -> Vec<u8> {
    let mut bytes = common::bytes("tiny_keras3_encoder.h5");
    let symbol_table = bytes.windows(4).position(|window| window == b"\x11\0\x10\0").unwrap();
    let mut child = bytes.len() as u64;
    bytes.extend(b"SNOD\x01\0\0\0");
    for level in 0..8 {
        let node = bytes.len() as u64;
        bytes.extend(b"TREE\0");
        bytes.push(level);
        bytes.extend(1000_u16.to_le_bytes());
        bytes.extend([0xff; 16]);
        bytes.extend([[0; 8], child.to_le_bytes()].concat().repeat(1000));
        child = node;
    }
    let end = bytes.len() as u64;
    bytes[symbol_table + 8..symbol_table + 16].copy_from_slice(&child.to_le_bytes());
    bytes[40..48].copy_from_slice(&end.to_le_bytes());
    bytes
}

/// Many tensors that share one storage.
fn sharing(key: Vec<u8>, count: u32) -> Vec<u8> {
    let mut program =
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\0(X\x07\0\0\0storagectorch\nFloatStorage\nX".to_vec();
    program.extend((key.len() as u32).to_le_bytes());
    program.extend(key);
    program.extend(b"X\x03\0\0\0cpuK\x04tQq\x01}(");
    for number in 0..count {
        program.push(b'M');
        program.extend(&number.to_le_bytes()[..2]);
        program.extend(b"h\0(h\x01K\0K\x04\x85K\x01\x85\x89NtR");
    }
    program.extend(b"u.");
    program
}

fn in_folder(folder: String, program: &[u8]) -> Vec<u8> {
    archive(&[(format!("{folder}/data.pkl"), program), (format!("{folder}/data/0"), &[0; 16])])
}
