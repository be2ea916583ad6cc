//! Stands in for video where the program is built without the cargo feature `video`: a named error, never a lost loop.

use crate::codec::decoded_frame::DecodedFrame;
use crate::error::CineError;
use crate::frames::Extent;
use crate::header::ImageFormat;
use crate::scan::Source;

/// A video stream that this build cannot decode.
#[derive(Debug)]
pub(crate) struct VideoFrames {
    transfer_syntax: String,
}

impl VideoFrames {
    pub(crate) fn new(_source: Source, _extents: Vec<Extent>, transfer_syntax: &str) -> Self {
        Self { transfer_syntax: transfer_syntax.to_owned() }
    }

    pub(crate) fn count(&self) -> Option<u32> {
        None
    }

    pub(crate) fn frame(&mut self, _index: u32, _format: &ImageFormat) -> Result<DecodedFrame, CineError> {
        Err(CineError::VideoNotBuilt { uid: self.transfer_syntax.clone() })
    }
}
