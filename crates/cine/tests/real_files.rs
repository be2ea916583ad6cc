//! Every file of the shared DICOM data: first and last frame against the manifest, or a refusal that is right.

mod common;

use cine::{CineError, Loop, StoredFrame};
use common::{manifest_entries, sha256, shared_data};
use serde_json::Value;

/// Files that are refused, each with the error's kind and the reason why refusing is right.
const REFUSALS: [(&str, &str, &str); 0] = [];

/// Transfer syntaxes whose decoders all agree to the bit.
fn is_lossless(transfer_syntax: &str) -> bool {
    let lossy = ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.111"];
    !lossy.contains(&transfer_syntax)
}

fn mean(samples: &[u8]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / samples.len() as f64
}

/// The mean of the samples as the manifest counts them: of 16-bit words where they are 16 bits wide.
fn stored_mean(frame: &StoredFrame, is_signed: bool) -> f64 {
    if frame.bytes_per_sample == 1 {
        return mean(&frame.data);
    }
    let (words, _) = frame.data.as_chunks::<2>();
    let value = |word: &[u8; 2]| {
        if is_signed { f64::from(i16::from_le_bytes(*word)) } else { f64::from(u16::from_le_bytes(*word)) }
    };
    words.iter().map(value).sum::<f64>() / words.len() as f64
}

/// Compares one decoded frame with the manifest; the text says what agreed, the error what did not.
fn compare(opened: &mut Loop, expected: &Value, transfer_syntax: &str) -> Result<String, String> {
    let index = expected["index"].as_u64().unwrap_or(0) as u32;
    let stored = opened.stored_frame(index).map_err(|error| format!("{}: {error}", error.kind()))?;
    let rgb = opened.frame(index).map_err(|error| format!("{}: {error}", error.kind()))?;
    let mut agreed = Vec::new();
    let mut check = |what: &str, hash: &Value, bytes: &[u8]| match hash.as_str() {
        Some(hash) if hash == sha256(bytes) => {
            agreed.push(format!("{what} exact"));
            Ok(())
        }
        Some(_) if is_lossless(transfer_syntax) => Err(format!("{what} differs")),
        _ => Ok(()),
    };
    if expected["as_rgb"] == true {
        check("RGB", &expected["sha256"], &rgb.pixels)?;
        check("stored", &expected["raw_sha256"], &stored.data)?;
    } else {
        check("stored", &expected["sha256"], &stored.data)?;
        check("palette", &expected["palette_rgb8_sha256"], &rgb.pixels)?;
    }
    if let Some(expected_mean) = expected["mean"].as_f64() {
        let is_signed = expected["dtype"].as_str().is_some_and(|dtype| dtype.starts_with("int"));
        let is_stored = expected["as_rgb"] != true || stored.bytes_per_sample == 2;
        let actual = if is_stored { stored_mean(&stored, is_signed) } else { mean(&rgb.pixels) };
        let difference = (actual - expected_mean).abs();
        if difference > 0.1 {
            return Err(format!("mean {actual:.4} instead of {expected_mean:.4}"));
        }
        agreed.push(format!("mean off by {difference:.4}"));
    }
    if agreed.is_empty() { Err("the manifest has nothing to compare with".into()) } else { Ok(agreed.join(", ")) }
}

fn refusal(name: &str) -> Option<(&'static str, &'static str)> {
    REFUSALS.iter().find(|(file, ..)| *file == name).map(|(_, kind, reason)| (*kind, *reason))
}

fn check_file(folder: &std::path::Path, entry: &Value) -> Result<String, String> {
    let name = entry["name"].as_str().unwrap_or_default();
    let kinded = |error: CineError| format!("{}: {error}", error.kind());
    let mut opened = match (Loop::open(&folder.join(name)), refusal(name)) {
        (Err(error), Some((kind, reason))) if error.kind() == kind => {
            return Ok(format!("refused as {kind}: {reason}"));
        }
        (outcome, _) => outcome.map_err(kinded)?,
    };
    let frames = entry["frames"].as_u64().unwrap_or(1) as u32;
    if opened.header().frames != frames {
        return Err(format!("{} frames instead of {frames}", opened.header().frames));
    }
    let transfer_syntax = entry["transfer_syntax"].as_str().unwrap_or_default();
    let mut notes = Vec::new();
    for position in ["first", "last"] {
        let expected = &entry["decoded"][position];
        if expected.is_object() {
            match (compare(&mut opened, expected, transfer_syntax), refusal(name)) {
                (Err(error), Some((kind, reason))) if error.starts_with(kind) => {
                    notes.push(format!("refused as {kind}: {reason}"))
                }
                (outcome, _) => notes.push(outcome.map_err(|error| format!("{position}: {error}"))?),
            }
        }
    }
    if notes.is_empty() {
        let frame = opened.frame(frames - 1).map_err(kinded)?;
        notes.push(format!("decodes, mean {:.2}", mean(&frame.pixels)));
    }
    let codes: Vec<&str> = opened.findings().iter().map(|finding| finding.code).collect();
    Ok(format!("{} {}", notes.join(" | "), codes.join(" ")))
}

#[test]
fn every_real_file_decodes_as_the_manifest_says() {
    let Some(folder) = shared_data() else {
        return;
    };
    let mut failures = Vec::new();
    for entry in manifest_entries(&folder, "dicom") {
        let name = entry["name"].as_str().unwrap_or_default().to_owned();
        if entry["rows"].is_null() {
            println!("{name:64} no image");
            continue;
        }
        match check_file(&folder, &entry) {
            Ok(note) => println!("{name:64} {note}"),
            Err(error) => {
                println!("{name:64} FAILED {error}");
                failures.push(name);
            }
        }
    }
    assert!(failures.is_empty(), "{} files failed: {failures:#?}", failures.len());
}
