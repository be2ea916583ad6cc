//! Opening a loop and reaching its frames.

use std::path::{Path, PathBuf};

use dicom_dictionary_std::tags;

use crate::codec::{Codec, DecodedFrame, DecodingBudget, codec_of};
use crate::color::{ColorTables, GrayScale, Palette, to_rgb};
use crate::error::CineError;
use crate::frame_store::FrameStore;
use crate::header::{Header, HeaderParts, ImageFormat, MAX_FRAMES, Photometric, declared_frames};
use crate::mode::mode_from_header;
use crate::mode_in_pixels::mode_from_frames;
use crate::pixel_data::resolve_location;
use crate::regions::Region;
use crate::scan::{
    DataSet, FileStart, PixelLocation, ReadAt, Scan, Source, find_data_set, inflated, open_file, scan_data_set,
};
use crate::sector::{sector_from_pixels, sector_from_regions};
use domain::{Finding, FindingCode, Mode, PixelRect, RgbImage};

/// Frames that must show a strip where the header does not name one.
const FRAMES_FOR_STRIP: usize = 2;

/// One frame as stored, decompressed but before any color conversion: `[rows, columns, samples]`, little endian.
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
///
/// ```no_run
/// use cine::Loop;
///
/// let mut opened = Loop::open("loop.dcm".as_ref())?;
/// let middle = opened.header().frames / 2;
/// let frame = opened.frame(middle)?;
/// println!("{} x {} pixels", frame.width(), frame.height());
/// for finding in opened.findings() {
///     println!("{}: {}", finding.code, finding.message);
/// }
/// # Ok::<(), cine::CineError>(())
/// ```
#[derive(Debug)]
pub struct Loop {
    /// The file, where it was opened by its path.
    path: Option<PathBuf>,
    header: Header,
    findings: Vec<Finding>,
    source: Source,
    format: ImageFormat,
    colors: ColorTables,
    frames: FrameStore,
    budget: DecodingBudget,
    /// The sector, once it was looked for.
    sector: Option<Option<PixelRect>>,
}

/// A file's data set walked up to its pixel data.
pub(crate) struct OpenedDataSet {
    /// The file as it is.
    pub file: Source,
    /// Holder of the data set: the file, or its inflated form.
    pub source: Source,
    /// The file meta group.
    pub meta: DataSet,
    pub transfer_syntax: String,
    /// True if the file begins as PS3.10 section 7.1 says.
    pub has_dicm_mark: bool,
    pub scan: Scan,
}

/// Opens the file at `path` and walks its data set up to the pixel data.
pub(crate) fn open_data_set(path: &Path, findings: &mut Vec<Finding>) -> Result<OpenedDataSet, CineError> {
    OpenedDataSet::from_source(Source::new(open_file(path)?)?, findings)
}

impl OpenedDataSet {
    pub(crate) fn from_source(file: Source, findings: &mut Vec<Finding>) -> Result<Self, CineError> {
        let start = find_data_set(&file, findings)?;
        let (source, offset) = if start.deflated {
            let (inflated, damage) = inflated(&file, start.data_set_offset)?;
            if let Some(damage) = damage {
                findings.push(Finding::new(FindingCode::DeflateDamaged, damage.to_string()));
            }
            (inflated, 0)
        } else {
            (file.clone(), start.data_set_offset)
        };
        let mut scan = scan_data_set(&source, offset, start.encoding, findings);
        scan.pixels = resolve_location(&source, &scan, &start.transfer_syntax, findings)?;
        let FileStart { meta, transfer_syntax, has_dicm_mark, .. } = start;
        Ok(Self { file, source, meta, transfer_syntax, has_dicm_mark, scan })
    }
}

impl Loop {
    /// Opens the file at `path`, reading headers only.
    ///
    /// # Errors
    /// The file cannot be read, is no DICOM, holds no image, or holds one that cannot be decoded here.
    pub fn open(path: &Path) -> Result<Self, CineError> {
        Ok(Self { path: Some(path.to_owned()), ..Self::from_bytes(open_file(path)?)? })
    }

