//! Layout and meaning of one frame's samples (PS3.3 C.7.6.3).

use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use crate::error::CineError;
use crate::scan::DataSet;
use domain::{Finding, FindingCode};

/// A frame of more pixels is refused: 4096 x 4096 are twice as many as any scanner's screen has, take 48 MiB in RGB8, and
/// several frames are kept at a time.
const MAX_FRAME_PIXELS: u64 = 1 << 24;

/// Photometric Interpretation (0028,0004): the meaning of a pixel's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Photometric {
    Monochrome1,
    Monochrome2,
    PaletteColor,
    Rgb,
    YbrFull,
    YbrFull422,
    YbrPartial422,
    YbrPartial420,
    YbrIct,
    YbrRct,
}

impl Photometric {
    fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "MONOCHROME1" => Self::Monochrome1,
            "MONOCHROME2" => Self::Monochrome2,
            "PALETTE COLOR" => Self::PaletteColor,
            "RGB" => Self::Rgb,
            "YBR_FULL" => Self::YbrFull,
            "YBR_FULL_422" => Self::YbrFull422,
            "YBR_PARTIAL_422" => Self::YbrPartial422,
            "YBR_PARTIAL_420" => Self::YbrPartial420,
            "YBR_ICT" => Self::YbrIct,
            "YBR_RCT" => Self::YbrRct,
            _ => return None,
        })
    }

    /// Returns the samples per pixel that this interpretation needs.
    pub(crate) fn samples(self) -> u16 {
        match self {
            Self::Monochrome1 | Self::Monochrome2 | Self::PaletteColor => 1,
            _ => 3,
        }
    }
}

/// The layout of one frame as the header states it, with impossible values refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ImageFormat {
    pub rows: u32,
    pub columns: u32,
    pub samples_per_pixel: u16,
    pub bits_allocated: u16,
    pub bits_stored: u16,
    pub is_signed: bool,
    pub is_planar: bool,
    pub photometric: Photometric,
    /// Photometric Interpretation as stored, empty where absent.
    pub photometric_text: String,
}

impl ImageFormat {
    /// Reads the image attributes; refuses sizes and formats that cannot be.
    pub(crate) fn read(data_set: &DataSet, findings: &mut Vec<Finding>) -> Result<Self, CineError> {
        let size = |tag, name: &str| match data_set.u16(tag) {
            Some(pixels) if pixels > 0 => Ok(u32::from(pixels)),
            Some(_) => Err(invalid(format!("{name} is 0"))),
            None => Err(invalid(format!("{name} is absent"))),
        };
        let rows = size(tags::ROWS, "Rows")?;
        let columns = size(tags::COLUMNS, "Columns")?;
        let photometric_text = data_set.text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
        let stated_samples = data_set.u16(tags::SAMPLES_PER_PIXEL);
        let photometric = Photometric::from_text(&photometric_text).unwrap_or_else(|| {
            let message = format!("photometric interpretation {photometric_text:?} is unknown; told from the samples");
            findings.push(Finding::new(FindingCode::PhotometricInterpretationUnknown, message));
            if stated_samples == Some(3) { Photometric::Rgb } else { Photometric::Monochrome2 }
        });
        let photometric = match stated_samples {
            Some(1) if photometric.samples() == 3 => {
                let message = format!("one sample per pixel is called {photometric_text}; it is shown as gray");
                findings.push(Finding::new(FindingCode::SamplesDisagreeWithPhotometricInterpretation, message));
                Photometric::Monochrome2
            }
            _ => photometric,
        };
        let samples_per_pixel = stated_samples.unwrap_or_else(|| photometric.samples());
        if ![1, 3].contains(&samples_per_pixel) {
            return Err(invalid(format!("Samples per Pixel is {samples_per_pixel}")));
        }
        let bits_allocated = data_set.u16(tags::BITS_ALLOCATED).unwrap_or(8);
        if ![8, 16].contains(&bits_allocated) {
            return Err(CineError::UnsupportedPixelFormat { what: format!("{bits_allocated} bits allocated") });
        }
        let bits_stored = data_set.u16(tags::BITS_STORED).filter(|bits| (1..=bits_allocated).contains(bits));
        let format = Self {
            rows,
            columns,
            samples_per_pixel,
            bits_allocated,
            bits_stored: bits_stored.unwrap_or(bits_allocated),
            is_signed: data_set.u16(tags::PIXEL_REPRESENTATION) == Some(1),
            is_planar: samples_per_pixel == 3 && data_set.u16(tags::PLANAR_CONFIGURATION) == Some(1),
            photometric,
            photometric_text,
        };
        let pixels = format.pixels() as u64;
        if pixels > MAX_FRAME_PIXELS {
            let (bytes, limit) = (pixels * 3, MAX_FRAME_PIXELS * 3);
            return Err(CineError::TooLarge { what: "one frame", bytes, limit });
        }
        Ok(format)
    }

    /// Returns the number of pixels.
    pub(crate) fn pixels(&self) -> usize {
        self.rows as usize * self.columns as usize
    }

    /// Returns the bytes per sample: 1 or 2.
    pub(crate) fn bytes_per_sample(&self) -> usize {
        usize::from(self.bits_allocated / 8)
    }

    /// Returns the number of bytes of one frame with every sample present.
    pub(crate) fn interleaved_bytes(&self) -> usize {
        self.pixels() * usize::from(self.samples_per_pixel) * self.bytes_per_sample()
    }
}

fn invalid(reason: String) -> CineError {
    CineError::InvalidImage { reason }
}
