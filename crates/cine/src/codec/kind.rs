//! The codecs, and which one a transfer syntax or a codestream asks for.

use dicom_dictionary_std::uids;
use serde::{Deserialize, Serialize};

use crate::frames::{Codestream, codestream_of};

/// Compression of the frames of a transfer syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

impl Codec {
    /// Returns the codec of a frame: what its bytes show, where the transfer syntax says that they are plain samples.
    pub(crate) fn or_of_bytes(self, bytes: &[u8]) -> Self {
        match self {
            Self::Native => codec_of_bytes(bytes).unwrap_or(Self::Native),
            stated => stated,
        }
    }
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

/// Returns the codec that a frame's first bytes show.
fn codec_of_bytes(bytes: &[u8]) -> Option<Codec> {
    codestream_of(bytes).map(|codestream| match codestream {
        Codestream::Jpeg => Codec::Jpeg,
        Codestream::Jpeg2000 => Codec::Jpeg2000,
        Codestream::JpegXl => Codec::JpegXl,
        Codestream::Rle => Codec::Rle,
    })
}
