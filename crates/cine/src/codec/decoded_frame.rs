//! The samples of a frame as a codec gives them.

use serde::{Deserialize, Serialize};

use crate::header::{ImageFormat, Photometric};

/// Meaning of decoded samples, before conversion to RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SampleColor {
    /// One sample: gray.
    Gray,
    /// One sample: index into the palette.
    PaletteIndex,
    /// Three samples: red, green, blue.
    Rgb,
    /// Three samples: Y, Cb, Cr over the full range (PS3.3 C.7.6.3.1.2, YBR_FULL).
    YbrFull,
    /// Three samples: Y, Cb, Cr over the studio range (YBR_PARTIAL, ITU-R BT.601).
    YbrPartial,
    /// The same with the coefficients of ITU-R BT.709, as high-definition video has them.
    YbrPartial709,
}

impl SampleColor {
    /// Returns the meaning of samples that no codec has converted.
    pub(crate) fn unconverted(photometric: Photometric) -> Self {
        match photometric {
            Photometric::Monochrome1 | Photometric::Monochrome2 => Self::Gray,
            Photometric::PaletteColor => Self::PaletteIndex,
            Photometric::Rgb => Self::Rgb,
            Photometric::YbrFull | Photometric::YbrFull422 => Self::YbrFull,
            Photometric::YbrPartial422 | Photometric::YbrPartial420 => Self::YbrPartial,
            // These two name the transform of the codestream, which the codec undoes.
            Photometric::YbrIct | Photometric::YbrRct => Self::Rgb,
        }
    }
}

/// The samples of one frame: interleaved, little endian, `[rows, columns, samples]`.
///
/// Its serialized form is without the samples, which are sent beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodedFrame {
    #[serde(skip)]
    pub(crate) data: Vec<u8>,
    pub(crate) samples_per_pixel: u16,
    pub(crate) bytes_per_sample: u16,
    pub(crate) color: SampleColor,
    /// Damage that a lenient decoder passed over; the pixels behind it may be wrong.
    pub(crate) damage: Option<String>,
}

impl DecodedFrame {
    /// Returns the samples.
    pub fn samples(&self) -> &[u8] {
        &self.data
    }

    /// Returns the frame with these samples.
    #[must_use]
    pub fn with_samples(self, data: Vec<u8>) -> Self {
        Self { data, ..self }
    }

    /// Returns the frame if it has as many bytes as its image needs.
    pub(crate) fn checked(self, format: &ImageFormat) -> Result<Self, String> {
        let samples = format.pixels() * usize::from(self.samples_per_pixel);
        let expected = samples * usize::from(self.bytes_per_sample);
        if self.data.len() == expected {
            Ok(self)
        } else {
            Err(format!("it decodes to {} bytes instead of {expected}", self.data.len()))
        }
    }
}

/// Returns the meaning of a single component: gray or an index, also where the header announces three.
pub(crate) fn one_component_color(photometric: Photometric) -> SampleColor {
    if photometric == Photometric::PaletteColor { SampleColor::PaletteIndex } else { SampleColor::Gray }
}
