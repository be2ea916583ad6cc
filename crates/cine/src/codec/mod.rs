//! Decompressing one frame. Every decoder sees one frame's bytes only, is checked before and after, and may not panic.

mod containment;
mod deflated_frame;
mod huffman_tables;
mod jpeg;
mod jpeg_2000_header;
mod jpeg_header;
mod registry;
#[cfg_attr(not(feature = "video"), path = "video_absent.rs")]
mod video;

pub(crate) use video::VideoFrames;

use dicom_dictionary_std::uids;

use crate::frames::{Codestream, codestream_of};
use crate::header::{ImageFormat, Photometric};

/// Meaning of decoded samples, before conversion to RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleColor {
    /// One sample: gray.
    Gray,
    /// One sample: index into the palette.
    PaletteIndex,
    /// Three samples: red, green, blue.
    Rgb,
    /// Three samples: Y, Cb, Cr over the full range (PS3.3 C.7.6.3.1.2, YBR_FULL).
    YbrFull,
    /// Three samples: Y, Cb, Cr over the studio range (YBR_PARTIAL, ITU-R BT.601).
    YbrPartial,
    /// The same with the coefficients of ITU-R BT.709, as high-definition video has them.
    #[cfg_attr(not(feature = "video"), expect(dead_code, reason = "only video streams say so"))]
    YbrPartial709,
}

impl SampleColor {
    /// Returns the meaning of samples that no codec has converted.
    pub(crate) fn unconverted(photometric: Photometric) -> Self {
        match photometric {
            Photometric::Monochrome1 | Photometric::Monochrome2 => Self::Gray,
            Photometric::PaletteColor => Self::PaletteIndex,
            Photometric::Rgb => Self::Rgb,
            Photometric::YbrFull | Photometric::YbrFull422 => Self::YbrFull,
            Photometric::YbrPartial422 | Photometric::YbrPartial420 => Self::YbrPartial,
            // These two name the transform of the codestream, which the codec undoes.
            Photometric::YbrIct | Photometric::YbrRct => Self::Rgb,
        }
    }
}

/// The samples of one frame: interleaved, little endian, `[rows, columns, samples]`.
#[derive(Debug, Clone)]
pub(crate) struct DecodedFrame {
    pub data: Vec<u8>,
    pub samples_per_pixel: u16,
    pub bytes_per_sample: u16,
    pub color: SampleColor,
    /// Damage that a lenient decoder passed over; the pixels behind it may be wrong.
    pub damage: Option<String>,
}

/// Compression of the frames of a transfer syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Plain samples.
    Native,
    /// JPEG of any process and JPEG-LS: the codestream says which.
    Jpeg,
    Jpeg2000,
    JpegXl,
    Rle,
    DeflatedFrame,
    /// MPEG-2, H.264 or HEVC.
    Video,
}

/// Returns the codec of a transfer syntax (PS3.5 annex A); nothing where nobody here knows it.
pub(crate) fn codec_of(transfer_syntax: &str) -> Option<Codec> {
    Some(match transfer_syntax {
        ""
        | uids::IMPLICIT_VR_LITTLE_ENDIAN
        | uids::EXPLICIT_VR_LITTLE_ENDIAN
        | "1.2.840.10008.1.2.2"
        | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
        | "1.2.840.10008.1.2.1.98" => Codec::Native,
        "1.2.840.10008.1.2.4.50"
        | "1.2.840.10008.1.2.4.51"
        | "1.2.840.10008.1.2.4.57"
        | "1.2.840.10008.1.2.4.70"
        | "1.2.840.10008.1.2.4.80"
        | "1.2.840.10008.1.2.4.81" => Codec::Jpeg,
        "1.2.840.10008.1.2.4.90"
        | "1.2.840.10008.1.2.4.91"
        | "1.2.840.10008.1.2.4.92"
        | "1.2.840.10008.1.2.4.93"
        | "1.2.840.10008.1.2.4.201"
        | "1.2.840.10008.1.2.4.202"
        | "1.2.840.10008.1.2.4.203" => Codec::Jpeg2000,
        "1.2.840.10008.1.2.4.110" | "1.2.840.10008.1.2.4.111" | "1.2.840.10008.1.2.4.112" => Codec::JpegXl,
        "1.2.840.10008.1.2.5" => Codec::Rle,
        "1.2.840.10008.1.2.8.1" => Codec::DeflatedFrame,
        _ => return video_codec(transfer_syntax),
    })
}

fn video_codec(transfer_syntax: &str) -> Option<Codec> {
    let video = transfer_syntax.strip_prefix("1.2.840.10008.1.2.4.")?;
    // Each MPEG-2 and H.264 syntax has a fragmentable twin that ends in `.1`.
    let base = video.strip_suffix(".1").unwrap_or(video);
    ["100", "101", "102", "103", "104", "105", "106", "107", "108"].contains(&base).then_some(Codec::Video)
}

/// Decodes the bytes of one encapsulated frame; the error is what the decoder said.
pub(crate) fn decode_frame(codec: Codec, bytes: &[u8], format: &ImageFormat) -> Result<DecodedFrame, String> {
    let decoded = match codec {
        Codec::DeflatedFrame => deflated_frame::decode(bytes, format)?,
        Codec::Jpeg => jpeg::decode(bytes, format)?,
        Codec::Jpeg2000 => registry::decode_jpeg_2000(bytes, format)?,
        Codec::JpegXl => registry::decode_jpeg_xl(bytes, format)?,
        Codec::Rle => registry::decode_rle(bytes, format)?,
        Codec::Native | Codec::Video => return Err("the frame's compression is unknown".into()),
    };
    let samples = format.pixels() * usize::from(decoded.samples_per_pixel);
    let expected = samples * usize::from(decoded.bytes_per_sample);
    if decoded.data.len() == expected {
        Ok(decoded)
    } else {
        Err(format!("it decodes to {} bytes instead of {expected}", decoded.data.len()))
    }
}

/// Returns the codec that a frame's first bytes show.
pub(crate) fn codec_of_bytes(bytes: &[u8]) -> Option<Codec> {
    codestream_of(bytes).map(|codestream| match codestream {
        Codestream::Jpeg => Codec::Jpeg,
        Codestream::Jpeg2000 => Codec::Jpeg2000,
        Codestream::JpegXl => Codec::JpegXl,
        Codestream::Rle => Codec::Rle,
    })
}
