//! The frame index of encapsulated pixel data.

use crate::error::CineError;
use crate::frames::Extent;
use crate::frames::fragments::walk_fragments;
use crate::frames::grouping::group_fragments;
use crate::frames::offset_table::{basic_offset_table, frame_from_table, is_trustworthy};
use crate::scan::Source;
use domain::{Finding, FindingCode};

/// Index of each frame's fragments. Its memory is a few words a frame, never pixel bytes.
#[derive(Debug)]
pub(crate) struct FrameIndex {
    first_item: u64,
    /// End of an element of defined length.
    element_end: Option<u64>,
    declared: Option<u32>,
    frames: u32,
    table: Vec<u64>,
    /// The fragments of every frame, once all item headers had to be walked.
    walked: Option<Vec<Vec<Extent>>>,
}

impl FrameIndex {
    /// Builds the index of the pixel data whose first item is at `offset`, without reading pixel bytes.
    ///
    /// `declared` is Number of Frames where it is a positive number, `extended_table` (7FE0,0001).
    pub(crate) fn build(
        source: &Source,
        offset: u64,
        element_end: Option<u64>,
        declared: Option<u32>,
        extended_table: Vec<u64>,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, CineError> {
        let (basic_table, first_item) = basic_offset_table(source, offset)?;
        let table = if extended_table.is_empty() { basic_table } else { extended_table };
        let mut index = Self { first_item, element_end, declared, frames: declared.unwrap_or(0), table, walked: None };
        let trusted = match declared {
            Some(frames) => is_trustworthy(source, &index.table, first_item, element_end, frames)?,
            None => false,
        };
        if !trusted {
            index.walk(source, findings)?;
        }
        Ok(index)
    }

    /// Returns the index of one codestream that stands without items, or of several behind each other.
    pub(crate) fn from_bare_codestream(
        source: &Source,
        extent: Extent,
        declared: Option<u32>,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, CineError> {
        let mut index = Self {
            first_item: extent.offset,
            element_end: Some(extent.end()),
            declared,
            frames: 0,
            table: Vec::new(),
            walked: None,
        };
        index.keep(group_fragments(source, &[extent], declared, &[], extent.offset)?, findings)?;
        Ok(index)
    }

    /// Returns the number of frames.
    pub(crate) fn frames(&self) -> u32 {
        self.frames
    }

    /// Returns the extents of frame `index`. Where the offset table turns out wrong, all item headers are walked once.
    pub(crate) fn extents(
        &mut self,
        source: &Source,
        index: u32,
        findings: &mut Vec<Finding>,
    ) -> Result<Vec<Extent>, CineError> {
        if self.walked.is_none() {
            if let Some(extents) = frame_from_table(source, &self.table, self.first_item, self.element_end, index)? {
                return Ok(extents);
            }
            findings.push(Finding::new(
                FindingCode::OffsetTableWrong,
                format!("the offset table is wrong at frame {index}"),
            ));
            self.walk(source, findings)?;
        }
        let frame = self.walked.as_ref().and_then(|frames| frames.get(index as usize));
        frame.cloned().ok_or(CineError::FrameOutOfRange { index, frames: self.frames })
    }

    fn walk(&mut self, source: &Source, findings: &mut Vec<Finding>) -> Result<(), CineError> {
        let fragments = walk_fragments(source, self.first_item, self.element_end)?;
        if let Some(finding) = fragments.end.finding() {
            findings.push(finding);
        }
        let frames = group_fragments(source, &fragments.extents, self.declared, &self.table, self.first_item)?;
        self.keep(frames, findings)
    }

    fn keep(&mut self, mut frames: Vec<Vec<Extent>>, findings: &mut Vec<Finding>) -> Result<(), CineError> {
        if frames.is_empty() {
            return Err(CineError::Truncated { inside: "the first frame".into() });
        }
        if let Some(declared) = self.declared
            && declared as usize != frames.len()
        {
            let (code, verb) = if frames.len() < declared as usize {
                (FindingCode::FewerFramesThanDeclared, "only")
            } else {
                (FindingCode::MoreFramesThanDeclared, "as many as")
            };
            let message = format!("{declared} frames are declared, {verb} {} are there", frames.len());
            findings.push(Finding::new(code, message));
            if declared > 1 {
                frames.truncate(declared as usize);
            }
        }
        self.frames = u32::try_from(frames.len()).unwrap_or(u32::MAX);
        self.walked = Some(frames);
        Ok(())
    }
}
