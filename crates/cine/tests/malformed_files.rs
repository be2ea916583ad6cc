//! Every odd or broken file of the shared data: a named outcome, no panic, no hang, and the suggested outcome where
//! there is one.

mod common;

use std::path::Path;

use cine::{Completeness, Loop, completeness};
use common::manifest_entries;
use test_support::shared_data;

/// Outcome of reading a file.
#[derive(Debug, Default)]
struct Outcome {
    /// The kind of the error that refused it.
    error: Option<&'static str>,
    frames: u32,
    /// The frames that cannot be decoded.
    bad_frames: Vec<u32>,
    findings: Vec<&'static str>,
    complete: bool,
    /// Error of the file or of its first bad frame.
    message: String,
}

fn outcome(path: &Path) -> Outcome {
    let complete = matches!(completeness(path), Completeness::Complete { .. });
    let mut opened = match Loop::open(path) {
        Ok(opened) => opened,
        Err(error) => {
            return Outcome { error: Some(error.kind()), complete, message: error.to_string(), ..Outcome::default() };
        }
    };
    let frames = opened.header().frames;
    let mut message = String::new();
    let mut bad_frames = Vec::new();
    for index in 0..frames.min(64) {
        if let Err(error) = opened.frame(index) {
            bad_frames.push(index);
            message = error.to_string();
        }
    }
    opened.sector();
    let _ = opened.mode();
    let findings = opened.findings().iter().map(|finding| finding.code.as_str()).collect();
    Outcome { error: None, frames, bad_frames, findings, complete, message }
}

/// Expectations for the files made with one fault each: name, frames (0: refused), bad frames, complete, error or
/// finding.
const EXPECTED: [(&str, u32, &[u32], bool, &str); 66] = [
    ("ok_bot_full", 6, &[], true, ""),
    ("ok_bot_empty", 6, &[], true, ""),
    ("ok_fragments3_bot", 6, &[], true, ""),
    ("ok_fragments3_nobot", 6, &[], true, ""),
    ("ok_extended_offset_table", 6, &[], true, ""),
    ("bot_points_into_fragment", 6, &[], true, ""),
    ("bot_too_short", 6, &[], true, ""),
    ("bot_beyond_end", 6, &[], true, ""),
    ("no_sequence_delimiter", 6, &[], false, "no_sequence_delimiter"),
    ("zero_length_fragment", 6, &[], true, ""),
    ("odd_length_fragment", 6, &[], true, ""),
    ("truncated_60_percent", 3, &[], false, "truncated"),
    ("truncated_in_header", 0, &[], false, "truncated"),
    ("truncated_in_last_frame", 5, &[], false, "truncated"),
    ("preamble_only", 0, &[], false, "truncated"),
    ("zero_bytes", 0, &[], false, "truncated"),
    ("random_bytes", 0, &[], false, "not_dicom"),
    ("text_file", 0, &[], false, "not_dicom"),
    ("bare_jpeg", 0, &[], false, "not_dicom"),
    ("jpeg_frame2_damaged", 6, &[], true, "frame_damaged"),
    ("jpeg_frame3_cut", 6, &[3], true, ""),
    ("frame1_not_jpeg", 6, &[1], true, ""),
    ("frames_declared_12_have_6", 6, &[], false, "fewer_frames_than_declared"),
    ("frames_declared_3_have_6", 3, &[], true, "more_frames_than_declared"),
    ("frames_zero", 6, &[], true, "number_of_frames_invalid"),
    ("frames_missing", 6, &[], true, ""),
    ("frames_huge", 6, &[], true, "number_of_frames_invalid"),
    ("frames_not_a_number", 6, &[], true, "number_of_frames_invalid"),
    ("frametime_missing", 6, &[], true, "timing_guessed"),
    ("frametime_zero", 6, &[], true, "timing_guessed"),
    ("frametime_negative", 6, &[], true, "timing_guessed"),
    ("frametime_text", 6, &[], true, "timing_guessed"),
    ("ok_frametimevector", 6, &[], true, ""),
    ("frametimevector_short", 6, &[], true, "timing_attribute_rejected"),
    ("frametimevector_negative", 6, &[], true, "timing_attribute_rejected"),
    ("ok_rwave", 6, &[], true, ""),
    ("rwave_unsorted", 6, &[], true, "r_wave_times_unsorted"),
    ("rwave_outside_clip", 6, &[], true, "r_waves_outside_loop"),
    ("rwave_nan_inf", 6, &[], true, "r_wave_times_invalid"),
    ("rwave_single", 6, &[], true, ""),
    ("rwave_empty", 6, &[], true, ""),
    ("heartrate_absurd", 6, &[], true, "heart_rate_invalid"),
    ("rows_mismatch_jpeg", 6, &[0, 1, 2, 3, 4, 5], true, ""),
    ("rows_zero", 0, &[], true, "invalid_image"),
    ("photometric_lies_rgb", 6, &[], true, ""),
    ("photometric_missing", 6, &[], true, "photometric_interpretation_unknown"),
    ("samples_one_but_color_jpeg", 6, &[], true, ""),
    ("region_inverted", 6, &[], true, "region_outside_image"),
    ("region_huge", 6, &[], true, "region_outside_image"),
    ("pixeldata_missing", 0, &[], true, "no_pixel_data"),
    ("sop_instance_uid_missing", 6, &[], true, "sop_instance_uid_from_meta"),
    ("study_uid_missing", 6, &[], true, "study_instance_uid_derived"),
    ("study_uid_path_traversal", 6, &[], true, "study_instance_uid_derived"),
    ("patient_name_hostile", 6, &[], true, ""),
    ("uids_1000_chars", 6, &[], true, "series_instance_uid_derived"),
    ("duplicate_uid_a", 6, &[], true, ""),
    ("duplicate_uid_b", 6, &[], true, ""),
    ("private_transfer_syntax", 0, &[], true, "unsupported_transfer_syntax"),
    ("encapsulated_but_ts_says_raw", 6, &[], true, "transfer_syntax_disagrees_with_pixels"),
    ("ok_raw_rgb_64x48_6f", 6, &[], true, ""),
    ("raw_short", 5, &[], false, "fewer_frames_than_declared"),
    ("raw_long", 6, &[], true, "pixel_data_too_long"),
    ("ok_deflated", 6, &[], true, ""),
    ("deflate_stream_damaged", 2, &[], false, "truncated"),
    ("ok_single_frame", 1, &[], true, ""),
    ("3gb_length_truncated", 0, &[], false, ""),
];

