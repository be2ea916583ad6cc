//! Opening a loop and reaching its frames.

use std::path::Path;

use crate::error::CineError;
use crate::finding::Finding;
use crate::header::Header;
use crate::mode::Mode;
use crate::regions::PixelBox;

/// One decoded frame, RGB8, row major, `pixels.len() == width * height * 3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbFrame {
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
    /// `[height, width, 3]` samples.
    pub pixels: Vec<u8>,
}

/// One frame as stored, decompressed but before any colour conversion: `[rows, columns, samples]`, little endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFrame {
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
    /// Samples per pixel, interleaved.
    pub samples_per_pixel: u16,
    /// Bytes per sample: 1 or 2.
    pub bytes_per_sample: u16,
    /// The samples.
    pub data: Vec<u8>,
}

/// An open loop: its header is read, its frames are read one by one when asked for.
#[derive(Debug)]
pub struct Loop {
    header: Header,
    findings: Vec<Finding>,
}

impl Loop {
    /// Opens the file at `path`, reading headers only.
    pub fn open(path: &Path) -> Result<Self, CineError> {
        let _ = path;
        Err(CineError::NotDicom { reason: "reading is not built yet".into() })
    }

    /// The header facts.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What was odd so far; reading frames may add to it.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Decodes frame `index` (from 0) to RGB8, reading only that frame's bytes.
    pub fn frame(&mut self, index: u32) -> Result<RgbFrame, CineError> {
        Err(CineError::FrameOutOfRange { index, frames: 0 })
    }

    /// The box of the ultrasound image: from the regions, else found in the pixels of a few frames.
    pub fn sector(&mut self) -> Option<PixelBox> {
        None
    }

    /// What the loop shows and why we think so: from headers, else from the pixels of one frame.
    pub fn mode(&mut self) -> (Mode, String) {
        (Mode::Other, "reading is not built yet".into())
    }
}
