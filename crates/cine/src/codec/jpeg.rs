//! JPEG of every process and JPEG-LS: the codestream decides the decoder, and our own rule the colors.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::codec::containment::contain;
use crate::codec::decoded_frame::{DecodedFrame, SampleColor, one_component_color};
use crate::codec::huffman_tables::STANDARD_HUFFMAN_TABLES;
use crate::codec::jpeg_header::{JpegHeader, without_adobe_segments};
use crate::codec::registry;
use crate::header::{ImageFormat, Photometric};

const BASELINE: u8 = 0xC0;
const EXTENDED: u8 = 0xC1;
const PROGRESSIVE: u8 = 0xC2;
const LOSSLESS: u8 = 0xC3;
const JPEG_LS: u8 = 0xF7;
/// So many zero bytes would be hundreds of equal coefficients, which no picture has.
const HOLE_BYTES: usize = 32;

pub(super) fn decode(bytes: &[u8], format: &ImageFormat) -> Result<DecodedFrame, String> {
    let header = JpegHeader::read(bytes)?;
    if (header.rows, header.columns) != (format.rows, format.columns) {
        return Err(format!(
            "the JPEG is {} x {}, the header says {} x {}",
            header.columns, header.rows, format.columns, format.rows
        ));
    }
    if ![1, 3].contains(&header.components.len()) {
        return Err(format!("the JPEG has {} components", header.components.len()));
    }
    match (header.start_of_frame, header.precision_bits) {
        (BASELINE | EXTENDED | PROGRESSIVE, 8) => decode_8_bit(bytes, &header, format),
        (LOSSLESS, _) => registry::decode_jpeg_lossless(bytes, &header, format),
        (JPEG_LS, _) => registry::decode_jpeg_ls(bytes, &header, format),
        (process, bits) => Err(format!("JPEG process {process:#04X} with {bits} bits is not supported")),
    }
}

/// Returns whether any program that shows JPEG files shows a codestream with the colors and the size that
/// [`decode`] gives it: whole, 8 bits, with tables of its own, gray as stored or YCbCr.
pub(crate) fn is_displayable(bytes: &[u8], format: &ImageFormat) -> bool {
    let Ok(header) = JpegHeader::read(bytes) else { return false };
    let is_common = matches!(header.start_of_frame, BASELINE | EXTENDED | PROGRESSIVE) && header.precision_bits == 8;
    let has_colors_of_jfif = match header.components.len() {
        1 => format.photometric == Photometric::Monochrome2,
        3 => lossy_color(&header, format.photometric) == SampleColor::YbrFull,
        _ => false,
    };
    is_common
        && has_colors_of_jfif
        && (header.rows, header.columns) == (format.rows, format.columns)
        && (header.has_huffman_tables || header.start_of_frame == PROGRESSIVE)
        && has_end_mark(bytes)
}

/// Decodes to the stored components, so that no decoder guesses the colors.
///
/// A codestream that a strict decoder refuses is decoded leniently and marked as damaged. One without its end mark is
/// decoded where all of its scan is there, else refused, since a decoder fills what is missing with gray.
fn decode_8_bit(bytes: &[u8], header: &JpegHeader, format: &ImageFormat) -> Result<DecodedFrame, String> {
    let lacks_tables = !header.has_huffman_tables && header.start_of_frame != PROGRESSIVE;
    let tables = if lacks_tables { STANDARD_HUFFMAN_TABLES.as_slice() } else { &[] };
    let plain = without_adobe_segments(bytes, tables);
    let (data, damage) = if has_end_mark(bytes) {
        match decode_components(&plain, header, format, true) {
            Ok(data)
                if header.start_of_frame != PROGRESSIVE && header.zero_bits_are_coefficients && has_hole(bytes) =>
            {
                (data, Some(format!("{HOLE_BYTES} zero bytes in a row stand inside its compressed data")))
            }
            Ok(data) => (data, None),
            Err(damage) => (decode_components(&plain, header, format, false)?, Some(damage)),
        }
    } else {
        let data = decode_without_end_mark(&plain, header, format)?;
        (data, Some("its end-of-image mark is missing".to_owned()))
    };
    let without_tables = lacks_tables.then(|| "it has no Huffman tables; the standard ones were used".to_owned());
    Ok(DecodedFrame {
        data,
        samples_per_pixel: if header.components.len() == 1 { 1 } else { 3 },
        bytes_per_sample: 1,
        color: lossy_color(header, format.photometric),
        damage: damage.or(without_tables),
    })
}

