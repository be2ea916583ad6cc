//! Every file of the shared DICOM data: first and last frame against the manifest, or a refusal that is right.

mod common;

use cine::{CineError, Loop, StoredFrame};
use common::{manifest_entries, sha256};
use dicom_encoding::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use serde_json::Value;
use test_support::shared_data;

/// Files that are refused, each with the error's kind and the reason why refusing is right.
const REFUSALS: [(&str, &str, &str); 1] = [(
    "dicom/syntax/ct2f_fragmented_no_bot_jpeg_baseline_51.dcm",
    "corrupt_frame",
    "12-bit extended JPEG, which no echo scanner writes and no decoder here reads",
)];

/// Files whose pixels another file of the data holds too: first frame, twin, twin's frame, largest mean difference.
///
/// These have no exact reference: JPEG XL decoders differ in rounding, video is lossy and its RGB depends on the
/// converter (its planes are compared exactly in the unit test of the video codec).
const TWINS: [(&str, u32, &str, u32, f64); 8] = [
    ("cine-echo/ge_vivid_e95_a3c_color_27f_jxl.dcm", 15, "derived/ge_vivid_e95_a3c_color_27f_jpeg.dcm", 0, 0.2),
    ("cine-echo/ge_vivid_e95_a3c_color_27f_jxl.dcm", 20, "derived/ge_vivid_e95_a3c_color_27f_jpeg.dcm", 26, 0.2),
    ("syntax/deflated_frame.dcm", 0, "syntax/ybr422_raw.dcm", 0, 0.0),
    ("derived/ge_vivid_e95_a3c_h264_annexb.dcm", 13, "derived/ge_vivid_e95_a3c_color_27f_jpeg.dcm", 13, 2.0),
    ("derived/ge_vivid_e95_a3c_h264_mp4.dcm", 26, "derived/ge_vivid_e95_a3c_color_27f_jpeg.dcm", 26, 2.0),
    ("derived/ge_vivid_e95_a3c_hevc.dcm", 5, "derived/ge_vivid_e95_a3c_color_27f_jpeg.dcm", 5, 2.0),
    ("derived/sonosite_apical_mpeg2.dcm", 29, "cine-echo/sonosite_apical_30f_jpeg.dcm", 29, 2.0),
    (
        "cine-echo/acuson_stress_color_8f_jpeg_fragmented_nobot.dcm",
        7,
        "cine-echo/acuson_stress_color_8f_implicit_rgb.dcm",
        7,
        4.0,
    ),
];

/// Video frames need FFmpeg; without it the error must say so.
const HAS_VIDEO: bool = cfg!(feature = "video");

/// Transfer syntaxes whose decoders all agree to the bit.
fn is_lossless(transfer_syntax: &str) -> bool {
    let lossy =
        ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.111", "1.2.840.10008.1.2.4.112"];
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
    if expected["as_rgb"] == true && stored.bytes_per_sample == 1 {
        check("RGB", &expected["sha256"], rgb.pixels())?;
        check("stored", &expected["raw_sha256"], &stored.data)?;
    } else {
        check("stored", &expected["sha256"], &stored.data)?;
        check("palette", &expected["palette_rgb8_sha256"], rgb.pixels())?;
    }
    if let Some(expected_mean) = expected["mean"].as_f64() {
        let is_signed = expected["dtype"].as_str().is_some_and(|dtype| dtype.starts_with("int"));
        let is_stored = expected["as_rgb"] != true || stored.bytes_per_sample == 2;
        let actual = if is_stored { stored_mean(&stored, is_signed) } else { mean(rgb.pixels()) };
        let difference = (actual - expected_mean).abs();
        if difference > 0.1 {
            return Err(format!("mean {actual:.4} instead of {expected_mean:.4}"));
        }
        agreed.push(format!("mean off by {difference:.4}"));
    }
    if agreed.is_empty() {
        // Neither a hash that our decoder must meet nor a mean: compared with a twin below, where there is one.
        agreed.push("decodes, nothing in the manifest to compare with".to_owned());
    }
    Ok(agreed.join(", "))
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
                    notes.push(format!("refused as {kind}: {reason}"));
                }
                (outcome, _) => notes.push(outcome.map_err(|error| format!("{position}: {error}"))?),
            }
        }
    }
    if !HAS_VIDEO && entry["video_decoded_ffmpeg"].is_object() {
        let kind = opened.frame(0).map_err(|error| error.kind()).err();
        return if kind == Some("video_not_built") {
            Ok("no video in this build".into())
        } else {
            Err(format!("{kind:?}"))
        };
    }
    if notes.is_empty() {
        let frame = opened.frame(frames - 1).map_err(kinded)?;
        notes.push(format!("decodes, mean {:.2}", mean(frame.pixels())));
    }
    let (mode, reason) = opened.mode().map_err(kinded)?;
    notes.push(format!("{} ({reason}), sector {:?}", mode.as_str(), opened.sector().map(|s| [s.x0, s.y0, s.x1, s.y1])));
    let codes: Vec<&str> = opened.findings().iter().map(|finding| finding.code.as_str()).collect();
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

