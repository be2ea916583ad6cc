use rayon::prelude::*;

use super::{Augmentation, factor};
use crate::clip::Draft;
use random::Stream;

/// An affine map around the center of the image, from each pixel to its source.
pub(super) struct Way {
    matrix: [[f32; 2]; 2],
    /// As shares of the side.
    shift: [f32; 2],
}

impl Way {
    pub(super) fn draw(settings: &Augmentation, draws: &mut Stream) -> Self {
        let angle = draws.uniform_f32(-1.0, 1.0) * settings.rotate_degrees.to_radians();
        let (zoom, stretch) = (factor(settings.zoom, draws), factor(settings.stretch, draws).sqrt());
        let mirror = if draws.chance_f32(settings.flip) { -1.0 } else { 1.0 };
        let shift = [0, 1].map(|_| draws.uniform_f32(-1.0, 1.0) * settings.shift);
        let (sine, cosine) = angle.sin_cos();
        let (across, down) = (mirror * stretch / zoom, 1.0 / (stretch * zoom));
        Self { matrix: [[cosine * across, -sine * down], [sine * across, cosine * down]], shift }
    }

    pub(super) fn apply(&self, draft: &mut Draft) {
        if self.matrix == [[1.0, -0.0], [0.0, 1.0]] && self.shift == [0.0, 0.0] {
            return;
        }
        let size = draft.size;
        let planes: Vec<&mut [f32]> = draft.planes_mut().collect();
        planes.into_par_iter().for_each(|plane| {
            let moved = self.moved(plane, size);
            plane.copy_from_slice(&moved);
        });
    }

    /// The plane with bilinear interpolation; black comes in from outside.
    fn moved(&self, plane: &[f32], size: usize) -> Vec<f32> {
        let center = (size as f32 - 1.0) / 2.0;
        let [[xx, xy], [yx, yy]] = self.matrix;
        let pixel = |x: i32, y: i32| match (0..size as i32).contains(&x) && (0..size as i32).contains(&y) {
            true => plane[y as usize * size + x as usize],
            false => 0.0,
        };
        let mut moved = Vec::with_capacity(plane.len());
        for row in 0..size {
            let down = row as f32 - center - self.shift[1] * size as f32;
            for column in 0..size {
                let across = column as f32 - center - self.shift[0] * size as f32;
                let x = xx * across + xy * down + center;
                let y = yx * across + yy * down + center;
                let (left, top) = (x.floor(), y.floor());
                let (right_share, lower_share) = (x - left, y - top);
                let (left, top) = (left as i32, top as i32);
                let upper = pixel(left, top) * (1.0 - right_share) + pixel(left + 1, top) * right_share;
                let lower = pixel(left, top + 1) * (1.0 - right_share) + pixel(left + 1, top + 1) * right_share;
                moved.push(upper * (1.0 - lower_share) + lower * lower_share);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(matrix: [[f32; 2]; 2], shift: [f32; 2]) -> Way {
        Way { matrix, shift }
    }

    #[test]
    fn a_shift_by_a_quarter_moves_by_whole_pixels_and_a_mirror_mirrors() {
        let plane: Vec<f32> = (0..16).map(|value| value as f32).collect();
        let moved = way([[1.0, 0.0], [0.0, 1.0]], [0.25, 0.0]).moved(&plane, 4);
        assert_eq!(moved[..4], [0.0, 0.0, 1.0, 2.0]);
        let mirrored = way([[-1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]).moved(&plane, 4);
        assert_eq!(mirrored[4..8], [7.0, 6.0, 5.0, 4.0]);
    }

    #[test]
    fn a_quarter_turn_turns() {
        let plane: Vec<f32> = (0..9).map(|value| value as f32).collect();
        let turned = way([[0.0, 1.0], [-1.0, 0.0]], [0.0, 0.0]).moved(&plane, 3);
        assert_eq!(turned, [6.0, 3.0, 0.0, 7.0, 4.0, 1.0, 8.0, 5.0, 2.0]);
    }
}
