//! Stands in for video where the program is built without the cargo feature `video`: a named error, never a lost loop.

use std::time::Duration;

use crate::codec::decode_error::DecodeError;
use crate::codec::decoded_frame::DecodedFrame;
use crate::codec::frame_decoder::ReadSeek;
use crate::codec::frame_decoder::{FrameFormat, VideoDecoder};

/// A video stream that this build cannot decode.
pub(crate) struct VideoStream;

impl VideoStream {
    pub(crate) fn new(_format: FrameFormat, _stream: Box<dyn ReadSeek>) -> Self {
        Self
    }
}

impl VideoDecoder for VideoStream {
    fn count(&mut self, _limit: Duration) -> Result<u32, DecodeError> {
        Err(DecodeError::VideoNotBuilt)
    }

    fn frame(&mut self, _index: u32, _limit: Duration) -> Result<DecodedFrame, DecodeError> {
        Err(DecodeError::VideoNotBuilt)
    }
}
