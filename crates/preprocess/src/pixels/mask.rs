//! Black where nothing moves: texts, scales, logos.

/// Pairs of frames that are compared at most, as in the 11-view system's image model; no clip here is longer.
const MAX_PAIRS: usize = 100;

/// Sets to zero, in all frames of a clip, what never changes by more than `noise_levels` from one frame to the next.
///
/// Every number (pixel and channel) is judged by itself. With 0 levels that is the rule of the
/// 11-view system (exact inequality in at least one pair), with one exception: where nothing changes at all, as in a
/// still, nothing is masked, for a black image shows no view.
pub(super) fn black_out_static(clip: &mut [Vec<f32>], noise_levels: u8) {
    let Some(length) = clip.first().map(Vec::len) else { return };
    let noise = f32::from(noise_levels);
    let mut moves = vec![false; length];
    for pair in clip.windows(2).take(MAX_PAIRS) {
        for (moves, (before, after)) in moves.iter_mut().zip(pair[0].iter().zip(&pair[1])) {
            *moves |= (before - after).abs() > noise;
        }
    }
    if !moves.contains(&true) {
        return;
    }
    for frame in clip {
        for (value, _) in frame.iter_mut().zip(&moves).filter(|(_, moves)| !**moves) {
            *value = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_moves_is_black_in_every_frame() {
        let mut clip = vec![vec![9.0, 1.0, 5.0], vec![9.0, 2.0, 5.0], vec![9.0, 2.0, 5.5]];
        black_out_static(&mut clip, 0);
        assert_eq!(clip, [[0.0, 1.0, 5.0], [0.0, 2.0, 5.0], [0.0, 2.0, 5.5]]);
    }

    #[test]
    fn noise_is_not_motion() {
        let mut clip = vec![vec![9.0, 1.0], vec![12.0, 5.0]];
        black_out_static(&mut clip, 3);
        assert_eq!(clip, [[0.0, 1.0], [0.0, 5.0]]);
    }

    #[test]
    fn a_still_is_left_alone() {
        let mut clip = vec![vec![9.0, 1.0]; 3];
        black_out_static(&mut clip, 0);
        assert_eq!(clip, vec![vec![9.0, 1.0]; 3]);
    }
}
