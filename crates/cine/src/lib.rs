//! Reads echo loops from DICOM: headers, timing, regions, mode and single frames.
//!
//! [`Loop::open`] reads headers only; [`Loop::frame`] reads and decodes one frame and nothing else. A damaged file
//! gives what it can together with [`Finding`]s, or a named [`CineError`]; nothing panics.

mod codec;
mod color;
mod completeness;
mod ecg_header;
mod error;
mod frame_store;
mod frames;
mod header;
mod mode;
mod mode_in_pixels;
mod open;
mod patient;
mod pixel_data;
mod pixel_digest;
mod recordings;
mod regions;
mod scan;
mod sector;
mod strip;
mod timing;

pub use codec::{
    DecodeError, DecodedFrame, DecoderFailure, FrameDecoder, FrameFormat, InProcessDecoder, ReadSeek, VideoDecoder,
    set_frame_decoder,
};
pub use completeness::{Completeness, completeness};
pub use ecg_header::EcgHeader;
pub use error::CineError;
pub use header::{Header, InstanceUids};
pub use open::{Loop, StoredFrame};
pub use patient::{ReportHeader, patient_pseudonym, report_header};
pub use pixel_digest::{data_set_sha256, pixel_sha256, pixel_sha256_of};
pub use regions::{Region, RegionKind};
pub use scan::ReadAt;
pub use sector::{PictureOrientation, footprint_share, picture_orientation};
pub use strip::{STRIP_FEATURES, StripPart, strip_parts};
pub use timing::{FrameTiming, TimingSource};
