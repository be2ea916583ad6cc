//! Every frame of the shared DICOM data against `dicom-pixeldata`, which shares codecs with this crate but finds frames,
//! splits fragments and lays out samples by its own code.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use cine::Loop;
use common::manifest_entries;
use dicom_object::DefaultDicomObject;
use dicom_pixeldata::{DecodedPixelData, PhotometricInterpretation, PixelDecoder};
use test_support::shared_data;

/// Files whose frames differ or that the other decoder cannot read, each with the reason why it does not count.
const EXCEPTIONS: [(&str, &str); 19] = [
    ("dicom/cine-echo/acuson_stress_color_8f_jpeg_fragmented_nobot.dcm", ONE_FRAGMENT),
    ("dicom/still-echo/esopecho_color_rgb_planar.dcm", "it leaves color planes as planes"),
    ("dicom/us-other/esaote_ybr422_raw.dcm", NO_YBR_422),
    ("dicom/us-other/logiq700_rgb_bigendian.dcm", "it leaves samples in big endian words swapped"),
    ("dicom/syntax/jpegls_rgb_ilv0.dcm", NO_META_GROUP),
    ("dicom/syntax/jpegls_rgb_ilv1.dcm", NO_META_GROUP),
    ("dicom/syntax/jpegls_rgb_ilv2.dcm", NO_META_GROUP),
    ("dicom/syntax/jpegls_near_rgb.dcm", NO_META_GROUP),
    ("dicom/syntax/jpeg_rgb_no_transform.dcm", "it converts RGB without markers as if it were YCbCr"),
    ("dicom/syntax/ybr422_raw.dcm", NO_YBR_422),
    ("dicom/syntax/deflated_frame.dcm", "it leaves the packed YBR_FULL_422 of a deflated frame packed"),
    ("dicom/syntax/rle_multifragment.dcm", "it panics on a frame of several fragments"),
    ("dicom/syntax/ct2f_fragmented_no_bot_jpeg_ls_80.dcm", ONE_FRAGMENT),
    ("dicom/syntax/ct2f_fragmented_no_bot_jpeg_baseline_51.dcm", ONE_FRAGMENT),
    ("dicom/syntax/ct2f_fragmented_no_bot_jpeg_lossless_70.dcm", ONE_FRAGMENT),
    ("dicom/derived/ge_vivid_e95_a3c_h264_annexb.dcm", NO_VIDEO),
    ("dicom/derived/ge_vivid_e95_a3c_h264_mp4.dcm", NO_VIDEO),
    ("dicom/derived/ge_vivid_e95_a3c_hevc.dcm", NO_VIDEO),
    ("dicom/derived/sonosite_apical_mpeg2.dcm", NO_VIDEO),
];

const ONE_FRAGMENT: &str = "it takes each fragment for a frame where there is no offset table";
const NO_YBR_422: &str = "it knows no raw YBR_FULL_422";
const NO_META_GROUP: &str = "it cannot read the file meta group";
const NO_VIDEO: &str = "it decodes no video";

/// Mean difference of two correct decoders of lossy JPEG, which round and upsample chroma in their own ways, in levels.
const MAX_LOSSY_MEAN: f64 = 0.3;
/// Largest difference of two such decoders at a single sample, in levels; 17 was seen.
const MAX_LOSSY_DIFFERENCE: u8 = 20;

/// Transfer syntaxes whose decoders may round.
const LOSSY: [&str; 2] = ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"];

#[test]
fn frames_are_those_of_an_independent_decoder() {
    let Some(folder) = shared_data() else {
        return;
    };
    let mut compared = 0;
    let mut failures = Vec::new();
    for entry in manifest_entries(&folder, "dicom") {
        let name = entry["name"].as_str().unwrap_or_default();
        if entry["photometric"].is_null() {
            continue;
        }
        let exception = EXCEPTIONS.iter().find(|(file, _)| *file == name);
        match (compare_file(&folder.join(name)), exception) {
            (Ok(frames), None) => {
                println!("{name}: {frames} frames agree");
                compared += frames;
            }
            (Ok(_), Some(_)) => failures.push(format!("{name} agrees now: take it off the list of exceptions")),
            (Err(difference), Some((_, reason))) => println!("{name}: {difference}: {reason}"),
            (Err(difference), None) => failures.push(format!("{name}: {difference}")),
        }
    }
    println!("{compared} frames compared");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared >= 300, "{compared} frames compared");
}

/// Compares all frames of a file; returns how many there are.
fn compare_file(path: &Path) -> Result<u32, String> {
    let mut ours = Loop::open(path).map_err(|error| error.to_string())?;
    // The other decoder panics on some files.
    let theirs = contained(|| dicom_object::open_file(path).map_err(|error| error.to_string()))?;
    let frames = ours.header().frames;
    for index in 0..frames {
        compare_frame(&mut ours, &theirs, index).map_err(|difference| format!("frame {index}: {difference}"))?;
    }
    Ok(frames)
}

fn compare_frame(ours: &mut Loop, theirs: &DefaultDicomObject, index: u32) -> Result<(), String> {
    let decoded = contained(|| theirs.decode_pixel_data_frame(index).map_err(|error| error.to_string()))?;
    let expected = decoded.data();
    let found = if is_rgb(&decoded) {
        ours.frame(index).map(|frame| frame.into_pixels())
    } else {
        ours.stored_frame(index).map(|frame| frame.data)
    };
    let found = found.map_err(|error| error.to_string())?;
    if found.len() != expected.len() {
        return Err(format!("{} bytes against {}", found.len(), expected.len()));
    }
    let is_lossy = LOSSY.contains(&ours.header().transfer_syntax.as_str());
    let (max_mean, max_difference) = if is_lossy { (MAX_LOSSY_MEAN, MAX_LOSSY_DIFFERENCE) } else { (0.0, 0) };
    let differences = || found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b));
    let mean = differences().map(f64::from).sum::<f64>() / found.len() as f64;
    let largest = differences().max().unwrap_or(0);
    if mean <= max_mean && largest <= max_difference {
        return Ok(());
    }
    Err(format!("differs by {mean:.3} on average and {largest} at most"))
}

/// True if the other decoder gives colors that a screen can show rather than samples as stored.
fn is_rgb(decoded: &DecodedPixelData<'_>) -> bool {
    let is_rgb = matches!(decoded.photometric_interpretation(), PhotometricInterpretation::Rgb);
    is_rgb && decoded.bits_allocated() == 8
}

fn contained<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("the other decoder panics".to_owned()))
}
