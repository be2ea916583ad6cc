//! The codecs of dicom-rs, each shown an object that holds one frame and nothing else.

use std::borrow::Cow;

use dicom_core::value::C;
use dicom_dictionary_std::uids;
use dicom_encoding::TransferSyntaxIndex;
use dicom_encoding::adapters::{PixelDataObject, RawPixelData};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use crate::codec::containment::contain;
use crate::codec::decoded_frame::{DecodedFrame, SampleColor, one_component_color};
use crate::codec::jpeg_2000_header::Jpeg2000Header;
use crate::codec::jpeg_header::JpegHeader;
use crate::frames::from_planes;
use crate::header::{ImageFormat, Photometric};

/// Encoders write up to some dozens of quality layers; the decoder's time grows with their number, whatever is in them.
const MAX_JPEG_2000_LAYERS: u16 = 256;

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

/// Returns the error and its causes in one line.
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
    check_rle(bytes, format)?;
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

/// Refuses RLE that announces other segments than the frame has, or that expands to more than the frame: the decoder
/// allocates as the stream says (PS3.5 annex G).
fn check_rle(bytes: &[u8], format: &ImageFormat) -> Result<(), String> {
    const MAX_SEGMENTS: usize = 15;
    let words: Vec<u32> = bytes
        .get(..64)
        .ok_or("its RLE header is cut")?
        .as_chunks()
        .0
        .iter()
        .map(|word| u32::from_le_bytes(*word))
        .collect();
    let expected = usize::from(format.samples_per_pixel) * format.bytes_per_sample();
    let [count, offsets @ ..] = words.as_slice() else { return Err("its RLE header is cut".into()) };
    if *count as usize != expected || expected > MAX_SEGMENTS {
        return Err(format!("it has {count} RLE segments, a frame has {expected}"));
    }
    let offsets = &offsets[..expected];
    for (number, &start) in offsets.iter().enumerate() {
        let end = offsets.get(number + 1).map_or(bytes.len(), |next| *next as usize);
        let segment = bytes.get(start as usize..end).ok_or(format!("RLE segment {number} lies outside the frame"))?;
        // A run or a literal may go beyond the end by less than its own length.
        if expanded_length(segment) > format.pixels() + 128 {
            return Err(format!("RLE segment {number} expands to more than the frame"));
        }
    }
    Ok(())
}

/// Returns the number of bytes that a PackBits segment expands to.
fn expanded_length(segment: &[u8]) -> usize {
    let mut length = 0;
    let mut rest = segment;
    while let [control, behind @ ..] = rest {
        let control = control.cast_signed();
        let (stored, expanded) = match control {
            0.. => (control as usize + 1, control as usize + 1),
            -128 => (0, 0),
            _ => (1, usize::from(control.unsigned_abs()) + 1),
        };
        length += expanded;
        rest = behind.get(stored..).unwrap_or_default();
    }
    length
}

/// Refuses a JPEG XL image of another size than the header's before any of it is decoded.
fn check_jpeg_xl_size(bytes: &[u8], format: &ImageFormat) -> Result<(), String> {
    let (width, height) = contain(|| {
        let mut image = jxl_oxide::JxlImage::builder().build_uninit();
        image.feed_bytes(bytes).map_err(|error| error.to_string())?;
        match image.try_init().map_err(|error| error.to_string())? {
            jxl_oxide::InitializeResult::Initialized(image) => Ok((image.width(), image.height())),
            jxl_oxide::InitializeResult::NeedMoreData(_) => Err("its JPEG XL header is cut".to_owned()),
        }
    })?;
    if (height, width) == (format.rows, format.columns) {
        return Ok(());
    }
    Err(format!("the JPEG XL image is {width} x {height}, the header says {} x {}", format.columns, format.rows))
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
    if header.layers > MAX_JPEG_2000_LAYERS {
        return Err(format!("{} quality layers are more than the {MAX_JPEG_2000_LAYERS} that are read", header.layers));
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
    check_jpeg_xl_size(bytes, format)?;
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

/// Returns the meaning of the samples of a codec without color conversion, also where the header disagrees on their
/// number.
fn lossless_color(samples_per_pixel: u16, photometric: Photometric) -> SampleColor {
    match (samples_per_pixel, photometric.samples()) {
        (1, _) => one_component_color(photometric),
        (_, 1) => SampleColor::Rgb,
        _ => SampleColor::unconverted(photometric),
    }
}
