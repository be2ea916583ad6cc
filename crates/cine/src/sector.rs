//! The box of the ultrasound image: from the regions, else from the pixels.

use crate::open::RgbFrame;
use crate::regions::{PixelBox, Region};

/// Side of the cells that the image is judged in, in pixels.
const CELL_PIXELS: u32 = 8;
/// A pixel that changes by more than this between two frames moves; compression noise stays below.
const MOVING_LEVELS: u8 = 8;
/// A pixel brighter than this shows tissue, text or graphics.
const BRIGHT_LEVEL: u8 = 20;
/// The share of moving or bright pixels that makes a cell part of the image.
const MOVING_SHARE: f64 = 0.06;
const BRIGHT_SHARE: f64 = 0.3;
/// A sector smaller than this share of the screen is none.
const SMALLEST_SHARE: f64 = 0.04;

/// The largest 2-D region that lies inside the image, else the largest other region with an image in it.
pub(crate) fn sector_from_regions(regions: &[Region], columns: u32, rows: u32) -> Option<PixelBox> {
    let largest = |wanted: &dyn Fn(&Region) -> bool| {
        let usable = regions.iter().filter(|region| wanted(region) && region.fits(columns, rows));
        usable.filter_map(|region| region.pixel_box(columns, rows)).max_by_key(PixelBox::area)
    };
    let has_2d = regions.iter().any(Region::is_2d);
    // A 2-D region that lies outside the image says nothing; the pixels may.
    if has_2d { largest(&Region::is_2d) } else { largest(&Region::is_image) }
}

/// The largest connected part of the screen that moves from frame to frame; in a still, that is bright.
///
/// Text, scales and logos stand still, so they drop out of loops; in stills they are small or thin.
pub(crate) fn sector_from_pixels(frames: &[RgbFrame]) -> Option<PixelBox> {
    let moving = cells(frames, MOVING_SHARE, &|frames, at| {
        let levels = frames.iter().filter_map(|frame| brightest_of(frame, at));
        let (low, high) = levels.fold((u8::MAX, 0), |(low, high), level| (low.min(level), high.max(level)));
        high.saturating_sub(low) > MOVING_LEVELS
    });
    let found = if frames.len() > 1 { moving.and_then(|grid| grid.largest_part()) } else { None };
    found.or_else(|| {
        let first = frames.get(..1)?;
        let is_bright = |frames: &[RgbFrame], at| {
            frames.iter().filter_map(|frame| brightest_of(frame, at)).any(|level| level > BRIGHT_LEVEL)
        };
        cells(first, BRIGHT_SHARE, &is_bright)?.largest_part()
    })
}

fn brightest_of(frame: &RgbFrame, pixel: usize) -> Option<u8> {
    frame.pixels.get(pixel * 3..pixel * 3 + 3)?.iter().copied().max()
}

/// Which cells of the screen belong to the image.
struct CellGrid {
    columns: usize,
    is_set: Vec<bool>,
    image_width: u32,
    image_height: u32,
}

/// Sets the cells in which more than `share` of the pixels fulfil `is_active`, given the frames and a pixel's index.
fn cells(frames: &[RgbFrame], share: f64, is_active: &dyn Fn(&[RgbFrame], usize) -> bool) -> Option<CellGrid> {
    let first = frames.first()?;
    let (width, height) = (first.width, first.height);
    let (columns, rows) = (width.div_ceil(CELL_PIXELS) as usize, height.div_ceil(CELL_PIXELS) as usize);
    let mut active = vec![0_u32; columns * rows];
    for y in 0..height {
        for x in 0..width {
            let cell = (y / CELL_PIXELS) as usize * columns + (x / CELL_PIXELS) as usize;
            let is_counted = is_active(frames, y as usize * width as usize + x as usize);
            if let Some(count) = active.get_mut(cell).filter(|_| is_counted) {
                *count += 1;
            }
        }
    }
    let enough = share * f64::from(CELL_PIXELS * CELL_PIXELS);
    let is_set = active.into_iter().map(|count| f64::from(count) >= enough).collect();
    Some(CellGrid { columns, is_set, image_width: width, image_height: height })
}

