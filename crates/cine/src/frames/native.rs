//! Frames of uncompressed pixel data: found by arithmetic, laid out interleaved.

use crate::error::CineError;
use crate::header::{ImageFormat, Photometric};
use crate::scan::Source;

use super::planes::contradicts_header;
use domain::{Finding, FindingCode};

/// Storage of an uncompressed frame's chroma samples (PS3.3 C.7.6.3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChromaLayout {
    /// Every pixel has all its samples.
    Full,
    /// `Y Y Cb Cr` for two pixels side by side.
    Packed422,
    /// Pairs of rows: `Y Y` of the upper, `Y Y` of the lower row, then `Cb Cr` for the four pixels.
    Packed420,
}

impl ChromaLayout {
    fn from_photometric(photometric: Photometric) -> Self {
        match photometric {
            Photometric::YbrFull422 | Photometric::YbrPartial422 => Self::Packed422,
            Photometric::YbrPartial420 => Self::Packed420,
            _ => Self::Full,
        }
    }

    /// Returns the number of bytes of one frame in this layout.
    pub(crate) fn frame_bytes(self, format: &ImageFormat) -> usize {
        let (rows, columns) = (format.rows as usize, format.columns as usize);
        match self {
            Self::Full => format.interleaved_bytes(),
            Self::Packed422 => rows * columns.next_multiple_of(2) * 2,
            Self::Packed420 => rows.next_multiple_of(2) * columns.next_multiple_of(2) * 3 / 2,
        }
    }
}

/// Order of the bytes of native pixel data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordOrder {
    /// Little endian words, or bytes.
    AsStored,
    /// 16-bit samples, big endian.
    BigEndian,
    /// 8-bit samples in big endian words: each pair of bytes is swapped.
    SwappedBytes,
}

/// Position of the frames of uncompressed pixel data.
#[derive(Debug, Clone)]
pub(crate) struct NativeFrames {
    offset: u64,
    frame_bytes: u64,
    /// From the start of one frame to that of the next.
    stride: u64,
    frames: u32,
    layout: ChromaLayout,
}

