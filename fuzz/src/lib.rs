//! Inputs from outside, each as a function of bytes that may return anything and must not crash.
//!
//! `cargo fuzz` runs the files of `fuzz_targets`; `src/bin/mutate.rs` runs the same functions on a stable compiler.

#[path = "../../crates/cine/tests/common/odd.rs"]
#[allow(dead_code, reason = "the targets need a part of it")]
mod odd;
pub mod targets;

/// A function that reads bytes from outside.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 11] = [
    ("header", targets::header),
    ("elements", targets::elements),
    ("pixel_items", targets::pixel_items),
    ("jpeg", targets::jpeg),
    ("jpeg_2000", targets::jpeg_2000),
    ("jpeg_ls", targets::jpeg_ls),
    ("jpeg_xl", targets::jpeg_xl),
    ("rle", targets::rle),
    ("deflated_frame", targets::deflated_frame),
    ("video", targets::video),
    ("weights", targets::weights),
];
