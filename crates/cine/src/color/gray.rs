//! MONOCHROME1 and MONOCHROME2 to RGB8, with rescale and window for samples of more than 8 bits (PS3.3 C.11.1, C.11.2).

use dicom_dictionary_std::tags;

use crate::header::{ImageFormat, Photometric};
use crate::scan::DataSet;

/// Conversion of stored gray samples to 8-bit gray.
#[derive(Debug, Clone)]
pub(crate) struct GrayScale {
    is_inverted: bool,
    is_signed: bool,
    bits_stored: u16,
    slope: f64,
    intercept: f64,
    /// The rescaled values that become black and white.
    black: f64,
    white: f64,
    /// Black of a frame without negative samples, where the header says nothing and black is the lowest signed sample.
    black_without_negatives: Option<f64>,
}

impl GrayScale {
    /// Reads rescale and window. Without a window, the stated pixel value range is used, else all stored bits.
    pub(crate) fn read(data_set: &DataSet, format: &ImageFormat) -> Self {
        let slope = data_set.decimal(tags::RESCALE_SLOPE).filter(|slope| *slope != 0.0).unwrap_or(1.0);
        let intercept = data_set.decimal(tags::RESCALE_INTERCEPT).unwrap_or(0.0);
        let stated = stated_range(data_set, format);
        let (lowest, highest) = stated.unwrap_or_else(|| possible_range(format));
        let ends = [lowest * slope + intercept, highest * slope + intercept];
        let window = data_set.decimal(tags::WINDOW_CENTER).zip(data_set.decimal(tags::WINDOW_WIDTH));
        let (black, white) = match window {
            // The linear function of C.11.2.1.2.1 reaches black and white at these values.
            Some((center, width)) if width > 1.0 => {
                (center - 0.5 - (width - 1.0) / 2.0, center - 0.5 + (width - 1.0) / 2.0)
            }
            _ => (ends[0].min(ends[1]), ends[0].max(ends[1])),
        };
        Self {
            is_inverted: format.photometric == Photometric::Monochrome1,
            is_signed: format.is_signed,
            bits_stored: format.bits_stored,
            slope,
            intercept,
            black,
            white,
            black_without_negatives: (format.is_signed && slope > 0.0 && window.is_none() && stated.is_none())
                .then_some(intercept),
        }
    }

    /// Gray samples of 1 or 2 bytes to RGB8. 8-bit samples are shown as they are: every scanner writes them for
    /// display.
    pub(crate) fn to_rgb(&self, samples: &[u8], bytes_per_sample: u16) -> Vec<u8> {
        let repeat = |level: u8| {
            let shown = if self.is_inverted { 255 - level } else { level };
            [shown; 3]
        };
        if bytes_per_sample == 1 {
            return samples.iter().flat_map(|sample| repeat(*sample)).collect();
        }
        let (words, _) = samples.as_chunks::<2>();
        let stored = || words.iter().map(|word| self.stored(u16::from_le_bytes(*word)));
        let black = match self.black_without_negatives {
            // Echoes are not negative; a screen of signed samples has its black at 0, or at the lowest where it uses all.
            Some(black) if stored().all(|sample| sample >= 0.0) => black,
            _ => self.black,
        };
        stored().flat_map(|sample| repeat(self.level(sample, black))).collect()
    }

    fn stored(&self, word: u16) -> f64 {
        // Bits above those stored may hold overlays; sign bits above them are repeated.
        let unused_bits = 16 - u32::from(self.bits_stored.clamp(1, 16));
        if self.is_signed {
            f64::from((word << unused_bits).cast_signed() >> unused_bits)
        } else {
            f64::from((word << unused_bits) >> unused_bits)
        }
    }

    fn level(&self, stored: f64, black: f64) -> u8 {
        let value = stored * self.slope + self.intercept;
        let fraction = (value - black) / (self.white - black).max(f64::MIN_POSITIVE);
        (fraction * 255.0).round().clamp(0.0, 255.0) as u8
    }
}

/// Returns the lowest and the highest stored value, where the header states them.
fn stated_range(data_set: &DataSet, format: &ImageFormat) -> Option<(f64, f64)> {
    let as_stored = |word: u16| if format.is_signed { f64::from(word.cast_signed()) } else { f64::from(word) };
    let smallest = data_set.u16(tags::SMALLEST_IMAGE_PIXEL_VALUE).map(as_stored);
    let largest = data_set.u16(tags::LARGEST_IMAGE_PIXEL_VALUE).map(as_stored);
    smallest.zip(largest).filter(|(smallest, largest)| smallest < largest)
}

/// Returns the lowest and the highest value that the stored bits can hold.
fn possible_range(format: &ImageFormat) -> (f64, f64) {
    let levels = 2_f64.powi(i32::from(format.bits_stored));
    if format.is_signed { (-levels / 2.0, levels / 2.0 - 1.0) } else { (0.0, levels - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::GrayScale;

    const TWELVE_BITS: GrayScale = GrayScale {
        is_inverted: false,
        is_signed: true,
        bits_stored: 12,
        slope: 1.0,
        intercept: -1024.0,
        black: -100.0,
        white: 155.0,
        black_without_negatives: None,
    };

    #[test]
    fn window_and_rescale_apply_to_wide_samples() {
        // 1024 - 1024 = 0 stands 100 levels above black.
        assert_eq!(TWELVE_BITS.to_rgb(&1024_u16.to_le_bytes(), 2), [100; 3]);
        // The sign of a 12-bit sample is its bit 11, whatever stands above.
        assert_eq!(TWELVE_BITS.to_rgb(&0x0FFF_u16.to_le_bytes(), 2), [0; 3]);
    }

    #[test]
    fn monochrome1_is_inverted_and_8_bit_is_shown_as_it_is() {
        let inverted = GrayScale { is_inverted: true, ..TWELVE_BITS };
        assert_eq!(inverted.to_rgb(&[0, 200], 1), [255, 255, 255, 55, 55, 55]);
    }
}