    /// Opens a loop whose bytes lie anywhere, reading headers only.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(bytes: impl ReadAt + 'static) -> Result<Self, CineError> {
        let mut findings = Vec::new();
        let opened = OpenedDataSet::from_source(Source::new(bytes)?, &mut findings)?;
        let OpenedDataSet { file, source, meta, transfer_syntax, scan, .. } = opened;
        let no_pixel_data =
            || CineError::NoPixelData { sop_class_uid: scan.data_set.text(tags::SOP_CLASS_UID).unwrap_or_default() };
        let Some(pixels) = scan.pixels else {
            return Err(scan.stopped_by.unwrap_or_else(no_pixel_data));
        };
        if matches!(pixels, PixelLocation::Native { length: 0, .. }) {
            return Err(no_pixel_data());
        }
        let codec = codec_of(&transfer_syntax)
            .ok_or_else(|| CineError::UnsupportedTransferSyntax { uid: transfer_syntax.chars().take(64).collect() })?;
        let format = ImageFormat::read(&scan.data_set, &mut findings)?;
        let declared = declared_frames(&scan.data_set, &mut findings);
        let mut budget = DecodingBudget::new();
        let frames = if codec == Codec::Video {
            FrameStore::video(&source, pixels, &format, declared, &mut budget, &mut findings)?
        } else {
            FrameStore::locate(&source, pixels, codec, &scan.data_set, &format, declared, &mut findings)?
        };
        if frames.count() > MAX_FRAMES {
            let (bytes, limit) = (u64::from(frames.count()), u64::from(MAX_FRAMES));
            return Err(CineError::TooLarge { what: "the list of frames", bytes, limit });
        }
        let parts = HeaderParts {
            data_set: &scan.data_set,
            meta: &meta,
            source: &file,
            transfer_syntax: &transfer_syntax,
            format: &format,
            frames: frames.count(),
        };
        let header = Header::read(&parts, &mut findings)?;
        let colors = ColorTables {
            palette: Palette::read(&scan.data_set, format.is_signed),
            gray: GrayScale::read(&scan.data_set, &format),
            bits_stored: format.bits_stored,
        };
        if format.photometric == Photometric::PaletteColor && colors.palette.is_none() {
            findings.push(Finding::new(
                FindingCode::PaletteMissing,
                "the palette is missing; its indices are shown as gray",
            ));
        }
        Ok(Self { path: None, header, findings, source, format, colors, frames, budget, sector: None })
    }

    /// Returns the header facts.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the file, where the loop was opened by its path.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the findings so far; reading frames may add to them.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the failure of a decoder, if one has failed: no frame is decoded after it, also for whoever passes over frames
    /// that cannot be decoded.
    ///
    /// # Errors
    /// [`CineError::Decoder`] after such a failure.
    pub fn check_decoder(&self) -> Result<(), CineError> {
        self.budget.failure().map_or(Ok(()), |failure| Err(failure.clone().into()))
    }

    /// Decodes frame `index` (from 0) to RGB8, reading only that frame's bytes.
    ///
    /// # Errors
    /// There is no such frame, its bytes cannot be read, or they cannot be decoded.
    pub fn frame(&mut self, index: u32) -> Result<RgbImage, CineError> {
        let pixels = to_rgb(self.decoded(index)?, &self.colors);
        RgbImage::new(self.header.columns, self.header.rows, pixels)
            .map_err(|mismatch| CineError::CorruptFrame { index, reason: mismatch.to_string() })
    }

    /// Decodes frame `index` (from 0) without converting its colors, for audits and lossless comparisons.
    ///
    /// # Errors
    /// As [`Self::frame`].
    pub fn stored_frame(&mut self, index: u32) -> Result<StoredFrame, CineError> {
        let decoded = self.decoded(index)?;
        Ok(StoredFrame {
            width: self.header.columns,
            height: self.header.rows,
            samples_per_pixel: decoded.samples_per_pixel,
            bytes_per_sample: decoded.bytes_per_sample,
            data: decoded.data,
        })
    }

    /// Returns the stored bytes of frame `index` (from 0), where they are a JPEG that any program shows with the colors of
    /// [`Self::frame`]; nothing is decoded.
    ///
    /// # Errors
    /// There is no such frame, or its bytes cannot be read.
    pub fn displayable_jpeg(&mut self, index: u32) -> Result<Option<Vec<u8>>, CineError> {
        if index >= self.header.frames {
            return Err(CineError::FrameOutOfRange { index, frames: self.header.frames });
        }
        self.frames.displayable_jpeg(index, &self.source, &self.format, &mut self.findings)
    }

    /// Returns what [`crate::FrameFormat::has_bounded_decoder`] says of the first frame, without decoding it.
    pub fn has_bounded_decoder(&mut self) -> bool {
        self.frames.has_bounded_decoder(&self.source, &self.format, &mut self.findings)
    }

    /// Returns the box of the ultrasound image: from the regions, else found in the pixels of at most three frames.
    ///
    /// Nothing where there is none. The answer is found once and kept.
    pub fn sector(&mut self) -> Option<PixelRect> {
        if let Some(known) = self.sector {
            return known;
        }
        let (columns, rows) = (self.header.columns, self.header.rows);
        let found = sector_from_regions(&self.header.regions, columns, rows).or_else(|| {
            let last = self.header.frames.saturating_sub(1);
            let mut indexes = vec![0, last / 3, last * 2 / 3];
            indexes.dedup();
            let frames: Vec<RgbImage> = indexes.into_iter().filter_map(|index| self.frame(index).ok()).collect();
            sector_from_pixels(&frames)
        });
        self.sector = Some(found);
        found
    }

    /// Returns what the loop shows and why: from headers, else from the pixels of at most two frames.
    ///
    /// # Errors
    /// Only the pixels can tell, and no frame can be decoded.
    pub fn mode(&mut self) -> Result<(Mode, String), CineError> {
        if let Some(told) = mode_from_header(&self.header) {
            return Ok(told);
        }
        let sector = self.sector();
        let frames = self.header.frames;
        // A header that has regions would name that of a strip.
        let may_be_strip = !self.header.regions.iter().any(Region::is_image);
        let needed = if may_be_strip { FRAMES_FOR_STRIP } else { 1 };
        // The middle frame, where a beat is under way; others where that one is damaged.
        let (mut first_error, mut read) = (None, Vec::new());
        let mut indexes = vec![frames / 2, 0, frames.saturating_sub(1), frames / 4, frames / 4 * 3];
        indexes.truncate(if frames == 1 { 1 } else { 5 });
        for index in indexes {
            match self.frame(index) {
                Ok(frame) => read.push(frame),
                Err(error) => first_error = first_error.or(Some(error)),
            }
            if read.len() == needed {
                break;
            }
        }
        mode_from_frames(&read, sector, may_be_strip)
            .ok_or_else(|| first_error.unwrap_or(CineError::FrameOutOfRange { index: 0, frames }))
    }

    fn decoded(&mut self, index: u32) -> Result<DecodedFrame, CineError> {
        if index >= self.header.frames {
            return Err(CineError::FrameOutOfRange { index, frames: self.header.frames });
        }
        let decoded = self.frames.decoded(index, &self.source, &self.format, &mut self.budget, &mut self.findings)?;
        decoded.checked(&self.format).map_err(|reason| CineError::CorruptFrame { index, reason })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_loop_may_move_to_another_thread() {
        fn is_send<T: Send>() {}
        is_send::<super::Loop>();
    }
}
