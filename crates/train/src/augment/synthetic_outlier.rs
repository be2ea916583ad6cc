//! Clips that look like ultrasound and show none of the views, made from clips that do.
//!
//! A model that has seen hearts alone calls everything a heart. Real pictures of other organs are as different from each
//! other as from hearts, so these are made to be many, not to be true: what they have in common is no heart.

use crate::Clip;
use crate::clip::Draft;
use random::Stream;

/// A clip like `clip` in size, frames and brightness in which no view can be seen.
pub(crate) fn synthetic_outlier(clip: &Clip, draws: &mut Stream) -> Clip {
    let mut draft = Draft::of(clip);
    match draws.remainder(7) {
        0 => shuffle_tiles(&mut draft, draws),
        1 => near_field_only(&mut draft, draws),
        2 => layers(&mut draft, draws),
        3 => blobs(&mut draft, draws),
        4 => flat_box(&mut draft, draws),
        5 => turn(&mut draft, draws),
        _ => {
            blobs(&mut draft, draws);
            flat_box(&mut draft, draws);
        }
    }
    let pixels = draft.values_mut().map(|value| value.round().clamp(0.0, 255.0) as u8).collect();
    Clip { pixels, ..*clip }
}

/// Cuts every frame into two by two to five by five tiles and lays them out in another order, the same for all frames.
fn shuffle_tiles(draft: &mut Draft, draws: &mut Stream) {
    let across = 2 + draws.remainder(4);
    let tile = draft.size / across;
    let size = draft.size;
    let mut order: Vec<usize> = (0..across * across).collect();
    draws.shuffle_by_remainder(&mut order);
    for plane in draft.planes_mut() {
        let before = plane.to_vec();
        for (to, from) in order.iter().enumerate() {
            for row in 0..tile {
                let place =
                    |tile_number: usize| (tile_number / across * tile + row) * size + tile_number % across * tile;
                plane[place(to)..][..tile].copy_from_slice(&before[place(*from)..][..tile]);
            }
        }
    }
}

/// Leaves little more than the tissue at the probe: a probe in air, or the gain turned down.
fn near_field_only(draft: &mut Draft, draws: &mut Stream) {
    let size = draft.size;
    let depth = size as f32 * draws.uniform_f32(0.05, 0.35);
    let (near, rest) = (draws.uniform_f32(0.5, 2.0), draws.uniform_f32(0.0, 0.12));
    let floor = draws.uniform_f32(0.0, 12.0);
    for plane in draft.planes_mut() {
        for (at, pixel) in plane.iter_mut().enumerate() {
            let beyond = ((at / size) as f32 / depth - 1.0).max(0.0);
            *pixel = (*pixel + 30.0) * near * (-3.0 * beyond).exp() + (*pixel + floor) * rest;
        }
    }
}

/// Layers of tissue as a flat probe shows them: bands across the image with waves in them, and shadows.
fn layers(draft: &mut Draft, draws: &mut Stream) {
    let size = draft.size;
    let bands = 3 + draws.remainder(14);
    let levels: Vec<f32> = (0..=bands).map(|_| draws.uniform_f32(0.0, 190.0)).collect();
    let (wave, slant) = (draws.uniform_f32(0.0, 0.12), draws.uniform_f32(-0.25, 0.25));
    let (turns, phase) = (draws.uniform_f32(0.5, 3.0), draws.uniform_f32(0.0, 6.3));
    let shadow = draws.uniform_f32(0.0, 1.0);
    let drift = draws.uniform_f32(-0.02, 0.02);
    let grain = grain(size, 1 + draws.remainder(3), draws);
    let area = size * size;
    for (number, frame) in draft.frames.iter_mut().enumerate() {
        for (place, pixel) in frame.iter_mut().enumerate() {
            let at = place % area;
            let (x, y) = ((at % size) as f32 / size as f32, (at / size) as f32 / size as f32);
            let depth = y + wave * (turns * 6.3 * x + phase).sin() + slant * x + drift * number as f32;
            let band = (depth.rem_euclid(1.0) * bands as f32).min(bands as f32 - 1e-3);
            let (lower, share) = (band as usize, band.fract());
            let level = levels[lower] * (1.0 - share) + levels[lower + 1] * share;
            let shadowed = 1.0 - shadow * 0.5 * (1.0 + (turns * 9.0 * x + 2.0 * phase).sin());
            *pixel = level * (0.4 + 0.6 * grain[at]) * shadowed * (1.0 - 0.6 * y);
        }
    }
}

