//! The color of a trace and how like it a pixel is.

use super::image::Picture;

/// Chroma (largest less smallest channel) from which a pixel counts as colored.
const COLORED_FROM: u8 = 28;
const HUE_BINS: usize = 36;
/// Hues this many bins around a peak belong to it.
const HUE_REACH: usize = 2;
const MAX_HUES: usize = 6;
const FEWEST_PIXELS_OF_A_HUE: u32 = 24;

/// A trace color: a hue, or gray/white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TraceColor {
    pub rgb: [f32; 3],
    /// Unit vector of the color without its gray part; zero for gray.
    direction: [f32; 3],
    /// Length of the color without its gray part.
    chroma: f32,
}

impl TraceColor {
    pub fn from_rgb(rgb: [f32; 3]) -> Self {
        let (_, rest) = split_gray(rgb);
        let chroma = length(rest);
        let gray = chroma < 28.0 || chroma < 0.16 * length(rgb);
        let direction = if gray { [0.0; 3] } else { rest.map(|v| v / chroma) };
        Self { rgb, direction, chroma: if gray { 0.0 } else { chroma } }
    }

    pub fn is_gray(&self) -> bool {
        self.chroma == 0.0
    }

    /// Returns its brightest channel.
    pub fn brightness(&self) -> f32 {
        brightest(self.rgb)
    }

    /// Returns the likeness of a pixel to the trace, 0 (none) to 255 (full).
    ///
    /// A colored trace is recognized by its chroma, so that gray tissue below it does not matter; a gray one by its
    /// brightness. Where chroma is stored at half width a thin upright stroke keeps half of its chroma but all of its
    /// brightness, and its neighbors gain chroma but stay dark: half the chroma counts in full, and only on a bright
    /// pixel.
    pub fn similarity(&self, pixel: [u8; 3]) -> u8 {
        let (gray, rest) = split_gray(pixel.map(f32::from));
        let likeness = if self.is_gray() {
            let own = (self.rgb[0] + self.rgb[1] + self.rgb[2]) / 3.0;
            gray / own - (length(rest) - 20.0).max(0.0) / 60.0
        } else {
            let along = dot(rest, self.direction);
            let across = length([0, 1, 2].map(|i| rest[i] - along * self.direction[i]));
            let hue_misfit = (across - 0.3 * along.max(0.0) - 6.0).max(0.0) / self.chroma;
            let brightness = brightest(pixel.map(f32::from)) / brightest(self.rgb);
            // Tinted tissue has some chroma too: a pale trace must show more of its own.
            let gain = (1.15 + 0.015 * (self.chroma - 40.0)).clamp(1.15, 1.9);
            (gain * along / self.chroma).min(1.0) * (1.2 * brightness).min(1.0) - hue_misfit
        };
        (255.0 * likeness.clamp(0.0, 1.0)) as u8
    }

    /// Returns the picture as likeness to this color, one byte a pixel.
    pub fn plane(&self, picture: &Picture) -> Vec<u8> {
        // Screens are mostly black: a pixel too dark in every channel needs no arithmetic.
        let floor = (0.2 * brightest(self.rgb)) as u8;
        let plane = picture.pixels.iter().map(|pixel| {
            let [r, g, b] = *pixel;
            if r.max(g).max(b) < floor {
                return 0;
            }
            self.similarity(*pixel)
        });
        plane.collect()
    }
}

