//! Deflated Image Frame Compression: every frame is one deflate stream of native samples (PS3.5 annex A.4.13).

use std::io::Read;

use crate::codec::decoded_frame::{DecodedFrame, SampleColor};
use crate::frames::{interleaved, stored_layout};
use crate::header::ImageFormat;

pub(super) fn decode(bytes: &[u8], format: &ImageFormat) -> Result<DecodedFrame, String> {
    // One byte more than the largest layout tells a stream that is too long, and bounds a deflate bomb.
    let limit = format.interleaved_bytes() as u64 + 1;
    let mut stored = Vec::new();
    flate2::read::DeflateDecoder::new(bytes).take(limit).read_to_end(&mut stored).map_err(|error| error.to_string())?;
    let layout = stored_layout(format, stored.len() as u64, Some(1));
    let needed = layout.frame_bytes(format);
    if stored.len() < needed {
        return Err(format!("it inflates to {} bytes instead of {needed}", stored.len()));
    }
    stored.truncate(needed);
    Ok(DecodedFrame {
        data: interleaved(stored, format, layout),
        samples_per_pixel: format.samples_per_pixel,
        bytes_per_sample: format.bits_allocated / 8,
        color: SampleColor::unconverted(format.photometric),
        damage: None,
    })
}
