//! From stored samples to RGB8.

mod gray;
mod palette;
mod ybr;

pub(crate) use gray::GrayScale;
pub(crate) use palette::Palette;

use crate::codec::{DecodedFrame, SampleColor};

/// Header facts for the conversion to RGB.
#[derive(Debug, Clone)]
pub(crate) struct ColorTables {
    /// The palette of PALETTE COLOR images.
    pub palette: Option<Palette>,
    /// The gray scale of MONOCHROME images.
    pub gray: GrayScale,
    /// Number of bits of a 16-bit color sample that are used.
    pub bits_stored: u16,
}

/// Converts one frame's samples, `[rows, columns, samples]`, to RGB8, `[rows, columns, 3]`.
pub(crate) fn to_rgb(frame: DecodedFrame, tables: &ColorTables) -> Vec<u8> {
    match (frame.color, &tables.palette) {
        (SampleColor::PaletteIndex, Some(palette)) => palette.to_rgb(&frame.data, frame.bytes_per_sample),
        (SampleColor::Gray | SampleColor::PaletteIndex, _) => tables.gray.to_rgb(&frame.data, frame.bytes_per_sample),
        (SampleColor::Rgb, _) => eight_bit(frame, tables.bits_stored),
        (SampleColor::YbrFull, _) => ybr::full_to_rgb(eight_bit(frame, tables.bits_stored)),
        (SampleColor::YbrPartial, _) => ybr::partial_to_rgb(eight_bit(frame, tables.bits_stored), ybr::BT_601),
        (SampleColor::YbrPartial709, _) => ybr::partial_to_rgb(eight_bit(frame, tables.bits_stored), ybr::BT_709),
    }
}

/// Returns the samples at 8 bits: of 16-bit color the highest eight of the stored bits.
fn eight_bit(frame: DecodedFrame, bits_stored: u16) -> Vec<u8> {
    if frame.bytes_per_sample == 1 {
        return frame.data;
    }
    let (words, _) = frame.data.as_chunks::<2>();
    let unused_bits = 16_u16.saturating_sub(bits_stored.max(8));
    words.iter().map(|word| ((u16::from_le_bytes(*word) << unused_bits) >> 8) as u8).collect()
}
