//! `inspect --npy`: frames for NumPy.

mod support;

use std::fs;
use std::path::Path;

use cine::Loop;
use support::{dicom_files, run, small_studies};

/// Length of the header that version 1.0 of the format has with a shape this short.
const HEADER_BYTES: usize = 128;

fn write(file: &Path, out: &Path, frames: &[&str]) -> (i32, String) {
    let fixed = ["inspect", file.to_str().unwrap(), "--npy", out.to_str().unwrap()];
    let (code, _, stderr) = run(&[&fixed[..], frames].concat());
    (code, stderr)
}

#[test]
fn frames_are_written_as_they_are_decoded_in_the_order_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (study, _) = small_studies(&folder.path().join("studies"), 1, 5).remove(0);
    let file = dicom_files(&study)
        .into_iter()
        .find(|file| Loop::open(file).is_ok_and(|source| source.header().frames > 3))
        .expect("a loop of some frames");
    let mut source = Loop::open(&file).unwrap();
    let (rows, columns, frames) = (source.header().rows, source.header().columns, source.header().frames);
    let out = folder.path().join("frames.npy");

    assert_eq!(write(&file, &out, &["--frames", "3,0"]), (0, format!("wrote {}\n", out.display())));
    let bytes = fs::read(&out).unwrap();
    let (header, pixels) = bytes.split_at(HEADER_BYTES);
    let header = String::from_utf8_lossy(header);
    assert!(
        header.contains(&format!("'descr': '|u1', 'fortran_order': False, 'shape': (2, {rows}, {columns}, 3)")),
        "{header}"
    );
    let expected = [3, 0].map(|index| source.frame(index).unwrap().into_pixels()).concat();
    assert!(pixels == expected, "the pixels are those of the decoder");

    assert_eq!(write(&file, &out, &["--frames", "all"]).0, 0);
    let whole = HEADER_BYTES as u64 + u64::from(frames) * u64::from(rows) * u64::from(columns) * 3;
    assert_eq!(fs::metadata(&out).unwrap().len(), whole);
    assert_eq!(write(&file, &out, &[]).0, 0, "the sampled frames");
    assert!(fs::metadata(&out).unwrap().len() < whole);
}

#[test]
fn a_frame_that_is_not_there_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (study, _) = small_studies(&folder.path().join("studies"), 1, 5).remove(0);
    let out = folder.path().join("frames.npy");
    let (code, stderr) = write(&dicom_files(&study)[0], &out, &["--frames", "0,60000"]);
    assert!(code != 0 && stderr.contains("frame 60000"), "{stderr}");
    assert!(!out.try_exists().unwrap());
    assert_eq!(write(&dicom_files(&study)[0], &out, &["--frames", "first"]).0, 2);
}
