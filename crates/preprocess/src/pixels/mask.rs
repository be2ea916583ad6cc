//! Black where nothing moves: texts, scales, logos.

/// Pairs of frames that are compared at most, as in the 11-view system's image model; no clip here is longer.
const MAX_PAIRS: usize = 100;
/// A number that is at most this in every frame is black on a screen.
const BLACK_LEVEL: f32 = 16.0;
/// Share of the visible numbers that may be masked. Text, scales and logos are less than half of what an image shows; where
/// more stands still, the tissue does.
const MAX_MASKED_SHARE: f64 = 0.5;

/// Sets to zero, in all frames of a clip, what never changes by more than `noise_levels` from one frame to the next.
///
/// Every number (pixel and channel) is judged by itself. With 0 levels that is the rule of the
/// 11-view system (exact inequality in at least one pair), with one exception: where most of the visible image stands still,
/// as in a still or a frozen loop with a trace or a line that goes on, nothing is masked, for the tissue would go with it.
pub(super) fn black_out_static(clip: &mut [Vec<f32>], noise_levels: u8) {
    let Some(length) = clip.first().map(Vec::len) else { return };
    let noise = f32::from(noise_levels);
    let mut moves = vec![false; length];
    for pair in clip.windows(2).take(MAX_PAIRS) {
        for (moves, (before, after)) in moves.iter_mut().zip(pair[0].iter().zip(&pair[1])) {
            *moves |= (before - after).abs() > noise;
        }
    }
    if masked_share(clip, &moves) > MAX_MASKED_SHARE {
        return;
    }
    for frame in clip {
        for (value, _) in frame.iter_mut().zip(&moves).filter(|(_, moves)| !**moves) {
            *value = 0.0;
        }
    }
}

/// Returns the share of the visible numbers that do not move.
fn masked_share(clip: &[Vec<f32>], moves: &[bool]) -> f64 {
    let (mut visible, mut masked) = (0_u32, 0_u32);
    for (position, moves) in moves.iter().enumerate() {
        if clip.iter().any(|frame| frame.get(position).is_some_and(|level| *level > BLACK_LEVEL)) {
            visible += 1;
            masked += u32::from(!moves);
        }
    }
    f64::from(masked) / f64::from(visible.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_moves_is_black_in_every_frame() {
        let mut clip = vec![vec![99.0, 20.0, 50.0], vec![99.0, 30.0, 50.0], vec![99.0, 30.0, 50.5]];
        black_out_static(&mut clip, 0);
        assert_eq!(clip, [[0.0, 20.0, 50.0], [0.0, 30.0, 50.0], [0.0, 30.0, 50.5]]);
    }

    #[test]
    fn noise_is_not_motion() {
        let mut clip = vec![vec![90.0, 20.0], vec![93.0, 60.0]];
        black_out_static(&mut clip, 3);
        assert_eq!(clip, [[0.0, 20.0], [0.0, 60.0]]);
    }

    #[test]
    fn a_still_is_left_alone() {
        let mut clip = vec![vec![90.0, 20.0]; 3];
        black_out_static(&mut clip, 0);
        assert_eq!(clip, vec![vec![90.0, 20.0]; 3]);
    }

    #[test]
    fn a_line_that_sweeps_over_a_frozen_image_leaves_the_tissue() {
        let frame = |line: usize| (0..20).map(|x| if x == line { 200.0 } else { 60.0 }).collect::<Vec<f32>>();
        let clip: Vec<Vec<f32>> = (0..6).map(frame).collect();
        let mut masked = clip.clone();
        black_out_static(&mut masked, 3);
        assert_eq!(masked, clip);
    }

    #[test]
    fn what_is_dark_does_not_count_as_tissue_that_stands_still() {
        let frame = |level: f32| [vec![5.0; 50], vec![level; 10], vec![255.0; 8]].concat();
        let mut clip = vec![frame(80.0), frame(120.0)];
        black_out_static(&mut clip, 3);
        assert_eq!(clip[1], [vec![0.0; 50], vec![120.0; 10], vec![0.0; 8]].concat());
    }
}
