//! JPEG of every process and JPEG-LS: the codestream decides the decoder, and our own rule the colours.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::codec::containment::contain;
use crate::codec::jpeg_header::JpegHeader;
use crate::codec::{DecodedFrame, SampleColour, registry};
use crate::header::{ImageFormat, Photometric};

const BASELINE: u8 = 0xC0;
const EXTENDED: u8 = 0xC1;
const PROGRESSIVE: u8 = 0xC2;
const LOSSLESS: u8 = 0xC3;
const JPEG_LS: u8 = 0xF7;

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

/// Decodes to the stored components, so that no decoder guesses the colours.
fn decode_8_bit(bytes: &[u8], header: &JpegHeader, format: &ImageFormat) -> Result<DecodedFrame, String> {
    let (samples_per_pixel, as_stored) =
        if header.components.len() == 1 { (1, ColorSpace::Luma) } else { (3, ColorSpace::YCbCr) };
    let data = contain(|| {
        let options = DecoderOptions::default()
            .jpeg_set_out_colorspace(as_stored)
            .set_max_width(format.columns as usize)
            .set_max_height(format.rows as usize);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(|error| error.to_string())?;
        // Asking for what the decoder takes the input for means that nothing is converted.
        // It takes three components with an Adobe transform of 0 for CMYK until it decodes, then for RGB.
        match decoder.input_colorspace() {
            Some(ColorSpace::RGB | ColorSpace::CMYK) if samples_per_pixel == 3 => {
                decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::RGB));
            }
            _ => {}
        }
        decoder.decode().map_err(|error| error.to_string())
    })?;
    Ok(DecodedFrame { data, samples_per_pixel, bytes_per_sample: 1, colour: lossy_colour(header, format.photometric) })
}

/// What the components of a lossy JPEG are: the Adobe marker says, then the JFIF marker, then component ids that are
/// letters, then subsampled chroma (never done to RGB), then the DICOM header.
fn lossy_colour(header: &JpegHeader, photometric: Photometric) -> SampleColour {
    if header.components.len() == 1 {
        return one_component_colour(photometric);
    }
    let ids: Vec<u8> = header.components.iter().map(|component| component.id).collect();
    match header.adobe_transform {
        Some(0) => SampleColour::Rgb,
        Some(_) => SampleColour::YbrFull,
        None if header.has_jfif_marker => SampleColour::YbrFull,
        None if ids == *b"RGB" => SampleColour::Rgb,
        None if header.has_subsampled_chroma() => SampleColour::YbrFull,
        None if photometric == Photometric::Rgb => SampleColour::Rgb,
        None => SampleColour::YbrFull,
    }
}

/// One component is grey or an index, whatever a header says that announces three.
pub(super) fn one_component_colour(photometric: Photometric) -> SampleColour {
    if photometric == Photometric::PaletteColor { SampleColour::PaletteIndex } else { SampleColour::Grey }
}