fn split_gray(rgb: [f32; 3]) -> (f32, [f32; 3]) {
    let gray = (rgb[0] + rgb[1] + rgb[2]) / 3.0;
    (gray, rgb.map(|v| v - gray))
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn length(a: [f32; 3]) -> f32 {
    dot(a, a).sqrt()
}

fn brightest(rgb: [f32; 3]) -> f32 {
    rgb[0].max(rgb[1]).max(rgb[2])
}

fn chroma_of([r, g, b]: [u8; 3]) -> u8 {
    r.max(g).max(b) - r.min(g).min(b)
}

/// Hue as a bin of ten degrees.
fn hue_bin([r, g, b]: [u8; 3]) -> usize {
    let chroma = f32::from(chroma_of([r, g, b])).max(1.0);
    let (rf, gf, bf) = (f32::from(r), f32::from(g), f32::from(b));
    let sixth = if r >= g && r >= b {
        ((gf - bf) / chroma).rem_euclid(6.0)
    } else if g >= b {
        (bf - rf) / chroma + 2.0
    } else {
        (rf - gf) / chroma + 4.0
    };
    ((sixth * 6.0) as usize).min(HUE_BINS - 1)
}

/// Returns the colors that thin colored structures of a picture have, most frequent first. Gray is not among them.
pub(super) fn thin_colors(picture: &Picture) -> Vec<TraceColor> {
    let (width, height) = (picture.width, picture.height);
    let reach = 5;
    if width <= 2 * reach || height <= 2 * reach {
        return Vec::new();
    }
    let chroma: Vec<u8> = picture.pixels.iter().map(|p| chroma_of(*p)).collect();
    let mut counts = [0u32; HUE_BINS];
    // Sum of chroma-weighted colors, so that the well-colored core of a smeared line decides.
    let mut sums = [[0.0f64; 4]; HUE_BINS];
    for y in reach..height - reach {
        for x in reach..width - reach {
            let at = y * width + x;
            let own = chroma[at];
            if own < COLORED_FROM {
                continue;
            }
            let half = own / 2;
            let thin_down = chroma[at - reach * width] < half && chroma[at + reach * width] < half;
            let thin_across = chroma[at - reach] < half && chroma[at + reach] < half;
            if !thin_down && !thin_across {
                continue;
            }
            let pixel = picture.pixels[at];
            let bin = hue_bin(pixel);
            counts[bin] += 1;
            let weight = f64::from(own) * f64::from(own);
            for (sum, value) in sums[bin].iter_mut().zip(pixel) {
                *sum += weight * f64::from(value);
            }
            sums[bin][3] += weight;
        }
    }
    hue_peaks(counts, &sums)
}

fn hue_peaks(mut counts: [u32; HUE_BINS], sums: &[[f64; 4]; HUE_BINS]) -> Vec<TraceColor> {
    let mut colors = Vec::new();
    while colors.len() < MAX_HUES {
        let around = |bin: usize, reach: usize| (0..=2 * reach).map(move |k| (bin + HUE_BINS + k - reach) % HUE_BINS);
        let mass = |bin: usize| around(bin, 1).map(|b| counts[b]).sum::<u32>();
        let Some(peak) = (0..HUE_BINS).max_by_key(|bin| mass(*bin)) else {
            break;
        };
        if mass(peak) < FEWEST_PIXELS_OF_A_HUE {
            break;
        }
        let mut total = [0.0f64; 4];
        for bin in around(peak, 1).filter(|b| counts[*b] > 0) {
            for (sum, value) in total.iter_mut().zip(sums[bin]) {
                *sum += value;
            }
        }
        if total[3] > 0.0 {
            let rgb = [0, 1, 2].map(|i| (total[i] / total[3]) as f32);
            colors.push(TraceColor::from_rgb(rgb));
        }
        for bin in around(peak, HUE_REACH) {
            counts[bin] = 0;
        }
    }
    colors.retain(|color| !color.is_gray());
    colors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colored_trace_is_told_from_tissue_text_and_its_own_smear() {
        let teal = TraceColor::from_rgb([37.0, 163.0, 149.0]);
        assert!(!teal.is_gray());
        assert!(teal.similarity([37, 163, 149]) > 240);
        assert!(teal.similarity([80, 150, 143]) > 130, "an upright stroke with half of its chroma");
        assert!(teal.similarity([0, 40, 36]) < 100, "a dark neighbor");
        for other in [[200, 200, 200], [220, 210, 60], [230, 60, 60], [0, 0, 0]] {
            assert!(teal.similarity(other) < 60, "{other:?}");
        }
    }

    #[test]
    fn a_gray_trace_goes_by_brightness() {
        let white = TraceColor::from_rgb([235.0, 235.0, 235.0]);
        assert!(white.is_gray());
        assert!(white.similarity([230, 235, 235]) > 230);
        assert!(white.similarity([90, 90, 90]) < 110);
        assert!(white.similarity([230, 60, 60]) < 110);
    }
}