impl NativeFrames {
    /// Places the frames in `length` announced bytes at `offset`.
    pub(crate) fn locate(
        source: &Source,
        offset: u64,
        length: u64,
        format: &ImageFormat,
        declared: Option<u32>,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, CineError> {
        let there = length.min(source.len().saturating_sub(offset));
        let layout = stored_layout(format, length, declared);
        let frame_bytes = layout.frame_bytes(format) as u64;
        let whole_frames = u32::try_from(there / frame_bytes.max(1)).unwrap_or(u32::MAX);
        if there < length {
            findings.push(Finding::new(FindingCode::Truncated, "the file ends inside the pixel data"));
        }
        if whole_frames == 0 {
            return Err(CineError::Truncated {
                inside: format!("the first frame, which has {there} of {frame_bytes} bytes"),
            });
        }
        let declared = declared.unwrap_or(whole_frames);
        // Some writers pad each frame to an even length, where the standard pads the whole element (PS3.5 section 8.2).
        let is_padded = declared > 1 && frame_bytes % 2 == 1 && there == u64::from(declared) * (frame_bytes + 1);
        let stride = frame_bytes + u64::from(is_padded);
        if whole_frames < declared {
            let message = format!("{declared} frames are declared, only {whole_frames} are there");
            findings.push(Finding::new(FindingCode::FewerFramesThanDeclared, message));
        } else if stride > frame_bytes {
            findings.push(Finding::new(
                FindingCode::FramesPadded,
                "a pad byte follows each frame, which has an odd length",
            ));
        } else if there.saturating_sub(u64::from(declared) * frame_bytes) > 1 {
            let message = "the pixel data is longer than its frames";
            findings.push(Finding::new(FindingCode::PixelDataTooLong, message));
        }
        Ok(Self { offset, frame_bytes, stride, frames: declared.min(whole_frames), layout })
    }

    /// Returns the number of frames.
    pub(crate) fn frames(&self) -> u32 {
        self.frames
    }

    /// Reads frame `index`, which exists, with its words turned to little endian.
    pub(crate) fn read(&self, source: &Source, index: u32, words: WordOrder) -> Result<Vec<u8>, CineError> {
        let start = u64::from(index) * self.stride;
        match words {
            WordOrder::AsStored => source.read_vec(self.offset + start, self.frame_bytes, "a frame"),
            WordOrder::BigEndian => {
                let bytes = source.read_vec(self.offset + start, self.frame_bytes, "a frame")?;
                Ok(with_swapped_pairs(bytes))
            }
            WordOrder::SwappedBytes => {
                // Words go on across frames, so a frame of odd length begins or ends inside one.
                let before = start % 2;
                let from = self.offset + start - before;
                let end = (self.offset + (start + self.frame_bytes).next_multiple_of(2)).min(source.len());
                let mut bytes = with_swapped_pairs(source.read_vec(from, end.saturating_sub(from), "a frame")?);
                bytes.drain(..before as usize);
                bytes.truncate(self.frame_bytes as usize);
                Ok(bytes)
            }
        }
    }

    /// Storage of the chroma samples.
    pub(crate) fn layout(&self) -> ChromaLayout {
        self.layout
    }
}

fn with_swapped_pairs(mut bytes: Vec<u8>) -> Vec<u8> {
    let (pairs, _) = bytes.as_chunks_mut::<2>();
    pairs.iter_mut().for_each(|pair| pair.reverse());
    bytes
}

/// Returns the layout that the photometric interpretation names, unless the length only fits unpacked samples.
pub(crate) fn stored_layout(format: &ImageFormat, length: u64, declared: Option<u32>) -> ChromaLayout {
    let named = ChromaLayout::from_photometric(format.photometric);
    let full_length = format.interleaved_bytes() as u64 * u64::from(declared.unwrap_or(1));
    let is_unpacked = named != ChromaLayout::Full && length >= full_length && length <= full_length + 1;
    if format.samples_per_pixel != 3 || is_unpacked { ChromaLayout::Full } else { named }
}

/// Turns one stored frame into interleaved samples.
pub(crate) fn interleaved(stored: Vec<u8>, format: &ImageFormat, layout: ChromaLayout) -> Vec<u8> {
    match layout {
        ChromaLayout::Full if format.is_planar => from_planes(&stored, format.bytes_per_sample()),
        ChromaLayout::Full => stored,
        ChromaLayout::Packed422 => from_packed_422(&stored, format.rows as usize, format.columns as usize),
        ChromaLayout::Packed420 => from_packed_420(&stored, format.rows as usize, format.columns as usize),
    }
}

/// Turns one uncompressed frame into interleaved samples, in the order that its pixels show where the header contradicts them.
pub(crate) fn in_true_order(stored: Vec<u8>, format: &ImageFormat, layout: ChromaLayout) -> (Vec<u8>, Option<Finding>) {
    if layout != ChromaLayout::Full || !contradicts_header(&stored, format) {
        return (interleaved(stored, format, layout), None);
    }
    let (said, shown) = if format.is_planar { ("planes", "pixel by pixel") } else { ("pixel by pixel", "planes") };
    let message = format!("the samples stand in another order than the header says: {shown}, not {said}");
    let finding = Finding::new(FindingCode::PlanarConfigurationContradicted, message);
    let format = ImageFormat { is_planar: !format.is_planar, ..format.clone() };
    (interleaved(stored, &format, layout), Some(finding))
}

/// Interleaves the samples of three planes.
pub(crate) fn from_planes(planes: &[u8], bytes_per_sample: usize) -> Vec<u8> {
    let plane_bytes = planes.len() / 3;
    let mut samples = Vec::with_capacity(planes.len());
    for start in (0..plane_bytes).step_by(bytes_per_sample) {
        for plane in 0..3 {
            let at = plane * plane_bytes + start;
            samples.extend_from_slice(planes.get(at..at + bytes_per_sample).unwrap_or_default());
        }
    }
    samples
}

/// `Y Y Cb Cr` to `Y Cb Cr` a pixel, chroma repeated. Shape `[rows, columns, 3]`.
fn from_packed_422(stored: &[u8], rows: usize, columns: usize) -> Vec<u8> {
    let mut samples = Vec::with_capacity(rows * columns * 3);
    let row_bytes = columns.next_multiple_of(2) * 2;
    for row in stored.chunks_exact(row_bytes).take(rows) {
        let (quads, _) = row.as_chunks::<4>();
        let row_samples = quads.iter().flat_map(|[left, right, cb, cr]| [*left, *cb, *cr, *right, *cb, *cr]);
        samples.extend(row_samples.take(columns * 3));
    }
    samples
}

/// Four luma samples and one chroma pair a 2 x 2 block to `Y Cb Cr` a pixel. Shape `[rows, columns, 3]`.
fn from_packed_420(stored: &[u8], rows: usize, columns: usize) -> Vec<u8> {
    let mut samples = vec![0; rows * columns * 3];
    let blocks_across = columns.div_ceil(2);
    let (blocks, _) = stored.as_chunks::<6>();
    for (index, [y00, y01, y10, y11, cb, cr]) in blocks.iter().enumerate() {
        let (top, left) = (index / blocks_across * 2, index % blocks_across * 2);
        for (row, column, luma) in
            [(top, left, y00), (top, left + 1, y01), (top + 1, left, y10), (top + 1, left + 1, y11)]
        {
            let at = (row * columns + column) * 3;
            if row < rows
                && column < columns
                && let Some(pixel) = samples.get_mut(at..at + 3)
            {
                pixel.copy_from_slice(&[*luma, *cb, *cr]);
            }
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::{from_packed_420, from_packed_422, from_planes};

    #[test]
    fn chroma_layouts_unpack() {
        assert_eq!(from_packed_422(&[1, 2, 8, 9], 1, 2), [1, 8, 9, 2, 8, 9]);
        assert_eq!(from_packed_422(&[1, 2, 8, 9], 1, 1), [1, 8, 9], "an odd width drops the second pixel");
        assert_eq!(from_packed_420(&[1, 2, 3, 4, 8, 9], 2, 2), [1, 8, 9, 2, 8, 9, 3, 8, 9, 4, 8, 9]);
        assert_eq!(from_packed_420(&[1, 2, 3, 4, 8, 9], 1, 1), [1, 8, 9]);
        assert_eq!(from_planes(&[1, 2, 3, 4, 5, 6], 1), [1, 3, 5, 2, 4, 6]);
        assert_eq!(from_planes(&[1, 2, 3, 4, 5, 6], 2), [1, 2, 3, 4, 5, 6]);
    }
}
