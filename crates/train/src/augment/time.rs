use crate::clip::Draft;
use random::Stream;

/// Lets the clip begin at another of its frames.
pub(super) fn roll(draft: &mut Draft, probability: f32, draws: &mut Stream) {
    let frames = draft.frames.len();
    if draws.chance_f32(probability) && frames > 1 {
        draft.frames.rotate_left(draws.remainder(frames));
    }
}

/// Replaces frames by the one before them, as a probe that loses contact.
pub(super) fn drop_frames(draft: &mut Draft, probability: f32, draws: &mut Stream) {
    for frame in 1..draft.frames.len() {
        if draws.chance_f32(probability) {
            draft.frames[frame] = draft.frames[frame - 1].clone();
        }
    }
}
