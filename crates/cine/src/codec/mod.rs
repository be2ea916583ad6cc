//! Decompressing one frame. Every decoder sees one frame's bytes only, is checked before and after, and may not panic.

mod budget;
mod containment;
mod current;
mod decode_error;
mod decoded_frame;
mod deflated_frame;
mod frame_decoder;
mod huffman_tables;
mod in_process;
mod jpeg;
mod jpeg_2000_header;
mod jpeg_header;
mod kind;
mod registry;
#[cfg_attr(not(feature = "video"), path = "video_absent.rs")]
mod video;

pub(crate) use budget::DecodingBudget;
pub(crate) use current::frame_decoder;
pub use current::set_frame_decoder;
pub use decode_error::{DecodeError, DecoderFailure};
pub use decoded_frame::DecodedFrame;
pub(crate) use decoded_frame::SampleColor;
pub use frame_decoder::{FrameDecoder, FrameFormat, ReadSeek, VideoDecoder};
pub use in_process::InProcessDecoder;
pub(crate) use jpeg::is_displayable as is_displayable_jpeg;
pub(crate) use kind::{Codec, codec_of};
