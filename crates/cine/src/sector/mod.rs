//! The box of the ultrasound image: from the regions, else from the pixels.

mod cells;
mod fan;
mod footprint;
mod orientation;

use crate::regions::Region;
use cells::{CellGrid, Part};
use domain::{PixelRect, RgbImage, RgbView};

pub use orientation::PictureOrientation;

/// A pixel that changes by more than this between two frames moves; compression noise mostly stays below.
const MOVING_LEVELS: u8 = 4;
/// The share of moving pixels that makes a cell part of the image.
const MOVING_SHARE: f64 = 0.1;
/// A pixel brighter than this shows tissue, text or graphics.
const BRIGHT_LEVEL: u8 = 8;
/// The share of bright pixels that makes a cell part of the image, if it has speckle and not one even level.
const BRIGHT_SHARE: f64 = 0.5;
/// Levels between the darkest and the brightest pixel of a cell with speckle.
const SPECKLE_LEVELS: u8 = 6;
/// A sector smaller than this share of the screen is none.
const MIN_SHARE: f64 = 0.04;

/// Returns the largest 2-D region that lies inside the image, else the largest other region with an image in it.
pub(crate) fn sector_from_regions(regions: &[Region], columns: u32, rows: u32) -> Option<PixelRect> {
    let largest = |wanted: &dyn Fn(&Region) -> bool| {
        let usable = regions.iter().filter(|region| wanted(region) && region.fits(columns, rows));
        usable.filter_map(|region| region.pixel_rect(columns, rows)).max_by_key(PixelRect::area)
    };
    let has_2d = regions.iter().any(Region::is_2d);
    // A 2-D region that lies outside the image says nothing; the pixels may.
    if has_2d { largest(&Region::is_2d) } else { largest(&Region::is_image) }
}

/// Returns the box of the largest part of the screen that moves or has speckle, completed to a fan where it is one.
///
/// Tissue at the sides and at depth is often too dark to be distinguished from the screen, so that the part alone may
/// miss a third of the width; that a fan is as wide to the left as to the right shows where it ends. Traces and text
/// are too thin to count.
pub(crate) fn sector_from_pixels(frames: &[RgbImage]) -> Option<PixelRect> {
    let frames: Vec<RgbView<'_>> = frames.iter().map(RgbImage::view).collect();
    let first = frames.first()?;
    let part = image_part(&frames, None)?;
    let found = fan::completed(&part).unwrap_or_else(|| part.corners());
    let found = found.within(first.width(), first.height())?;
    let screen = f64::from(first.width()) * f64::from(first.height());
    (found.area() as f64 >= MIN_SHARE * screen).then_some(found)
}

