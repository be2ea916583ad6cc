//! The even motion of a drawing head or cursor, fitted to where it was seen in a few frames.

/// Columns a sighting may be off the motion.
const TOLERANCE_COLUMNS: f64 = 3.0;
/// A head that moves less than this in the whole loop is something that stands still.
const MIN_TRAVEL_COLUMNS: f64 = 12.0;
/// A pass takes at least this many frames.
const FEWEST_FRAMES_OF_A_PASS: f64 = 9.0;
/// A loop may hold this many passes.
const MAX_PASSES: u32 = 24;

/// The columns at which a head may be in one frame.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub frame: u32,
    pub columns: Vec<f64>,
}

/// A head that moves evenly from left to right, over again where it passes the right end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct EvenMotion {
    /// Column at frame 0, counted on without jumping back.
    pub at_frame_0: f64,
    pub columns_per_frame: f64,
    /// First column and width of a pass; a loop may end before the first pass does.
    pub pass: (f64, f64),
    /// True if the head jumped back within the frames looked at.
    pub wraps: bool,
    /// Frames whose sighting fits.
    pub hits: usize,
    /// Greatest distance of a sighting that fits.
    pub greatest_miss: f64,
}

impl EvenMotion {
    /// Column at a frame, counted on over all passes.
    pub fn unwrapped(&self, frame: f64) -> f64 {
        self.at_frame_0 + self.columns_per_frame * frame
    }

    /// Column at a frame as seen.
    pub fn column(&self, frame: f64) -> f64 {
        self.fold(self.unwrapped(frame))
    }

    fn fold(&self, column: f64) -> f64 {
        let (first, width) = self.pass;
        if self.wraps { first + (column - first).rem_euclid(width) } else { column }
    }

    /// Signed distance from the motion to the nearest of some columns.
    fn nearest(&self, frame: u32, columns: &[f64]) -> Option<f64> {
        let expected = self.column(f64::from(frame));
        let width = self.pass.1;
        let misses = columns.iter().map(|column| {
            let miss = column - expected;
            if self.wraps { (miss + width / 2.0).rem_euclid(width) - width / 2.0 } else { miss }
        });
        misses.min_by(|a, b| a.abs().total_cmp(&b.abs()))
    }

    fn count_hits(&mut self, sightings: &[Sighting]) -> f64 {
        self.hits = 0;
        self.greatest_miss = 0.0;
        let mut sum = 0.0;
        for sighting in sightings {
            let miss = self.nearest(sighting.frame, &sighting.columns);
            if let Some(miss) = miss.map(f64::abs).filter(|m| *m <= TOLERANCE_COLUMNS) {
                self.hits += 1;
                self.greatest_miss = self.greatest_miss.max(miss);
                sum += miss;
            }
        }
        sum
    }
}

/// Fits an even motion to sightings (frames rising); `pass` is the first column and the width of the trace.
///
/// Every pair of sightings, with every number of jumps back between them, is tried; the motion that most frames agree
/// with wins, of equal ones that with the fewest jumps. `None` where fewer than three frames agree (two, where there
/// are no more).
pub(super) fn fit_motion(sightings: &[Sighting], pass: (f64, f64)) -> Option<EvenMotion> {
    let seen: Vec<Sighting> = sightings.iter().filter(|s| !s.columns.is_empty()).cloned().collect();
    let (first, last) = (seen.first()?.frame, seen.last()?.frame);
    let travel_frames = f64::from(last.checked_sub(first)?);
    let mut best: Option<(f64, EvenMotion)> = None;
    for (index, early) in seen.iter().enumerate() {
        for late in &seen[index + 1..] {
            let frames = f64::from(late.frame - early.frame);
            let fastest = pass.1 / FEWEST_FRAMES_OF_A_PASS;
            let jumps = ((fastest * frames / pass.1) as u32 + 1).min(MAX_PASSES);
            for (from, to) in pairs(&early.columns, &late.columns) {
                for jump in 0..=jumps {
                    let speed = (to - from + f64::from(jump) * pass.1) / frames;
                    let travel = speed * travel_frames;
                    if speed > fastest || travel < MIN_TRAVEL_COLUMNS {
                        continue;
                    }
                    let mut motion = EvenMotion {
                        at_frame_0: from - speed * f64::from(early.frame),
                        columns_per_frame: speed,
                        pass,
                        wraps: jump > 0,
                        hits: 0,
                        greatest_miss: 0.0,
                    };
                    let misses = motion.count_hits(&seen);
                    let passes = if motion.wraps { travel / pass.1 } else { 0.0 };
                    let score = 10.0 * motion.hits as f64 - misses / 2.0 - 3.0 * passes;
                    if best.as_ref().is_none_or(|(top, _)| score > *top) {
                        best = Some((score, motion));
                    }
                }
            }
        }
    }
    let (_, motion) = best?;
    let enough = if seen.len() <= 2 { 2 } else { 3 };
    (motion.hits >= enough).then(|| refine(motion, &seen))
}

