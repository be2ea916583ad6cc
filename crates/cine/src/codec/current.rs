//! The decoder of this process.

use std::sync::OnceLock;

use crate::codec::frame_decoder::FrameDecoder;
use crate::codec::in_process::InProcessDecoder;

static DECODER: OnceLock<Box<dyn FrameDecoder>> = OnceLock::new();

/// Sets the decoder of all loops of this process; without it, frames are decoded by the calling thread.
///
/// It is one for the whole process, as a logger is, so that nobody who opens a loop can forget to pass it on. Returns
/// false where a decoder is in use already.
pub fn set_frame_decoder(decoder: Box<dyn FrameDecoder>) -> bool {
    DECODER.set(decoder).is_ok()
}

/// Returns the decoder of this process.
pub(crate) fn frame_decoder() -> &'static dyn FrameDecoder {
    DECODER.get_or_init(|| Box::new(InProcessDecoder)).as_ref()
}
