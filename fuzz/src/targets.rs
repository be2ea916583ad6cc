//! The targets.


use cine::Loop;

use crate::odd::{Header, encapsulated};

/// A whole file: the walk over its headers, timing, regions, ECG. No frame is decoded, as decoders have targets of their own.
pub fn header(bytes: &[u8]) {
    let _ = Loop::from_bytes(bytes.to_vec());
}

/// Elements inside a sound header, before the image's attributes: regions, waveforms, curves, time vectors.
pub fn elements(bytes: &[u8]) {
    open_and_decode(Header { extra: bytes.to_vec(), ..Header::jpeg() }.file(&encapsulated(&[vec![0; 16]])));
}

/// All that stands behind the header: offset table, items, fragments.
pub fn pixel_items(bytes: &[u8]) {
    open_and_decode(Header::jpeg().file(bytes));
}

/// JPEG of any process.
pub fn jpeg(bytes: &[u8]) {
    frame("1.2.840.10008.1.2.4.50", bytes);
}

/// JPEG 2000 and HTJ2K.
pub fn jpeg_2000(bytes: &[u8]) {
    frame("1.2.840.10008.1.2.4.91", bytes);
}

/// JPEG-LS.
pub fn jpeg_ls(bytes: &[u8]) {
    frame("1.2.840.10008.1.2.4.80", bytes);
}

/// JPEG XL.
pub fn jpeg_xl(bytes: &[u8]) {
    frame("1.2.840.10008.1.2.4.112", bytes);
}

/// RLE.
pub fn rle(bytes: &[u8]) {
    frame("1.2.840.10008.1.2.5", bytes);
}

/// One deflated frame.
pub fn deflated_frame(bytes: &[u8]) {
    frame("1.2.840.10008.1.2.8.1", bytes);
}

/// A stream of MPEG-2, H.264 or HEVC.
pub fn video(bytes: &[u8]) {
    frame("1.2.840.10008.1.2.4.102", bytes);
}

/// A weight file of any format.
pub fn weights(bytes: &[u8]) {
    let _ = checkpoint::read_bytes(bytes, "fuzz");
}

/// Decodes the bytes as the only frame of a loop.
fn frame(transfer_syntax: &'static str, bytes: &[u8]) {
    open_and_decode(Header { transfer_syntax, frames: 1, ..Header::default() }.file(&encapsulated(&[bytes.to_vec()])));
}

fn open_and_decode(file: Vec<u8>) {
    if let Ok(mut opened) = Loop::from_bytes(file) {
        let _ = opened.frame(0);
    }
}
