use crate::clip::Draft;
use crate::random::Draws;

/// Lets the clip begin at another of its frames.
pub(super) fn roll(draft: &mut Draft, probability: f32, draws: &mut Draws) {
    let frames = draft.frames.len();
    if draws.chance(probability) && frames > 1 {
        draft.frames.rotate_left(draws.below(frames));
    }
}

/// Replaces frames by the one before them, as a probe that loses contact.
pub(super) fn drop_frames(draft: &mut Draft, probability: f32, draws: &mut Draws) {
    for frame in 1..draft.frames.len() {
        if draws.chance(probability) {
            draft.frames[frame] = draft.frames[frame - 1].clone();
        }
    }
}