/// Returns the width of the image near the probe as a share of its greatest width, 0 to 1; `None` where the frames show no
/// image. Only what lies `within` counts.
///
/// The fan of a phased array, which looks between two ribs, starts narrow. Linear arrays, and images that are cut to a
/// rectangle, have nearly 1.
pub fn footprint_share(frames: &[RgbView<'_>], within: Option<PixelRect>) -> Option<f64> {
    Some(footprint::share_of_width(&image_part(frames, within)?, footprint::End::Top))
}

/// Returns how the picture that the frames show is turned. Only what lies `within` counts as the image; the orientation
/// marker stands beside it.
pub fn picture_orientation(frames: &[RgbView<'_>], within: Option<PixelRect>) -> PictureOrientation {
    match (image_part(frames, within), frames.first()) {
        (Some(part), Some(frame)) => orientation::orientation(&part, frame),
        _ => PictureOrientation::default(),
    }
}

/// Returns the cells of the largest part of the screen that moves or has speckle.
fn image_part(frames: &[RgbView<'_>], within: Option<PixelRect>) -> Option<Part> {
    let first = frames.first()?;
    let (width, height) = (first.width() as usize, first.height() as usize);
    let levels = Levels::from_frames(frames);
    let is_set = |least: u8, greatest: u8, moving: f64, bright: f64| {
        moving >= MOVING_SHARE || (bright >= BRIGHT_SHARE && greatest.saturating_sub(least) >= SPECKLE_LEVELS)
    };
    let grid = CellGrid::new(width, height, |pixels| {
        let (mut least, mut greatest, mut moving, mut bright, mut count) = (u8::MAX, 0, 0_u32, 0_u32, 0_u32);
        for pixel in pixels {
            if within.is_some_and(|area| !area.contains((pixel % width) as u32, (pixel / width) as u32)) {
                continue;
            }
            let (low, high) = levels.at(pixel);
            least = least.min(high);
            greatest = greatest.max(high);
            moving += u32::from(high.saturating_sub(low) > MOVING_LEVELS);
            bright += u32::from(high > BRIGHT_LEVEL);
            count += 1;
        }
        let share = |part: u32| f64::from(part) / f64::from(count.max(1));
        is_set(least, greatest, share(moving), share(bright))
    });
    grid.largest_part()
}

/// The darkest and the brightest level of every pixel over some frames.
struct Levels {
    lowest: Vec<u8>,
    highest: Vec<u8>,
}

impl Levels {
    fn from_frames(frames: &[RgbView<'_>]) -> Self {
        let brightest = |pixel: &[u8; 3]| pixel.iter().copied().max().unwrap_or(0);
        let pixels = frames.iter().map(|frame| frame.pixels().len()).min().unwrap_or(0);
        let (mut lowest, mut highest) = (vec![u8::MAX; pixels], vec![0; pixels]);
        for frame in frames {
            let levels = frame.pixels().iter().map(brightest);
            for ((level, low), high) in levels.zip(&mut lowest).zip(&mut highest) {
                *low = level.min(*low);
                *high = level.max(*high);
            }
        }
        Self { lowest, highest }
    }

    fn at(&self, pixel: usize) -> (u8, u8) {
        match (self.lowest.get(pixel), self.highest.get(pixel)) {
            (Some(&low), Some(&high)) => (low, high),
            _ => (0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PixelRect, RgbImage, sector_from_pixels};

    /// Returns a dark screen with still bright text at the top and a block of speckle whose level changes.
    fn screen(block_level: u8) -> RgbImage {
        let (width, height) = (160, 120);
        let mut pixels = vec![0; width * height * 3];
        let mut fill = |x: std::ops::Range<usize>, y: std::ops::Range<usize>, level: u8| {
            for row in y {
                for column in x.clone() {
                    let at = (row * width + column) * 3;
                    pixels[at..at + 3].fill(level + (row * 7 + column * 5) as u8 % 16);
                }
            }
        };
        fill(0..160, 0..8, 200);
        fill(40..120, 24..104, block_level);
        RgbImage::new(width as u32, height as u32, pixels).expect("the size of the drawing")
    }

    /// Returns the share of the boxes' union that both cover.
    fn agreement(a: &PixelRect, b: &PixelRect) -> f64 {
        let both = a.intersection(b).map_or(0, |shared| shared.area());
        both as f64 / (a.area() + b.area() - both) as f64
    }

    #[test]
    fn pixels_find_the_sector_that_the_header_names() {
        // Where the header's box holds the whole screen height around the fan, less of it can be found.
        const LOOPS: [(&str, f64); 3] = [
            ("dicom/cine-echo/acuson_sequoia_a4c_65f_jpeg.dcm", 0.5),
            ("dicom/derived/ge_vivid_e95_a3c_color_27f_jpeg.dcm", 0.5),
            ("dicom/cine-echo/acuson_stress_color_8f_implicit_rgb.dcm", 0.5),
        ];
        let Some(shared) = test_support::shared_data() else { return };
        for (name, least) in LOOPS {
            let mut opened = crate::Loop::open(&shared.join(name)).expect("it opens");
            let named = opened.sector().expect("the header names a sector");
            let last = opened.header().frames - 1;
            let frames: Vec<RgbImage> =
                [0, last / 3, last * 2 / 3].iter().filter_map(|i| opened.frame(*i).ok()).collect();
            let found = sector_from_pixels(&frames).expect("the pixels show a sector");
            let agreement = agreement(&named, &found);
            println!("{name}: header {named:?}, pixels {found:?}, agreement {agreement:.2}");
            assert!(agreement >= least, "{name}: {agreement:.2}");
        }
    }

    #[test]
    fn the_moving_part_is_the_sector() {
        let found = sector_from_pixels(&[screen(40), screen(80)]);
        assert_eq!(found, Some(PixelRect { x0: 40, y0: 24, x1: 119, y1: 103 }));
    }

    /// Returns a fan of speckle with its apex above the screen's middle; its right side is dark, a trace runs below it.
    fn fan_of_speckle(seed: u32) -> RgbImage {
        let (width, height) = (320_usize, 240_usize);
        let mut pixels = vec![0; width * height * 3];
        for y in 0..height {
            for x in 0..width {
                let (across, down) = (x as f64 - 160.0, y as f64 - 10.0);
                let is_fan = across.abs() < down * 0.8 && across.hypot(down) < 190.0;
                let is_dark = across > 40.0;
                let is_trace = (215..219).contains(&y);
                let noise = ((x as u32 * 31 + y as u32 * 17 + seed * 101).wrapping_mul(2_654_435_761) >> 24) as u8;
                let level = if is_trace {
                    noise
                } else if is_fan && !is_dark {
                    30 + noise / 2
                } else {
                    0
                };
                pixels[(y * width + x) * 3..][..3].fill(level);
            }
        }
        RgbImage::new(width as u32, height as u32, pixels).expect("the size of the drawing")
    }

    #[test]
    fn a_fan_with_a_dark_side_is_completed() {
        let found = sector_from_pixels(&[fan_of_speckle(1), fan_of_speckle(2)]).expect("a sector");
        // Half of the width is the radius times the sine of the half angle: 190 * sin(atan(0.8)).
        let truth = PixelRect { x0: 160 - 119, y0: 10, x1: 160 + 119, y1: 200 };
        assert!(agreement(&truth, &found) > 0.85, "{found:?}");
    }

    #[test]
    fn a_still_takes_the_largest_bright_part() {
        assert_eq!(sector_from_pixels(&[screen(80)]), Some(PixelRect { x0: 40, y0: 24, x1: 119, y1: 103 }));
        assert_eq!(sector_from_pixels(&[]), None);
    }
}