fn disagreement(name: &str, outcome: &Outcome) -> Option<String> {
    let stem = Path::new(name).file_stem()?.to_str()?;
    let (_, frames, bad_frames, complete, code) = EXPECTED.iter().find(|(expected, ..)| *expected == stem)?;
    let has_code = code.is_empty() || outcome.error == Some(*code) || outcome.findings.contains(code);
    let is_control = stem.starts_with("ok_");
    // The clip that the variants were made from was downsized, its region was not; its heart rate was left as well.
    let of_the_clip = ["region_outside_image", "heart_rate_disagrees_with_r_waves"];
    let clean = !is_control || outcome.findings.iter().all(|code| of_the_clip.contains(code));
    let agrees = outcome.frames == *frames
        && outcome.bad_frames == *bad_frames
        && outcome.complete == *complete
        && has_code
        && clean;
    (!agrees).then(|| format!("{name}: {outcome:?}"))
}

#[test]
fn every_malformed_file_has_a_named_outcome() {
    let Some(folder) = shared_data() else {
        return;
    };
    let mut failures = Vec::new();
    for entry in manifest_entries(&folder, "malformed") {
        let name = entry["name"].as_str().unwrap_or_default();
        let result = outcome(&folder.join(name));
        let suggested = entry["suggested_outcome"].as_str().unwrap_or("-");
        println!(
            "{:58} {:28} {:3} frames, bad {:?}, complete {}, {:?} {} (suggested: {suggested})",
            name.trim_start_matches("malformed/"),
            result.error.unwrap_or("opens"),
            result.frames,
            result.bad_frames,
            result.complete,
            result.findings,
            result.message
        );
        if name.contains("derived/") || name.contains("3gb") {
            failures.extend(disagreement(name, &result));
        }
    }
    assert!(failures.is_empty(), "{} files: {failures:#?}", failures.len());
}
