//! The trait of decoders, so that a program can have them run in other processes.

use std::io::{Read, Seek};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::codec::decode_error::DecodeError;
use crate::codec::decoded_frame::DecodedFrame;
use crate::codec::jpeg_header::is_one_pass_8_bit;
use crate::codec::kind::Codec;
use crate::header::ImageFormat;

/// The facts of a header that a decoder needs beside a frame's bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrameFormat {
    pub(crate) codec: Codec,
    pub(crate) image: ImageFormat,
}

impl FrameFormat {
    /// Returns the largest number of bytes that a decoded frame can have: three samples of two bytes a pixel.
    pub fn max_decoded_bytes(&self) -> usize {
        self.image.pixels() * 6
    }

    /// Returns whether this frame's decoder is safe Rust whose time and memory follow from the size of the image.
    ///
    /// RLE, deflate and JPEG of one pass are; the time of other JPEG grows with the number of its scans.
    pub fn has_bounded_decoder(&self, bytes: &[u8]) -> bool {
        match self.codec {
            Codec::Native | Codec::Rle | Codec::DeflatedFrame => true,
            Codec::Jpeg => is_one_pass_8_bit(bytes),
            Codec::Jpeg2000 | Codec::JpegXl | Codec::Video => false,
        }
    }
}

/// The stream of a video, which decoders read forward and seek in.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// Decodes compressed frames.
pub trait FrameDecoder: std::fmt::Debug + Send + Sync {
    /// Decodes one frame, in `limit` at most where the decoder can be stopped.
    ///
    /// # Errors
    /// The bytes are damaged, or the decoder itself failed.
    fn frame(&self, format: &FrameFormat, bytes: &[u8], limit: Duration) -> Result<DecodedFrame, DecodeError>;

    /// Returns a decoder of the video stream that `stream` reads; nothing is read yet.
    fn video(&self, format: &FrameFormat, stream: Box<dyn ReadSeek>) -> Box<dyn VideoDecoder>;
}

/// Decodes the pictures of one video stream; asked for pictures in ascending order it decodes each once.
pub trait VideoDecoder: Send {
    /// Counts the pictures of the stream without decoding them.
    ///
    /// # Errors
    /// The stream is damaged, or the decoder itself failed.
    fn count(&mut self, limit: Duration) -> Result<u32, DecodeError>;

    /// Decodes picture `index`, counted from 0.
    ///
    /// # Errors
    /// The stream is damaged or ends before, or the decoder itself failed.
    fn frame(&mut self, index: u32, limit: Duration) -> Result<DecodedFrame, DecodeError>;
}
