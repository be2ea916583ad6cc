use super::factor;
use crate::clip::Draft;
use random::Stream;

/// Lets brightness fall or rise with depth.
pub(super) fn attenuate(draft: &mut Draft, most: f32, draws: &mut Stream) {
    let slope = draws.uniform_f32(-1.0, 1.0) * most;
    if slope == 0.0 {
        return;
    }
    let size = draft.size;
    for plane in draft.planes_mut() {
        for (row, pixels) in plane.chunks_exact_mut(size).enumerate() {
            let share = (slope * row as f32 / size as f32).exp();
            pixels.iter_mut().for_each(|pixel| *pixel *= share);
        }
    }
}

/// Bends, multiplies and lifts what is not black: another gray map of another scanner.
pub(super) fn curve(draft: &mut Draft, (gamma, contrast, brightness): (f32, f32, f32), draws: &mut Stream) {
    let (gamma, contrast) = (factor(gamma, draws), factor(contrast, draws));
    let lift = draws.uniform_f32(-1.0, 1.0) * brightness * 255.0;
    if (gamma, contrast, lift) == (1.0, 1.0, 0.0) {
        return;
    }
    for value in draft.values_mut().filter(|value| **value > 0.0) {
        *value = ((*value / 255.0).powf(gamma) * contrast * 255.0 + lift).clamp(0.0, 255.0);
    }
}

/// Smooths every plane by a small kernel of three, its deviation up to `most` pixels.
pub(super) fn blur(draft: &mut Draft, most: f32, draws: &mut Stream) {
    let deviation = draws.uniform_f32(0.0, 1.0) * most;
    // A kernel (a, 1 - 2a, a) has the variance 2a.
    let side = (deviation * deviation / 2.0).min(0.33);
    if side <= 0.0 {
        return;
    }
    let size = draft.size;
    for plane in draft.planes_mut() {
        for stride in [1, size] {
            let before = plane.to_vec();
            for (at, pixel) in plane.iter_mut().enumerate() {
                let place = if stride == 1 { at % size } else { at / size };
                let previous = if place > 0 { before[at - stride] } else { before[at] };
                let next = if place + 1 < size { before[at + stride] } else { before[at] };
                *pixel = before[at] * (1.0 - 2.0 * side) + side * (previous + next);
            }
        }
    }
}

/// Multiplies tissue by noise and adds noise to it; each frame has its own, as in a scanner.
pub(super) fn noise(draft: &mut Draft, (speckle, gaussian): (f32, f32), draws: &mut Stream) {
    let multiplied = draws.uniform_f32(0.0, 1.0) * speckle;
    let added = draws.uniform_f32(0.0, 1.0) * gaussian * 255.0;
    if multiplied == 0.0 && added == 0.0 {
        return;
    }
    for value in draft.values_mut().filter(|value| **value > 0.0) {
        *value = (*value * (1.0 + multiplied * draws.byte_normal()) + added * draws.byte_normal()).max(0.0);
    }
}
