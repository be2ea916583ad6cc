//! Frames of one loop, decoded once and kept while they may be needed again.

use std::collections::BTreeMap;
use std::sync::Arc;

use cine::{CineError, Loop};
use domain::{RgbImage, RgbView};

/// Decodes frames of a loop on demand and keeps the last few, so that the search for the ECG and the model share them.
///
/// Number and bytes of kept frames are bounded: memory grows neither with the length of the loop nor with its image.
pub struct DecodedFrames<'a> {
    source: &'a mut Loop,
    kept: BTreeMap<u32, Arc<RgbImage>>,
    order: Vec<u32>,
    decoded: u32,
}

/// Decoded frames that are kept at most.
const MAX_KEPT_FRAMES: usize = 24;
/// Bytes that they take at most, if there is more than one: 24 frames of 1920 x 1080 fit.
const MAX_KEPT_BYTES: usize = 150 << 20;

impl<'a> DecodedFrames<'a> {
    /// Returns the frames of `source`, none of which is decoded yet.
    pub fn new(source: &'a mut Loop) -> Self {
        Self { source, kept: BTreeMap::new(), order: Vec::new(), decoded: 0 }
    }

    /// Returns the loop.
    pub fn source(&mut self) -> &mut Loop {
        self.source
    }

    /// Returns frame `index`, counted from 0.
    ///
    /// # Errors
    /// There is no such frame, or it cannot be decoded.
    pub fn get(&mut self, index: u32) -> Result<&Arc<RgbImage>, CineError> {
        if !self.kept.contains_key(&index) {
            let frame = self.source.frame(index)?;
            self.decoded += 1;
            let frame_bytes = frame.pixels().len().max(1);
            while self.order.len() >= MAX_KEPT_FRAMES.min(MAX_KEPT_BYTES / frame_bytes).max(1) {
                let oldest = self.order.remove(0);
                self.kept.remove(&oldest);
            }
            self.order.push(index);
            self.kept.insert(index, Arc::new(frame));
        }
        self.kept.get(&index).ok_or(CineError::FrameOutOfRange { index, frames: self.source.header().frames })
    }

    /// Returns the number of frames that were decoded so far.
    pub fn decoded(&self) -> u32 {
        self.decoded
    }
}

impl ecg::trace::FrameSource for DecodedFrames<'_> {
    fn frame_count(&self) -> u32 {
        self.source.header().frames
    }

    fn frame(&mut self, index: u32) -> Option<RgbView<'_>> {
        self.get(index).ok().map(|frame| frame.view())
    }
}