fn rgb(path: &std::path::Path, index: u32) -> Vec<u8> {
    let mut opened = Loop::open(path).expect("the twin opens");
    opened.frame(index).expect("the twin decodes").into_pixels()
}

/// Mean and 99.9th percentile of the absolute differences.
fn differences(a: &[u8], b: &[u8]) -> (f64, u8) {
    assert_eq!(a.len(), b.len());
    let mut all: Vec<u8> = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).collect();
    let mean = all.iter().map(|difference| f64::from(*difference)).sum::<f64>() / all.len() as f64;
    let at = all.len() * 999 / 1000;
    let (_, percentile, _) = all.select_nth_unstable(at);
    (mean, *percentile)
}

#[test]
fn files_of_the_same_pixels_agree() {
    let Some(folder) = shared_data() else {
        return;
    };
    for (name, frame, twin, twin_frame, limit) in TWINS {
        if !HAS_VIDEO && ["h264", "hevc", "mpeg2"].iter().any(|codec| name.contains(codec)) {
            continue;
        }
        let dicom = folder.join("dicom");
        let (mean, percentile) = differences(&rgb(&dicom.join(name), frame), &rgb(&dicom.join(twin), twin_frame));
        println!("{name:60} frame {frame:2}: mean difference {mean:.4}, 99.9th percentile {percentile}");
        assert!(mean <= limit, "{name}: {mean}");
    }
}

/// Decodes the first frame with dicom-object and the JPEG decoder of dicom-rs, which shares nothing with ours.
fn by_another_decoder(path: &std::path::Path) -> Option<Vec<u8>> {
    let object = dicom_object::open_file(path).ok()?;
    let syntax = TransferSyntaxRegistry.get("1.2.840.10008.1.2.4.50")?;
    let mut samples = Vec::new();
    syntax.pixel_data_reader()?.decode_frame(&object, 0, &mut samples).ok()?;
    Some(samples)
}

#[test]
fn lossy_jpeg_agrees_with_another_decoder() {
    // dicom-rs takes these components for YCbCr, which they are not.
    const WRONG_ELSEWHERE: [&str; 1] = ["dicom/syntax/jpeg_rgb_no_transform.dcm"];
    let Some(folder) = shared_data() else {
        return;
    };
    let mut compared = 0;
    for entry in manifest_entries(&folder, "dicom") {
        let name = entry["name"].as_str().unwrap_or_default();
        let is_baseline = entry["transfer_syntax"] == "1.2.840.10008.1.2.4.50";
        if !is_baseline || WRONG_ELSEWHERE.contains(&name) {
            continue;
        }
        let path = folder.join(name);
        let Some(mut other) = by_another_decoder(&path) else {
            println!("{name:64} the other decoder cannot read it");
            continue;
        };
        let ours = rgb(&path, 0);
        if other.len() * 3 == ours.len() {
            other = other.iter().flat_map(|gray| [*gray; 3]).collect();
        }
        let (mean, percentile) = differences(&ours, &other);
        println!("{name:64} mean difference {mean:.4}, 99.9th percentile {percentile}");
        assert!(mean < 0.12 && percentile <= 3, "{name}: mean {mean}, 99.9th percentile {percentile}");
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} files were compared");
}
