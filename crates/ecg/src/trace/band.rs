//! The strip of the image that holds one candidate, and its curves in the frames decoded so far.

use std::collections::BTreeMap;

use super::candidates::Candidate;
use super::curve::Curve;
use super::image::{Area, Frames, Picture};

/// A gap in the trace (of an erase bar, say) is at most this part of the image's width.
const WIDEST_GAP: f32 = 0.07;
/// Frames decoded for one loop are at most these.
const MAX_FRAMES: u32 = 28;

/// The rows about a trace over the whole width of the image, whose frames are decoded on demand.
pub(super) struct Band<'f, 's> {
    frames: &'f mut Frames<'s>,
    candidate: &'f Candidate,
    /// Rows of the kept pictures; all columns.
    area: Area,
    /// First and last column of the trace over all frames.
    pub columns: (usize, usize),
    pub curves: BTreeMap<u32, Curve>,
    /// The trace as far as it is the same in all frames decoded at first, free of moving tissue.
    pub still_curve: Option<Curve>,
    /// True if upright strokes that have lost their color are followed.
    climbs: bool,
}

/// Returns the rows that may hold a trace of which a candidate is a part, cut to the image: a later beat may be higher,
/// the baseline may wander, and a cursor may stand out above and below.
pub(super) fn rows_around(area: Area, image_height: usize) -> (usize, usize) {
    let margin = (0.5 * area.height() as f32) as usize + 16;
    (area.y0.saturating_sub(margin), (area.y1 + margin).min(image_height))
}

impl<'f, 's> Band<'f, 's> {
    /// `top` is the image row of the first row that `frames` keep.
    pub fn new(frames: &'f mut Frames<'s>, candidate: &'f Candidate, top: usize, image: (usize, usize)) -> Self {
        let (from, to) = rows_around(candidate.area, image.1);
        let area = Area { x0: 0, y0: from.saturating_sub(top), x1: image.0, y1: to.saturating_sub(top) };
        let mut band = Self {
            frames,
            candidate,
            area,
            columns: (candidate.area.x0, candidate.area.x1.saturating_sub(1)),
            curves: BTreeMap::new(),
            still_curve: None,
            climbs: false,
        };
        let loaded: Vec<u32> = band.frames.loaded().map(|(index, _)| index).collect();
        for index in loaded {
            band.follow(index);
        }
        band.settle_columns();
        band.follow_still();
        band
    }

    /// Follows the trace anew in every decoded frame, upright strokes that have lost their color included.
    ///
    /// Not before the way of drawing is known: what is climbed differs from frame to frame. And only on black, where
    /// nothing else is bright.
    pub fn climb(&mut self) {
        if !self.candidate.is_on_black() {
            return;
        }
        self.climbs = true;
        let (first, last) = self.columns;
        let decoded: Vec<u32> = self.curves.keys().copied().collect();
        for index in decoded {
            self.follow(index);
            if let Some(curve) = self.curves.get_mut(&index) {
                curve.keep_columns(first, last);
            }
        }
        self.follow_still();
    }

    /// Returns whether (nearly) the whole trace is the same in all frames.
    pub fn stands_still(&self) -> bool {
        let area = self.candidate.area;
        let still = self
            .still_curve
            .as_ref()
            .map_or(0, |curve| (area.x0..area.x1).filter(|column| curve.is_drawn(*column)).count());
        20 * still >= 17 * area.width()
    }

    fn follow_still(&mut self) {
        if self.curves.len() < 3 {
            return;
        }
        let pictures = self.pictures();
        let views: Vec<&Picture> = pictures.iter().map(|(_, picture)| picture).collect();
        self.still_curve = Picture::darkest(&views).map(|darkest| {
            let mut curve = Curve::follow(&darkest, &self.candidate.color, self.climbs);
            curve.keep_columns(self.columns.0, self.columns.1);
            curve
        });
    }

    pub fn frame_count(&self) -> u32 {
        self.frames.count()
    }

    /// Returns the trace as whole as it is known: what stands still if that is most of it, else the last frame's.
    pub fn whole_curve(&self) -> Option<&Curve> {
        match &self.still_curve {
            Some(curve) if self.stands_still() => Some(curve),
            _ => self.curves.last_key_value().map(|(_, curve)| curve),
        }
    }

    /// Returns the first image row of the band, where `top` is the image row of the first row that the frames keep.
    pub fn first_row(&self, top: usize) -> usize {
        top + self.area.y0
    }

    pub fn image_width(&self) -> usize {
        self.area.x1
    }

    /// Brightest channel of the trace's color.
    pub fn brightness(&self) -> u8 {
        self.candidate.color.rgb.iter().fold(0.0f32, |a, b| a.max(*b)) as u8
    }

    /// Returns whether another frame may be decoded.
    pub fn may_ask(&self) -> bool {
        self.frames.asked() < MAX_FRAMES
    }

    /// Returns the curve of a frame, decoded now if need be (and allowed).
    pub fn curve(&mut self, frame: u32) -> Option<&Curve> {
        if !self.curves.contains_key(&frame) && self.may_ask() && self.frames.load(frame) {
            self.follow(frame);
            let (first, last) = self.columns;
            if let Some(curve) = self.curves.get_mut(&frame) {
                curve.keep_columns(first, last);
            }
        }
        self.curves.get(&frame)
    }

    /// Heights per column of a frame's curve.
    pub fn heights(&mut self, frame: u32) -> Option<Vec<f32>> {
        self.curve(frame).map(Curve::heights)
    }

    /// Returns the band's part of all frames decoded so far.
    pub fn pictures(&self) -> Vec<(u32, Picture)> {
        self.frames.loaded().map(|(index, picture)| (index, picture.part(self.area))).collect()
    }

    fn follow(&mut self, frame: u32) {
        if let Some(picture) = self.frames.picture(frame) {
            let curve = Curve::follow(&picture.part(self.area), &self.candidate.color, self.climbs);
            self.curves.insert(frame, curve);
        }
    }

    /// Finds the columns of the trace: the candidate's, and on to both sides while something is drawn in several
    /// frames.
    fn settle_columns(&mut self) {
        let width = self.area.x1;
        let drawn: Vec<bool> =
            (0..width).map(|column| self.curves.values().any(|curve| curve.is_drawn(column))).collect();
        let widest_gap = (WIDEST_GAP * width as f32) as usize;
        let (mut first, mut last) = self.columns;
        for column in (0..first).rev() {
            if drawn[column] {
                first = column;
            } else if first - column > widest_gap {
                break;
            }
        }
        for (column, is_drawn) in drawn.iter().enumerate().skip(last + 1) {
            if *is_drawn {
                last = column;
            } else if column - last > widest_gap {
                break;
            }
        }
        self.columns = (first, last);
        for curve in self.curves.values_mut() {
            curve.keep_columns(first, last);
        }
    }
}
