//! The codecs of dicom-rs, each shown an object that holds one frame and nothing else.

use std::borrow::Cow;

use dicom_core::value::C;
use dicom_dictionary_std::uids;
use dicom_encoding::TransferSyntaxIndex;
use dicom_encoding::adapters::{PixelDataObject, RawPixelData};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use crate::codec::containment::contain;
use crate::codec::jpeg::one_component_color;
use crate::codec::jpeg_2000_header::Jpeg2000Header;
use crate::codec::jpeg_header::JpegHeader;
use crate::codec::{DecodedFrame, SampleColor};
use crate::frames::from_planes;
use crate::header::{ImageFormat, Photometric};

/// One compressed frame with the facts that the codecs ask for, taken from the codestream where it tells them.
struct OneFrame<'a> {
    transfer_syntax: &'static str,
    rows: u32,
    columns: u32,
    samples_per_pixel: u16,
    bits_allocated: u16,
    bits_stored: u16,
    bytes: &'a [u8],
}

impl OneFrame<'_> {
    fn decode(&self) -> Result<Vec<u8>, String> {
        contain(|| {
            let reader = TransferSyntaxRegistry
                .get(self.transfer_syntax)
                .and_then(|syntax| syntax.pixel_data_reader())
                .ok_or("no decoder is built in for it")?;
            let mut samples = Vec::new();
            reader.decode_frame(self, 0, &mut samples).map_err(|error| with_sources(&error))?;
            Ok(samples)
        })
    }
}

/// The error and its causes in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

impl PixelDataObject for OneFrame<'_> {
    fn transfer_syntax_uid(&self) -> &str {
        self.transfer_syntax
    }
    fn rows(&self) -> Option<u16> {
        u16::try_from(self.rows).ok()
    }
    fn cols(&self) -> Option<u16> {
        u16::try_from(self.columns).ok()
    }
    fn samples_per_pixel(&self) -> Option<u16> {
        Some(self.samples_per_pixel)
    }
    fn bits_allocated(&self) -> Option<u16> {
        Some(self.bits_allocated)
    }
    fn bits_stored(&self) -> Option<u16> {
        Some(self.bits_stored)
    }
    fn photometric_interpretation(&self) -> Option<&str> {
        Some(if self.samples_per_pixel == 3 { "RGB" } else { "MONOCHROME2" })
    }
    fn number_of_frames(&self) -> Option<u32> {
        Some(1)
    }
    fn number_of_fragments(&self) -> Option<u32> {
        Some(1)
    }
    fn fragment(&self, fragment: usize) -> Option<Cow<'_, [u8]>> {
        (fragment == 0).then_some(Cow::Borrowed(self.bytes))
    }
    fn offset_table(&self) -> Option<Cow<'_, [u32]>> {
        None
    }
    fn raw_pixel_data(&self) -> Option<RawPixelData> {
        Some(RawPixelData { fragments: C::from_elem(self.bytes.to_vec(), 1), offset_table: C::new() })
    }
}

/// Decodes RLE; the samples come as the photometric interpretation says.
pub(super) fn decode_rle(bytes: &[u8], format: &ImageFormat) -> Result<DecodedFrame, String> {
    let data = OneFrame {
        transfer_syntax: uids::RLE_LOSSLESS,
        rows: format.rows,
        columns: format.columns,
        samples_per_pixel: format.samples_per_pixel,
        bits_allocated: format.bits_allocated,
        bits_stored: format.bits_stored,
        bytes,
    }
    .decode()?;
    Ok(DecodedFrame {
        data,
        samples_per_pixel: format.samples_per_pixel,
        bytes_per_sample: format.bits_allocated / 8,
        color: SampleColor::unconverted(format.photometric),
        damage: None,
    })
}

/// Decodes JPEG lossless, which converts no colors.
pub(super) fn decode_jpeg_lossless(
    bytes: &[u8],
    header: &JpegHeader,
    format: &ImageFormat,
) -> Result<DecodedFrame, String> {
    // The decoder gives 16-bit samples for every precision but 8.
    let bits_allocated = if header.precision_bits == 8 { 8 } else { 16 };
    decode_jpeg_family(uids::JPEG_LOSSLESS_SV1, bits_allocated, bytes, header, format)
}

