//! From stored samples to RGB8.

mod grey;
mod palette;
mod ybr;

pub(crate) use grey::GreyScale;
pub(crate) use palette::Palette;

use crate::codec::{DecodedFrame, SampleColour};

/// What conversion to RGB needs from the header.
#[derive(Debug, Clone)]
pub(crate) struct ColourTables {
    /// The palette of PALETTE COLOR images.
    pub palette: Option<Palette>,
    /// The grey scale of MONOCHROME images.
    pub grey: GreyScale,
}

/// Converts one frame's samples, `[rows, columns, samples]`, to RGB8, `[rows, columns, 3]`.
pub(crate) fn to_rgb(frame: DecodedFrame, tables: &ColourTables) -> Vec<u8> {
    match (frame.colour, &tables.palette) {
        (SampleColour::PaletteIndex, Some(palette)) => palette.to_rgb(&frame.data, frame.bytes_per_sample),
        (SampleColour::Grey | SampleColour::PaletteIndex, _) => tables.grey.to_rgb(&frame.data, frame.bytes_per_sample),
        (SampleColour::Rgb, _) => eight_bit(frame),
        (SampleColour::YbrFull, _) => ybr::full_to_rgb(eight_bit(frame)),
        (SampleColour::YbrPartial, _) => ybr::partial_to_rgb(eight_bit(frame), ybr::BT_601),
        (SampleColour::YbrPartial709, _) => ybr::partial_to_rgb(eight_bit(frame), ybr::BT_709),
    }
}

/// The samples at 8 bits: of 16-bit colour the high byte.
fn eight_bit(frame: DecodedFrame) -> Vec<u8> {
    if frame.bytes_per_sample == 1 {
        return frame.data;
    }
    let (words, _) = frame.data.as_chunks::<2>();
    words.iter().map(|[_, high]| *high).collect()
}
