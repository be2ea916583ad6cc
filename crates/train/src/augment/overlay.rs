use crate::clip::Draft;
use random::Stream;

/// Values up to this are black to the eye and to a codec.
const BLACK: f32 = 2.0;

/// Marks each pixel that is black in every frame.
pub(super) fn outside(draft: &Draft) -> Vec<bool> {
    let area = draft.size * draft.size;
    let mut outside = vec![true; area];
    for plane in draft.frames.iter().flat_map(|frame| frame.chunks_exact(area.max(1))) {
        for (outside, value) in outside.iter_mut().zip(plane) {
            *outside &= *value <= BLACK;
        }
    }
    outside
}

/// Makes the sector narrower, shallower or off its axis: black outside a wedge from the top of the image.
pub(super) fn narrow_sector(draft: &mut Draft, probability: f32, draws: &mut Stream) {
    if !draws.chance_f32(probability) {
        return;
    }
    let size = draft.size as f32;
    let apex = (size * draws.uniform_f32(0.42, 0.58), -size * draws.uniform_f32(0.0, 0.12));
    let half_angle = draws.uniform_f32(26f32.to_radians(), 48f32.to_radians());
    let lean = draws.uniform_f32(-8f32.to_radians(), 8f32.to_radians());
    let reach = size * draws.uniform_f32(0.88, 1.15);
    let side = draft.size;
    for plane in draft.planes_mut() {
        for (at, pixel) in plane.iter_mut().enumerate() {
            let (across, down) = ((at % side) as f32 - apex.0, (at / side) as f32 - apex.1);
            if (across.atan2(down) - lean).abs() > half_angle || across.hypot(down) > reach {
                *pixel = 0.0;
            }
        }
    }
}

/// Fills what was `outside` before the image moved, and is still black, with gray, a slope of gray or coarse noise.
pub(super) fn background(draft: &mut Draft, outside: &[bool], probability: f32, draws: &mut Stream) {
    if !draws.chance_f32(probability) {
        return;
    }
    let size = draft.size;
    let level = draws.uniform_f32(4.0, 70.0);
    let slope = (draws.uniform_f32(-0.5, 0.5), draws.uniform_f32(-0.5, 0.5));
    let grain = draws.uniform_f32(0.0, 0.5);
    let block = 1 + draws.remainder(12);
    let blocks = size.div_ceil(block);
    let noise: Vec<f32> = (0..blocks * blocks).map(|_| 1.0 + grain * draws.byte_normal()).collect();
    for plane in draft.planes_mut() {
        for (at, pixel) in plane.iter_mut().enumerate() {
            let (column, row) = (at % size, at / size);
            if outside[at] && *pixel <= BLACK {
                let lean = 1.0 + slope.0 * (column as f32 / size as f32) + slope.1 * (row as f32 / size as f32);
                *pixel = level * lean * noise[row / block * blocks + column / block];
            }
        }
    }
}

/// Lays up to four small boxes over the image: black ones, as where a name was blanked, and ones with marks like
/// letters.
pub(super) fn boxes(draft: &mut Draft, probability: f32, draws: &mut Stream) {
    if !draws.chance_f32(probability) {
        return;
    }
    let size = draft.size;
    for _ in 0..1 + draws.remainder(4) {
        let (width, height) = (1 + draws.remainder(size / 4 + 1), 1 + draws.remainder(size / 14 + 1));
        let (left, top) = (draws.remainder(size), draws.remainder(size));
        let level = draws.chance_f32(0.6).then(|| draws.uniform_f32(90.0, 255.0));
        let marks: Vec<bool> = (0..width * height).map(|_| draws.chance_f32(0.45)).collect();
        for plane in draft.planes_mut() {
            for row in top..(top + height).min(size) {
                for column in left..(left + width).min(size) {
                    let pixel = &mut plane[row * size + column];
                    match level {
                        None => *pixel = 0.0,
                        Some(level) if marks[(row - top) * width + column - left] => *pixel = level,
                        Some(_) => {}
                    }
                }
            }
        }
    }
}
