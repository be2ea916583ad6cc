/// Changes up to this many levels are noise of the JPEG coder, not motion.
const NOISE_LEVELS: u8 = 3;

/// Sets pixels to zero that never change over the images of a clip: texts, scales, logos.
///
/// Where nothing changes at all (a still, or the same frame again and again) nothing is masked. The reference system
/// compares for exact inequality (`seed-systems.md` 4.3), which JPEG noise defeats.
pub(super) fn static_pixels(images: &mut [Vec<u8>]) {
    let Some(length) = images.first().map(Vec::len) else { return };
    let mut lowest = vec![u8::MAX; length];
    let mut highest = vec![u8::MIN; length];
    for image in images.iter() {
        for ((low, high), &pixel) in lowest.iter_mut().zip(&mut highest).zip(image) {
            *low = (*low).min(pixel);
            *high = (*high).max(pixel);
        }
    }
    let moves: Vec<bool> = lowest.iter().zip(&highest).map(|(low, high)| high - low > NOISE_LEVELS).collect();
    if !moves.contains(&true) {
        return;
    }
    for image in images {
        for (pixel, moves) in image.iter_mut().zip(&moves) {
            if !moves {
                *pixel = 0;
            }
        }
    }
}