impl CellGrid {
    /// The box of the largest part of cells that touch at a side or a corner.
    fn largest_part(mut self) -> Option<PixelBox> {
        let mut largest: Option<(usize, [usize; 4])> = None;
        for start in 0..self.is_set.len() {
            if let Some((cells, corners)) = self.take_part(start)
                && largest.is_none_or(|(most, _)| cells > most)
            {
                largest = Some((cells, corners));
            }
        }
        let (_, [left, top, right, bottom]) = largest?;
        let pixel = |cell: usize| u32::try_from(cell).unwrap_or(0) * CELL_PIXELS;
        let found = PixelBox {
            x0: pixel(left),
            y0: pixel(top),
            x1: (pixel(right) + CELL_PIXELS - 1).min(self.image_width - 1),
            y1: (pixel(bottom) + CELL_PIXELS - 1).min(self.image_height - 1),
        };
        let screen = f64::from(self.image_width) * f64::from(self.image_height);
        (found.area() as f64 >= SMALLEST_SHARE * screen).then_some(found)
    }

    /// Clears the part that holds `start`; gives its number of cells and its corners, in cells.
    fn take_part(&mut self, start: usize) -> Option<(usize, [usize; 4])> {
        let mut waiting = Vec::new();
        self.take_cell(start, &mut waiting);
        let mut corners = [usize::MAX, usize::MAX, 0, 0];
        let mut count = 0;
        while let Some(cell) = waiting.pop() {
            let (x, y) = (cell % self.columns, cell / self.columns);
            count += 1;
            corners = [corners[0].min(x), corners[1].min(y), corners[2].max(x), corners[3].max(y)];
            for neighbour_y in y.saturating_sub(1)..=y + 1 {
                for neighbour_x in x.saturating_sub(1)..=(x + 1).min(self.columns - 1) {
                    self.take_cell(neighbour_y * self.columns + neighbour_x, &mut waiting);
                }
            }
        }
        (count > 0).then_some((count, corners))
    }

    fn take_cell(&mut self, cell: usize, waiting: &mut Vec<usize>) {
        if let Some(is_set) = self.is_set.get_mut(cell).filter(|is_set| **is_set) {
            *is_set = false;
            waiting.push(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PixelBox, RgbFrame, sector_from_pixels};

    /// A dark screen with still bright text at the top and a block whose level changes.
    fn screen(block_level: u8) -> RgbFrame {
        let (width, height) = (160, 120);
        let mut pixels = vec![0; width * height * 3];
        let mut fill = |x: std::ops::Range<usize>, y: std::ops::Range<usize>, level: u8| {
            for row in y {
                for column in x.clone() {
                    let at = (row * width + column) * 3;
                    pixels[at..at + 3].fill(level);
                }
            }
        };
        fill(0..160, 0..8, 200);
        fill(40..120, 24..104, block_level);
        RgbFrame { width: width as u32, height: height as u32, pixels }
    }

    /// Share of the boxes' union that both cover.
    fn agreement(a: &PixelBox, b: &PixelBox) -> f64 {
        let common = |a0: u32, a1: u32, b0: u32, b1: u32| u64::from((a1.min(b1) + 1).saturating_sub(a0.max(b0)));
        let both = common(a.x0, a.x1, b.x0, b.x1) * common(a.y0, a.y1, b.y0, b.y1);
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
        let workspace = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let shared =
            std::env::var_os("ECHOLABEL_SHARED_DATA").map_or_else(|| workspace.join("../shared/data"), Into::into);
        if !shared.join("manifest.json").is_file() {
            println!("skipped: no shared data");
            return;
        }
        for (name, least) in LOOPS {
            let mut opened = crate::Loop::open(&shared.join(name)).expect("it opens");
            let named = opened.sector().expect("the header names a sector");
            let last = opened.header().frames - 1;
            let frames: Vec<RgbFrame> =
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
        assert_eq!(found, Some(PixelBox { x0: 40, y0: 24, x1: 119, y1: 103 }));
    }

    #[test]
    fn a_still_takes_the_largest_bright_part() {
        assert_eq!(sector_from_pixels(&[screen(80)]), Some(PixelBox { x0: 40, y0: 24, x1: 119, y1: 103 }));
        assert_eq!(sector_from_pixels(&[]), None);
    }
}
