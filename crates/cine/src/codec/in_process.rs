//! Decoding by the calling thread.

use std::time::Duration;

use crate::codec::decode_error::DecodeError;
use crate::codec::decoded_frame::DecodedFrame;
use crate::codec::frame_decoder::ReadSeek;
use crate::codec::frame_decoder::{FrameDecoder, FrameFormat, VideoDecoder};
use crate::codec::kind::Codec;
use crate::codec::video::VideoStream;
use crate::codec::{deflated_frame, jpeg, registry};

/// Decodes frames by the calling thread, which nothing can stop: time limits are not kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcessDecoder;

impl FrameDecoder for InProcessDecoder {
    fn frame(&self, format: &FrameFormat, bytes: &[u8], _limit: Duration) -> Result<DecodedFrame, DecodeError> {
        let image = &format.image;
        let decoded = match format.codec {
            Codec::DeflatedFrame => deflated_frame::decode(bytes, image),
            Codec::Jpeg => jpeg::decode(bytes, image),
            Codec::Jpeg2000 => registry::decode_jpeg_2000(bytes, image),
            Codec::JpegXl => registry::decode_jpeg_xl(bytes, image),
            Codec::Rle => registry::decode_rle(bytes, image),
            Codec::Native | Codec::Video => Err("the frame's compression is unknown".into()),
        };
        decoded.map_err(DecodeError::Corrupt)
    }

    fn video(&self, format: &FrameFormat, stream: Box<dyn ReadSeek>) -> Box<dyn VideoDecoder> {
        Box::new(VideoStream::new(format.clone(), stream))
    }
}
