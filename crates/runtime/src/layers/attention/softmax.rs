use crate::simd::{Kernel, Lanes, math};

/// Unnormalized softmax: the exponential of each score less the row's largest, and the reciprocal of each row's sum. The
/// division is left to [`super::head::WriteHead`], which has fewer numbers to divide.
pub(super) struct Softmax {
    pub(super) rows: usize,
    /// Scores of a row.
    pub(super) tokens: usize,
    /// Numbers from one row to the next; what is beyond the scores may be overwritten.
    pub(super) padded: usize,
    pub(super) scores: *mut f32,
    /// Terms of the scores, laid out as they are, or null.
    pub(super) mask: *const f32,
    /// Reciprocal of each row's sum.
    pub(super) inverse_sums: *mut f32,
}

impl Kernel for Softmax {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        for row in 0..self.rows {
            // SAFETY: rows and columns are those that the creator guarantees.
            unsafe {
                let scores = self.scores.add(row * self.padded);
                let mut largest = lanes.splat(f32::NEG_INFINITY);
                for column in self.tokens..self.padded {
                    *scores.add(column) = f32::NEG_INFINITY;
                }
                for column in (0..self.padded).step_by(L::COUNT) {
                    let mut score = lanes.load(scores.add(column));
                    if !self.mask.is_null() {
                        score = lanes.add(score, lanes.load(self.mask.add(row * self.padded + column)));
                        lanes.store(scores.add(column), score);
                    }
                    largest = lanes.maximum(score, largest);
                }
                let largest = lanes.splat(lanes.largest(largest));
                let mut sums = lanes.zero();
                for column in (0..self.padded).step_by(L::COUNT) {
                    let below = lanes.subtract(lanes.load(scores.add(column)), largest);
                    let weight = math::exponential(lanes, below);
                    lanes.store(scores.add(column), weight);
                    sums = lanes.add(sums, weight);
                }
                *self.inverse_sums.add(row) = 1.0 / lanes.sum(sums);
            }
        }
    }
}
