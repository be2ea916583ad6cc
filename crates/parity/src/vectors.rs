//! The reference file of the formula itself.

use serde::Deserialize;
use zoo::weights::{checksum, fill, stream_key, stream_word};

use crate::inputs::{bounded, fnv1a64, image_channels, sector_channels};
use crate::{Check, ReferenceFile, Result};

#[derive(Deserialize)]
struct Content {
    seed: String,
    fnv1a64: Vec<Hash>,
    key: Vec<Key>,
    u64_stream: Vec<Stream>,
    fill: Vec<Filled>,
    image_u8: Vec<Image>,
}

#[derive(Deserialize)]
struct Hash {
    text: String,
    hash: String,
}

#[derive(Deserialize)]
struct Key {
    name: String,
    key: String,
}

#[derive(Deserialize)]
struct Stream {
    name: String,
    first4: Vec<String>,
}

#[derive(Deserialize)]
struct Filled {
    name: String,
    shape: Vec<usize>,
    center: f64,
    half: f64,
    first8_bits: Vec<String>,
    xsum: String,
}

#[derive(Deserialize)]
struct Image {
    formula: String,
    name: String,
    h: usize,
    w: usize,
    c: usize,
    t: usize,
    fnv1a64: String,
}

/// Compares every vector in the file; a deviation is 0 or 1.
pub(crate) fn verify(file: &ReferenceFile) -> Result<Vec<Check>> {
    let content: Content = file.parse()?;
    let seed = &content.seed;
    let mut checks = Vec::new();
    let mut add = |output: String, equal: bool| {
        checks.push(Check::new("vectors", output, if equal { 0.0 } else { 1.0 }, 0.0));
    };
    for case in &content.fnv1a64 {
        add(format!("hash {:?}", case.text), fnv1a64(case.text.as_bytes()) == case.hash);
    }
    for case in &content.key {
        add(format!("key {:?}", case.name), hexadecimal(stream_key(seed, &case.name)) == case.key);
    }
    for case in &content.u64_stream {
        let key = stream_key(seed, &case.name);
        let words = (0..case.first4.len() as u64).map(|index| hexadecimal(stream_word(key, index)));
        add(format!("stream {:?}", case.name), words.eq(case.first4.iter().cloned()));
    }
    for case in &content.fill {
        let count = bounded(&case.shape).map_err(|problem| file.problem(problem))?;
        let values = fill(seed, &case.name, count, case.center, case.half);
        let first = values.iter().take(8).map(|value| format!("{:08x}", value.to_bits()));
        add(
            format!("fill {:?}", case.name),
            first.eq(case.first8_bits.iter().cloned()) && checksum(&values) == case.xsum,
        );
    }
    for case in &content.image_u8 {
        let size = (case.h, case.w, case.c);
        bounded(&[case.h, case.w, case.c]).map_err(|problem| file.problem(problem))?;
        let pixels = match case.formula.as_str() {
            "image_u8" => Some(image_channels(seed, &case.name, size, case.t)),
            "sector_u8" => Some(sector_channels(seed, &case.name, size, case.t)),
            _ => None,
        };
        let name = format!("{} {:?} {} x {} x {} at {}", case.formula, case.name, case.h, case.w, case.c, case.t);
        match pixels {
            Some(pixels) => add(name, fnv1a64(&pixels) == case.fnv1a64),
            None => add(format!("{name}: unsupported"), false),
        }
    }
    Ok(checks)
}

fn hexadecimal(word: u64) -> String {
    format!("{word:016x}")
}