/// Organs that are none: smooth spots of any size with speckle, inside a fan, a box or the whole image.
fn blobs(draft: &mut Draft, draws: &mut Stream) {
    let size = draft.size;
    let coarse = grain(size, 6 + draws.remainder(size / 3 + 1), draws);
    let fine = grain(size, 1 + draws.remainder(3), draws);
    let (edge, level) = (draws.uniform_f32(0.3, 0.9), draws.uniform_f32(60.0, 200.0));
    let hardness = draws.uniform_f32(2.0, 30.0);
    let opening = draws.uniform_f32(0.35, 2.0);
    let is_fan = draws.chance_f32(0.6);
    let beat = draws.uniform_f32(0.0, 0.15);
    let area = size * size;
    for (number, frame) in draft.frames.iter_mut().enumerate() {
        let moved = edge + beat * (number as f32).sin();
        for (place, pixel) in frame.iter_mut().enumerate() {
            let at = place % area;
            let (x, y) = ((at % size) as f32 / size as f32 - 0.5, (at / size) as f32 / size as f32);
            let inside = !is_fan || (x.abs() < opening * (y + 0.05) && x.hypot(y) < 0.98);
            let tissue = 1.0 / (1.0 + (-hardness * (coarse[at] - moved)).exp());
            *pixel = if inside { level * tissue * (0.3 + 0.7 * fine[at]) } else { 0.0 };
        }
    }
}

/// An even bright area over the middle, as a box of power Doppler or a report page has.
fn flat_box(draft: &mut Draft, draws: &mut Stream) {
    let size = draft.size;
    let mut edges =
        |low: f32, high: f32| (draws.uniform_f32(low, 0.45) * size as f32, draws.uniform_f32(0.55, high) * size as f32);
    let ((left, right), (top, bottom)) = (edges(0.0, 1.0), edges(0.0, 1.0));
    let (level, slope) = (draws.uniform_f32(60.0, 255.0), draws.uniform_f32(-0.6, 0.6));
    let noise = draws.uniform_f32(0.0, 0.3);
    let narrowing = if draws.chance_f32(0.5) { draws.uniform_f32(0.2, 0.8) } else { 0.0 };
    let grain = grain(size, 1, draws);
    for plane in draft.planes_mut() {
        for (at, pixel) in plane.iter_mut().enumerate() {
            let (x, y) = ((at % size) as f32, (at / size) as f32);
            let share = (y - top) / (bottom - top);
            let taper = 0.5 * (right - left) * narrowing * (1.0 - share);
            if (0.0..1.0).contains(&share) && x > left + taper && x < right - taper {
                *pixel = level * (1.0 + slope * (share - 0.5)) * (1.0 - noise + noise * 2.0 * grain[at]);
            }
        }
    }
}

/// Turns the image by a quarter or a half: no lab shows a heart that way unless it says so.
fn turn(draft: &mut Draft, draws: &mut Stream) {
    let size = draft.size;
    let quarters = 1 + draws.remainder(3);
    for plane in draft.planes_mut() {
        for _ in 0..quarters {
            let before = plane.to_vec();
            for (at, pixel) in plane.iter_mut().enumerate() {
                *pixel = before[(size - 1 - at % size) * size + at / size];
            }
        }
    }
}

/// Smooth noise in 0..=1, [size, size], that changes over `cell` pixels.
fn grain(size: usize, cell: usize, draws: &mut Stream) -> Vec<f32> {
    let cells = size / cell + 2;
    let nodes: Vec<f32> = (0..cells * cells).map(|_| draws.uniform_f32(0.0, 1.0)).collect();
    let mix = |low: f32, high: f32, share: f32| low + (high - low) * share;
    let value = |at: usize| {
        let (x, y) = ((at % size) as f32 / cell as f32, (at / size) as f32 / cell as f32);
        let (column, row) = (x as usize, y as usize);
        let line = |row: usize| mix(nodes[row * cells + column], nodes[row * cells + column + 1], x.fract());
        mix(line(row), line(row + 1), y.fract())
    };
    (0..size * size).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_keeps_the_size_and_changes_the_picture() {
        let pixels = (0..2 * 30 * 30).map(|at: usize| ((at * 7919) % 251) as u8).collect();
        let clip = Clip { frames: 2, planes: 1, size: 30, pixels };
        for seed in 0..60 {
            let made = synthetic_outlier(&clip, &mut Stream::at_place(seed, "test", &[]));
            assert_eq!((made.frames, made.size, made.pixels.len()), (2, 30, clip.pixels.len()));
            assert_ne!(made, clip, "seed {seed}");
            assert_eq!(made, synthetic_outlier(&clip, &mut Stream::at_place(seed, "test", &[])));
        }
    }

    #[test]
    fn four_quarter_turns_are_none() {
        let clip = Clip { frames: 1, planes: 1, size: 3, pixels: (0..9).collect() };
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..20 {
            let mut draft = Draft::of(&clip);
            turn(&mut draft, &mut Stream::at_place(seed, "test", &[]));
            seen.insert(draft.frames[0].iter().map(|value| *value as u8).collect::<Vec<_>>());
        }
        assert_eq!(seen.len(), 3);
        assert!(seen.contains(&vec![8, 7, 6, 5, 4, 3, 2, 1, 0]) && !seen.contains(&clip.pixels));
    }
}
