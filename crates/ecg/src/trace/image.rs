//! Decoded frames as the trace reader keeps them, and the count of what was decoded.

use std::collections::BTreeMap;

use super::FrameSource;
use domain::{PixelRect, RgbView};

/// No ultrasound screen is larger; a larger claim is not believed.
const MAX_SIDE: usize = 8192;

/// A part of the image: columns `x0..x1` and rows `y0..y1`, ends excluded as in the slices that it selects; may be
/// empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub x0: usize,
    pub y0: usize,
    pub x1: usize,
    pub y1: usize,
}

impl Area {
    pub fn width(&self) -> usize {
        self.x1.saturating_sub(self.x0)
    }

    pub fn height(&self) -> usize {
        self.y1.saturating_sub(self.y0)
    }

    /// Returns the part of a rectangle that lies on an image; `None` where there is none.
    pub fn from_rect(rect: PixelRect, width: usize, height: usize) -> Option<Self> {
        let [x0, y0, x1, y1] = [rect.x0, rect.y0, rect.x1, rect.y1].map(|edge| edge as usize);
        let area = Self { x0, y0, x1: x1.saturating_add(1).min(width), y1: y1.saturating_add(1).min(height) };
        (area.x0 < area.x1 && area.y0 < area.y1).then_some(area)
    }

    /// Returns whether a point lies in it.
    pub fn holds(&self, x: f32, y: f32) -> bool {
        x >= self.x0 as f32 && x < self.x1 as f32 && y >= self.y0 as f32 && y < self.y1 as f32
    }
}

/// An owned copy of a frame or of a part of one; coordinates count from its own corner.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// Copies a part of an image; `None` where the image is empty or too large.
    pub fn copy_of(image: RgbView<'_>, area: Area) -> Option<Self> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let sane = (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height);
        sane.then(|| Self::from_rows(image.pixels(), (width, height), area))
    }

    /// Returns a copy of a part; the area is cut to the picture.
    pub fn part(&self, area: Area) -> Self {
        Self::from_rows(&self.pixels, (self.width, self.height), area)
    }

    fn from_rows(source: &[[u8; 3]], (width, height): (usize, usize), area: Area) -> Self {
        let (x1, y1) = (area.x1.min(width), area.y1.min(height));
        let (x0, y0) = (area.x0.min(x1), area.y0.min(y1));
        let mut pixels = Vec::with_capacity((x1 - x0) * (y1 - y0));
        for row in source.chunks_exact(width).take(y1).skip(y0) {
            pixels.extend_from_slice(&row[x0..x1]);
        }
        Self { width: x1 - x0, height: y1 - y0, pixels }
    }

    /// Returns the pixel-wise darkest of several pictures of one size: what moves fades, what stays remains.
    pub fn darkest(pictures: &[&Self]) -> Option<Self> {
        let (first, others) = pictures.split_first()?;
        let mut darkest = (*first).clone();
        for other in others {
            if other.pixels.len() != darkest.pixels.len() {
                return None;
            }
            for (dark, pixel) in darkest.pixels.iter_mut().zip(&other.pixels) {
                for (d, p) in dark.iter_mut().zip(pixel) {
                    *d = (*d).min(*p);
                }
            }
        }
        Some(darkest)
    }

    /// Returns the pixel-wise median of several pictures of one size: the still background behind something that moves.
    pub fn median(pictures: &[&Self]) -> Option<Self> {
        let first = pictures.first()?;
        if pictures.iter().any(|p| p.pixels.len() != first.pixels.len()) {
            return None;
        }
        let mut values = vec![0u8; pictures.len()];
        let mut median = (*first).clone();
        for (index, pixel) in median.pixels.iter_mut().enumerate() {
            for (channel, out) in pixel.iter_mut().enumerate() {
                for (value, picture) in values.iter_mut().zip(pictures) {
                    *value = picture.pixels[index][channel];
                }
                values.sort_unstable();
                *out = values[values.len() / 2];
            }
        }
        Some(median)
    }
}

/// Asks the source for frames, never twice for the same one, and keeps what the reader needs of them.
pub(super) struct Frames<'a> {
    source: &'a mut dyn FrameSource,
    pictures: BTreeMap<u32, Picture>,
    /// Once set, only this part of each frame is kept.
    area: Option<Area>,
    asked: BTreeMap<u32, bool>,
    size: Option<(u32, u32)>,
}

impl<'a> Frames<'a> {
    pub fn new(source: &'a mut dyn FrameSource) -> Self {
        Self { source, pictures: BTreeMap::new(), area: None, asked: BTreeMap::new(), size: None }
    }

    pub fn count(&self) -> u32 {
        self.source.frame_count()
    }

    /// Decodes a frame unless that was done before; false where it cannot be decoded or has another size than the
    /// first.
    pub fn load(&mut self, index: u32) -> bool {
        if let Some(known) = self.asked.get(&index) {
            return *known;
        }
        let area = self.area.unwrap_or(Area { x0: 0, y0: 0, x1: usize::MAX, y1: usize::MAX });
        let kept = self.source.frame(index).and_then(|image| {
            let size = (image.width(), image.height());
            let picture = Picture::copy_of(image, area)?;
            (*self.size.get_or_insert(size) == size).then_some(picture)
        });
        let is_there = kept.is_some();
        self.asked.insert(index, is_there);
        self.pictures.extend(kept.map(|picture| (index, picture)));
        is_there
    }

    /// From here on only this part of the frames is kept, also of those decoded before.
    pub fn keep_only(&mut self, area: Area) {
        for picture in self.pictures.values_mut() {
            *picture = picture.part(area);
        }
        self.area = Some(area);
    }

    pub fn picture(&self, index: u32) -> Option<&Picture> {
        self.pictures.get(&index)
    }

    /// Returns the decoded frames in rising order.
    pub fn loaded(&self) -> impl DoubleEndedIterator<Item = (u32, &Picture)> {
        self.pictures.iter().map(|(index, picture)| (*index, picture))
    }

    pub fn asked(&self) -> u32 {
        self.asked.len() as u32
    }

    pub fn failed(&self) -> u32 {
        self.asked.values().filter(|decoded| !**decoded).count() as u32
    }
}