/// Decodes JPEG-LS, which converts no colors; without interleaving its output is planar.
pub(super) fn decode_jpeg_ls(bytes: &[u8], header: &JpegHeader, format: &ImageFormat) -> Result<DecodedFrame, String> {
    let bits_allocated = if header.precision_bits <= 8 { 8 } else { 16 };
    let mut decoded = decode_jpeg_family(uids::JPEGLS_LOSSLESS, bits_allocated, bytes, header, format)?;
    if header.components.len() == 3 && header.interleave_mode == 0 {
        decoded.data = from_planes(&decoded.data, usize::from(decoded.bytes_per_sample));
    }
    Ok(decoded)
}

fn decode_jpeg_family(
    transfer_syntax: &'static str,
    bits_allocated: u16,
    bytes: &[u8],
    header: &JpegHeader,
    format: &ImageFormat,
) -> Result<DecodedFrame, String> {
    let samples_per_pixel = if header.components.len() == 3 { 3 } else { 1 };
    let data = OneFrame {
        transfer_syntax,
        rows: header.rows,
        columns: header.columns,
        samples_per_pixel,
        bits_allocated,
        bits_stored: u16::from(header.precision_bits),
        bytes,
    }
    .decode()?;
    Ok(DecodedFrame {
        data,
        samples_per_pixel,
        bytes_per_sample: bits_allocated / 8,
        color: lossless_color(samples_per_pixel, format.photometric),
        damage: None,
    })
}

/// Decodes JPEG 2000 and HTJ2K; a color transform of the codestream is undone by the decoder.
pub(super) fn decode_jpeg_2000(bytes: &[u8], format: &ImageFormat) -> Result<DecodedFrame, String> {
    let header = Jpeg2000Header::read(bytes).ok_or("its JPEG 2000 header is damaged")?;
    if (header.rows, header.columns) != (format.rows, format.columns) {
        return Err(format!(
            "the JPEG 2000 image is {} x {}, the header says {} x {}",
            header.columns, header.rows, format.columns, format.rows
        ));
    }
    if ![1, 3].contains(&header.components) || header.precision_bits > 16 {
        let (components, bits) = (header.components, header.precision_bits);
        return Err(format!("{components} components of {bits} bits are not supported"));
    }
    let bits_allocated = if header.precision_bits <= 8 { 8 } else { 16 };
    let data = OneFrame {
        transfer_syntax: uids::JPEG2000,
        rows: header.rows,
        columns: header.columns,
        samples_per_pixel: header.components,
        bits_allocated,
        bits_stored: u16::from(header.precision_bits),
        bytes,
    }
    .decode()?;
    let color = if header.components == 3 && header.has_color_transform {
        SampleColor::Rgb
    } else {
        lossless_color(header.components, format.photometric)
    };
    Ok(DecodedFrame {
        data,
        samples_per_pixel: header.components,
        bytes_per_sample: bits_allocated / 8,
        color,
        damage: None,
    })
}

/// Decodes JPEG XL, whose decoder always gives RGB or gray.
pub(super) fn decode_jpeg_xl(bytes: &[u8], format: &ImageFormat) -> Result<DecodedFrame, String> {
    let data = OneFrame {
        transfer_syntax: "1.2.840.10008.1.2.4.112",
        rows: format.rows,
        columns: format.columns,
        samples_per_pixel: format.samples_per_pixel,
        bits_allocated: format.bits_allocated,
        bits_stored: format.bits_stored,
        bytes,
    }
    .decode()?;
    let color = if format.samples_per_pixel == 3 { SampleColor::Rgb } else { one_component_color(format.photometric) };
    Ok(DecodedFrame {
        data,
        samples_per_pixel: format.samples_per_pixel,
        bytes_per_sample: format.bits_allocated / 8,
        color,
        damage: None,
    })
}

/// What the samples of a codec without color conversion mean, also where the header disagrees on their number.
fn lossless_color(samples_per_pixel: u16, photometric: Photometric) -> SampleColor {
    match (samples_per_pixel, photometric.samples()) {
        (1, _) => one_component_color(photometric),
        (_, 1) => SampleColor::Rgb,
        _ => SampleColor::unconverted(photometric),
    }
}