/// Decodes a codestream that ends without its end mark, if its scan is complete.
///
/// Bits behind a complete scan are not looked at. So it is decoded twice, with other bits behind it: where the picture
/// depends on them, a part of the scan is missing.
fn decode_without_end_mark(bytes: &[u8], header: &JpegHeader, format: &ImageFormat) -> Result<Vec<u8>, String> {
    const OTHER_BITS: [[u8; 64]; 2] = [[0x5A; 64], [0xC3; 64]];
    let [first, second] = OTHER_BITS.map(|bits| {
        let completed = [bytes, &bits, &[0xFF, 0xD9]].concat();
        decode_components(&completed, header, format, false)
    });
    let (first, second) = (first?, second?);
    if first == second { Ok(first) } else { Err("the JPEG ends before its end-of-image mark".into()) }
}

/// Returns whether the end-of-image mark stands anywhere behind the first scan; padding or another image may follow it.
fn has_end_mark(bytes: &[u8]) -> bool {
    bytes.windows(2).rev().any(|pair| pair == [0xFF, 0xD9])
}

/// Returns whether a run of zero bytes stands before the last end mark: storage that lost a block leaves one, and
/// decoders turn it into noise without a word.
fn has_hole(bytes: &[u8]) -> bool {
    let end = bytes.windows(2).rposition(|pair| pair == [0xFF, 0xD9]).unwrap_or(0);
    let image = bytes.get(..end).unwrap_or_default();
    image.chunk_by(|a, b| a == b).any(|run| run.len() >= HOLE_BYTES && run.first() == Some(&0))
}

fn decode_components(
    bytes: &[u8],
    header: &JpegHeader,
    format: &ImageFormat,
    is_strict: bool,
) -> Result<Vec<u8>, String> {
    let is_gray = header.components.len() == 1;
    let as_stored = if is_gray { ColorSpace::Luma } else { ColorSpace::YCbCr };
    contain(|| {
        let options = DecoderOptions::default()
            .set_strict_mode(is_strict)
            .jpeg_set_out_colorspace(as_stored)
            .set_max_width(format.columns as usize)
            .set_max_height(format.rows as usize);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(|error| error.to_string())?;
        // Asking for what the decoder takes the input for means that nothing is converted.
        if decoder.input_colorspace() == Some(ColorSpace::RGB) && !is_gray {
            decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::RGB));
        }
        decoder.decode().map_err(|error| error.to_string())
    })
}

/// Determines the meaning of a lossy JPEG's components: the Adobe marker says it, then the JFIF marker, then component
/// ids that are letters, then subsampled chroma (never done to RGB), then the DICOM header.
fn lossy_color(header: &JpegHeader, photometric: Photometric) -> SampleColor {
    if header.components.len() == 1 {
        return one_component_color(photometric);
    }
    let ids: Vec<u8> = header.components.iter().map(|component| component.id).collect();
    match header.adobe_transform {
        Some(0) => SampleColor::Rgb,
        Some(_) => SampleColor::YbrFull,
        None if header.has_jfif_marker => SampleColor::YbrFull,
        None if ids == *b"RGB" => SampleColor::Rgb,
        None if header.has_subsampled_chroma() => SampleColor::YbrFull,
        None if photometric == Photometric::Rgb => SampleColor::Rgb,
        None => SampleColor::YbrFull,
    }
}