fn pairs<'a>(left: &'a [f64], right: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    left.iter().flat_map(move |a| right.iter().map(move |b| (*a, *b)))
}

/// Least squares over the sightings that fit, with their jumps undone.
fn refine(motion: EvenMotion, seen: &[Sighting]) -> EvenMotion {
    let points: Vec<(f64, f64)> = seen
        .iter()
        .filter_map(|s| {
            let miss = motion.nearest(s.frame, &s.columns)?;
            let frame = f64::from(s.frame);
            (miss.abs() <= TOLERANCE_COLUMNS).then(|| (frame, motion.unwrapped(frame) + miss))
        })
        .collect();
    let count = points.len() as f64;
    let mean_frame = points.iter().map(|p| p.0).sum::<f64>() / count;
    let mean_column = points.iter().map(|p| p.1).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|p| (p.0 - mean_frame).powi(2)).sum();
    let slope: f64 = points.iter().map(|p| (p.0 - mean_frame) * (p.1 - mean_column)).sum();
    if spread <= 0.0 || slope <= 0.0 {
        return motion;
    }
    let speed = slope / spread;
    let mut refined = EvenMotion { columns_per_frame: speed, at_frame_0: mean_column - speed * mean_frame, ..motion };
    refined.count_hits(seen);
    if refined.hits >= motion.hits { refined } else { motion }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sightings(frames: &[u32], column: impl Fn(f64) -> f64) -> Vec<Sighting> {
        let at = |frame: &u32| Sighting { frame: *frame, columns: vec![17.0, column(f64::from(*frame))] };
        frames.iter().map(at).collect()
    }

    #[test]
    fn a_motion_is_found_beside_something_that_stands_still() {
        let seen = sightings(&[0, 2, 15, 30, 45, 60], |frame| 50.0 + 2.3 * frame);
        let motion = fit_motion(&seen, (40.0, 200.0)).expect("a motion");
        assert!((motion.columns_per_frame - 2.3).abs() < 1e-6 && (motion.at_frame_0 - 50.0).abs() < 1e-6);
        assert_eq!((motion.hits, motion.wraps), (6, false));
    }

    #[test]
    fn jumps_back_to_the_left_are_counted() {
        let seen = sightings(&[0, 2, 22, 45, 67, 90], |frame| 40.0 + (150.0 + 3.1 * frame) % 200.0);
        let motion = fit_motion(&seen, (40.0, 200.0)).expect("a motion");
        assert!((motion.columns_per_frame - 3.1).abs() < 0.02, "{motion:?}");
        assert!((motion.column(30.0) - (40.0 + 243.0 - 200.0)).abs() < 1.0, "{motion:?}");
    }

    #[test]
    fn what_stands_still_or_is_seen_too_seldom_is_no_head() {
        // Uneven distances between frames exclude that whole passes lie between them.
        let still = sightings(&[0, 2, 23, 52, 79, 100], |_| 90.0);
        let hits = fit_motion(&still, (40.0, 200.0)).map_or(0, |motion| motion.hits);
        assert!(hits <= 4, "{hits} of 6");
        assert_eq!(fit_motion(&[], (40.0, 200.0)), None);
        let nothing = Sighting { frame: 3, columns: Vec::new() };
        assert_eq!(fit_motion(&[nothing.clone(), nothing], (40.0, 200.0)), None);
    }
}
