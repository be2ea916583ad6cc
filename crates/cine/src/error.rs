//! Errors of reading a loop or a frame.

use dicom_core::Tag;

use crate::codec::{DecodeError, DecoderFailure};

/// Failure of reading a loop or a frame; the file's path is known to the caller and never repeated here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CineError {
    /// The operating system failed while we were doing something.
    #[error("failed while {doing}")]
    Io {
        /// The action that failed.
        doing: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The bytes are not a DICOM file.
    #[error("not a DICOM file: {reason}")]
    NotDicom {
        /// Content that was found instead.
        reason: String,
    },
    /// The bytes are those of an archive, which may hold DICOM files.
    #[error("a {format} archive, which is not opened: unpack it")]
    Archive {
        /// Name of the format.
        format: &'static str,
    },
    /// The file ends before what it announces.
    #[error("the file ends inside {inside}")]
    Truncated {
        /// The part that was being read.
        inside: String,
    },
    /// The element headers make no sense.
    #[error("corrupt header at {tag}: {reason}")]
    CorruptHeader {
        /// The element that was being read.
        tag: Tag,
        /// The fault.
        reason: String,
    },
    /// The deflated data set cannot be inflated.
    #[error("the deflated data set is damaged after {inflated_bytes} bytes")]
    CorruptDeflate {
        /// Number of bytes before the damage.
        inflated_bytes: u64,
        /// The inflater's error.
        source: std::io::Error,
    },
    /// Sequences are nested deeper than any real object does.
    #[error("sequences are nested deeper than {limit} levels")]
    NestedTooDeeply {
        /// The deepest level we follow.
        limit: usize,
    },
    /// The object is readable but holds no image.
    #[error("the object of SOP class {sop_class_uid:?} has no pixel data")]
    NoPixelData {
        /// The SOP class, empty where it is absent or invalid.
        sop_class_uid: String,
    },
    /// Nobody here can decode this transfer syntax.
    #[error("transfer syntax {uid:?} is not supported")]
    UnsupportedTransferSyntax {
        /// The UID, reduced to printable characters.
        uid: String,
    },
    /// The transfer syntax is video and this program was built without the cargo feature `video`.
    #[error("the loop is a video and this build has no video support")]
    VideoNotBuilt,
    /// Rows, columns or the pixel format are impossible.
    #[error("impossible image: {reason}")]
    InvalidImage {
        /// The attribute and the reason.
        reason: String,
    },
    /// The pixel format is legal but not one we read.
    #[error("unsupported pixel format: {what}")]
    UnsupportedPixelFormat {
        /// The format.
        what: String,
    },
    /// The caller asked for a frame that is not there.
    #[error("frame {index} does not exist, the loop has {frames}")]
    FrameOutOfRange {
        /// The frame asked for, counted from 0.
        index: u32,
        /// Returns the number of frames.
        frames: u32,
    },
    /// One frame cannot be decoded; others may well be.
    #[error("frame {index} cannot be decoded: {reason}")]
    CorruptFrame {
        /// The frame, counted from 0.
        index: u32,
        /// The decoder's message.
        reason: String,
    },
    /// The decoder of a frame did not come to an end by itself; no other frame of the loop is decoded.
    #[error(transparent)]
    Decoder(#[from] DecoderFailure),
    /// Something announces more bytes than we are willing to hold.
    #[error("{what} would take {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// The thing that is too large.
        what: &'static str,
        /// Number of bytes that it announces.
        bytes: u64,
        /// Largest number of bytes allowed.
        limit: u64,
    },
}

impl CineError {
    /// Returns the failure to decode frame `index`.
    pub(crate) fn from_decoder(index: u32, error: DecodeError) -> Self {
        match error {
            DecodeError::Corrupt(reason) => Self::CorruptFrame { index, reason },
            DecodeError::VideoNotBuilt => Self::VideoNotBuilt,
            DecodeError::Decoder(failure) => Self::Decoder(failure),
        }
    }

    /// Returns the stable name of the error for reports, job rows and scripts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::NotDicom { .. } => "not_dicom",
            Self::Archive { .. } => "archive",
            Self::Truncated { .. } => "truncated",
            Self::CorruptHeader { .. } => "corrupt_header",
            Self::CorruptDeflate { .. } => "corrupt_deflate",
            Self::NestedTooDeeply { .. } => "nested_too_deeply",
            Self::NoPixelData { .. } => "no_pixel_data",
            Self::UnsupportedTransferSyntax { .. } => "unsupported_transfer_syntax",
            Self::VideoNotBuilt => "video_not_built",
            Self::InvalidImage { .. } => "invalid_image",
            Self::UnsupportedPixelFormat { .. } => "unsupported_pixel_format",
            Self::FrameOutOfRange { .. } => "frame_out_of_range",
            Self::CorruptFrame { .. } => "corrupt_frame",
            Self::Decoder(failure) => failure.kind(),
            Self::TooLarge { .. } => "too_large",
        }
    }

    /// Returns whether trying again later can help: the disk failed, or the file may still be growing.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Io { .. } | Self::Truncated { .. } => true,
            Self::Decoder(failure) => failure.is_temporary(),
            _ => false,
        }
    }
}
