//! The samples of a frame as a codec gives them.

use crate::header::Photometric;

/// Meaning of decoded samples, before conversion to RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    #[cfg_attr(not(feature = "video"), expect(dead_code, reason = "only video streams say so"))]
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
#[derive(Debug, Clone)]
pub(crate) struct DecodedFrame {
    pub data: Vec<u8>,
    pub samples_per_pixel: u16,
    pub bytes_per_sample: u16,
    pub color: SampleColor,
    /// Damage that a lenient decoder passed over; the pixels behind it may be wrong.
    pub damage: Option<String>,
}

/// Returns the meaning of a single component: gray or an index, also where the header announces three.
pub(crate) fn one_component_color(photometric: Photometric) -> SampleColor {
    if photometric == Photometric::PaletteColor { SampleColor::PaletteIndex } else { SampleColor::Gray }
}
