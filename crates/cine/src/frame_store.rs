//! The frames of a loop, by the way they are stored.

use dicom_dictionary_std::tags;

use crate::codec::{
    Codec, DecodedFrame, DecodingBudget, FrameFormat, SampleColor, VideoDecoder, frame_decoder, is_displayable_jpeg,
};
use crate::error::CineError;
use crate::frames::{
    Extent, ExtentReader, FrameIndex, NativeFrames, WordOrder, basic_offset_table, in_true_order, read_extents,
    walk_fragments,
};
use crate::header::ImageFormat;
use crate::scan::{DataSet, PixelLocation, Source};
use domain::{Finding, FindingCode};

/// Store of the frames' bytes, by the way they are stored.
pub(crate) enum FrameStore {
    Native { frames: NativeFrames, words: WordOrder },
    Encapsulated { index: FrameIndex, codec: Codec },
    Video { stream: Box<dyn VideoDecoder>, count: u32 },
}

impl std::fmt::Debug for FrameStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "FrameStore({} frames)", self.count())
    }
}

impl FrameStore {
    pub(crate) fn locate(
        source: &Source,
        pixels: PixelLocation,
        codec: Codec,
        data_set: &DataSet,
        format: &ImageFormat,
        declared: Option<u32>,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, CineError> {
        match pixels {
            PixelLocation::Native { offset, length, has_swapped_bytes } => Ok(Self::Native {
                frames: NativeFrames::locate(source, offset, length, format, declared, findings)?,
                words: match (data_set.is_big_endian(), format.bits_allocated) {
                    (true, 16) => WordOrder::BigEndian,
                    (true, _) if has_swapped_bytes => WordOrder::SwappedBytes,
                    _ => WordOrder::AsStored,
                },
            }),
            PixelLocation::Bare { offset, length } => {
                let extent = Extent { offset, length };
                Ok(Self::Encapsulated {
                    index: FrameIndex::from_bare_codestream(source, extent, declared, findings)?,
                    codec,
                })
            }
            PixelLocation::Encapsulated { offset, end } => {
                if codec == Codec::Native {
                    let message = "the pixel data is compressed although the transfer syntax says it is not";
                    findings.push(Finding::new(FindingCode::TransferSyntaxDisagreesWithPixels, message));
                }
                let extended_table = data_set.u64s(tags::EXTENDED_OFFSET_TABLE);
                Ok(Self::Encapsulated {
                    index: FrameIndex::build(source, offset, end, declared, extended_table, findings)?,
                    codec,
                })
            }
        }
    }

    /// Returns a video stream: all fragments together, however many there are.
    pub(crate) fn video(
        source: &Source,
        pixels: PixelLocation,
        format: &ImageFormat,
        declared: Option<u32>,
        budget: &mut DecodingBudget,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, CineError> {
        let PixelLocation::Encapsulated { offset, end } = pixels else {
            return Err(CineError::InvalidImage { reason: "video pixel data is not encapsulated".into() });
        };
        let (_, first_item) = basic_offset_table(source, offset)?;
        let fragments = walk_fragments(source, first_item, end)?;
        if let Some(finding) = fragments.end.finding() {
            findings.push(finding);
        }
        let reader = ExtentReader::new(source.clone(), fragments.extents);
        let format = FrameFormat { codec: Codec::Video, image: format.clone() };
        let mut stream = frame_decoder().video(&format, Box::new(reader));
        // A stream whose pictures cannot be counted has at least the one whose decoding names the fault.
        let count = declared.or_else(|| budget.picture(|limit| stream.count(limit)).ok()).unwrap_or(1);
        Ok(Self::Video { stream, count })
    }

    /// Decodes frame `index`, which exists.
    pub(crate) fn decoded(
        &mut self,
        index: u32,
        source: &Source,
        format: &ImageFormat,
        budget: &mut DecodingBudget,
        findings: &mut Vec<Finding>,
    ) -> Result<DecodedFrame, CineError> {
        match self {
            Self::Native { frames, words } => {
                let stored = frames.read(source, index, *words)?;
                let (data, contradiction) = in_true_order(stored, format, frames.layout());
                contradiction.into_iter().for_each(|finding| report_once(findings, finding));
                Ok(DecodedFrame {
                    data,
                    samples_per_pixel: format.samples_per_pixel,
                    bytes_per_sample: format.bits_allocated / 8,
                    color: SampleColor::unconverted(format.photometric),
                    damage: None,
                })
            }
            Self::Video { stream, .. } => budget
                .picture(|limit| stream.frame(index, limit))
                .map_err(|error| CineError::from_decoder(index, error)),
            Self::Encapsulated { index: frame_index, codec } => {
                let extents = frame_index.extents(source, index, findings)?;
                let bytes = read_extents(source, &extents)?;
                let codec = codec.or_of_bytes(&bytes);
                let format = FrameFormat { codec, image: format.clone() };
                let decoded = budget
                    .frame(|limit| frame_decoder().frame(&format, &bytes, limit))
                    .map_err(|error| CineError::from_decoder(index, error))?;
                if let Some(damage) = &decoded.damage {
                    let message = format!("frame {index}: {damage}");
                    report_once(findings, Finding::new(FindingCode::FrameDamaged, message));
                }
                Ok(decoded)
            }
        }
    }

    /// Returns the bytes of frame `index`, which exists, where they are a JPEG that any program shows right.
    pub(crate) fn displayable_jpeg(
        &mut self,
        index: u32,
        source: &Source,
        format: &ImageFormat,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Vec<u8>>, CineError> {
        let Self::Encapsulated { index: frame_index, codec } = self else { return Ok(None) };
        if !matches!(codec, Codec::Jpeg | Codec::Native) {
            return Ok(None);
        }
        let bytes = read_extents(source, &frame_index.extents(source, index, findings)?)?;
        Ok((codec.or_of_bytes(&bytes) == Codec::Jpeg && is_displayable_jpeg(&bytes, format)).then_some(bytes))
    }

    /// Returns what [`FrameFormat::has_bounded_decoder`] says of the first frame; true where it cannot be read.
    pub(crate) fn has_bounded_decoder(
        &mut self,
        source: &Source,
        format: &ImageFormat,
        findings: &mut Vec<Finding>,
    ) -> bool {
        match self {
            Self::Native { .. } => true,
            Self::Video { .. } => false,
            Self::Encapsulated { index, codec } => {
                let bytes = index.extents(source, 0, findings).and_then(|extents| read_extents(source, &extents));
                bytes.map_or(true, |bytes| {
                    let format = FrameFormat { codec: codec.or_of_bytes(&bytes), image: format.clone() };
                    format.has_bounded_decoder(&bytes)
                })
            }
        }
    }

    pub(crate) fn count(&self) -> u32 {
        match self {
            Self::Native { frames, .. } => frames.frames(),
            Self::Encapsulated { index, .. } => index.frames(),
            Self::Video { count, .. } => *count,
        }
    }
}

/// Adds a finding unless it is there already, as when a frame is decoded twice.
fn report_once(findings: &mut Vec<Finding>, finding: Finding) {
    if !findings.contains(&finding) {
        findings.push(finding);
    }
}
