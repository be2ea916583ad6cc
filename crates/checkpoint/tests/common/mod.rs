//! The golden files and the formula of their numbers.
#![allow(dead_code)] // each test binary uses a part

pub mod archive;

use std::path::PathBuf;

use serde_json::Value;

/// A file of `fixtures/golden/files`.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden/files").join(name)
}

/// A file of `fixtures/checkpoint`.
pub fn variant(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/checkpoint").join(name)
}

pub fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

pub fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

/// Every weight file of the fixtures: name and bytes.
pub fn weight_files() -> Vec<(String, Vec<u8>)> {
    let folders = [path(""), variant("")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_weights =
        |path: &PathBuf| !["json", "py", "md"].iter().any(|extension| path.extension() == Some(extension.as_ref()));
    let mut files: Vec<_> = paths
        .filter(is_weights)
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// A tensor that a golden file lists.
pub struct Row {
    pub name: String,
    /// The Keras layer it belongs to; empty for PyTorch.
    pub layer: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// The tensors that a golden JSON file lists, filled by the formula and compared with the listed first values and sum.
pub fn rows(json_name: &str) -> Vec<Row> {
    let json = json(json_name);
    let seed = json["seed"].as_str().unwrap();
    let rows = json["tensors"].as_array().unwrap().iter().map(|row| {
        let name = row["name"].as_str().unwrap().to_owned();
        let shape: Vec<usize> = row["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
        let (center, half) = (row["center"].as_f64().unwrap(), row["half"].as_f64().unwrap());
        let values = formula(&format!("{seed}/{name}"), shape.iter().product(), center, half);
        for (value, listed) in values.iter().zip(row["first4"].as_array().unwrap()) {
            assert_eq!(*value, listed.as_f64().unwrap() as f32, "{name}");
        }
        assert_eq!(format!("{:016x}", xsum(&values)), row["xsum"].as_str().unwrap(), "{name}");
        let layer = row["layer"].as_str().unwrap_or_default().to_owned();
        Row { name, layer, shape, values }
    });
    rows.collect()
}

/// The golden references' formula: FNV-1a of the name, then splitmix64, 24 bits a value.
fn formula(name: &str, count: usize, center: f64, half: f64) -> Vec<f32> {
    let key = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let value = |index: u64| {
        let z = key.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let u = ((z ^ (z >> 31)) >> 40) as f64 / 16_777_216.0;
        (center + half * (2.0 * u - 1.0)) as f32
    };
    (0..count as u64).map(value).collect()
}

fn xsum(values: &[f32]) -> u64 {
    values
        .iter()
        .zip(0_u64..)
        .fold(0, |sum, (value, index)| sum.wrapping_add(u64::from(value.to_bits()).wrapping_mul(2 * index + 1)))
}
