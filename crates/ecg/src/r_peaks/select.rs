//! The humps of the QRS strength that are beats.

use super::feature::{Feature, GRID_STEP_MS};

/// Two beats are never closer than this.
const REFRACTORY_MS: f64 = 220.0;
/// The strip is judged in blocks this long: at 40 beats per minute, each holds a beat.
const BLOCK_MS: f64 = 1500.0;
/// A block is judged with its neighbors this far on both sides, so that the level follows a changing amplitude.
const NEIGHBOR_BLOCKS: usize = 3;
/// A hump of at least this share of the level is a beat.
const BEAT_SHARE: f64 = 0.5;
/// There are beats where the usual largest swing of a block is this many times the median swing. White noise reaches
/// 5.8 in one of twenty strips of 1 to 3 s, ECGs up to 200 beats per minute stay above 8.
const MIN_CONTRAST: f64 = 6.2;
/// A hump this soon after a beat and below this share of it is its T wave.
const T_WAVE_MS: f64 = 360.0;
const T_WAVE_SHARE: f64 = 0.65;
/// A hump this shortly before a beat and below this share of it is its P wave.
const P_WAVE_MS: f64 = 260.0;
const P_WAVE_SHARE: f64 = 0.6;
/// A gap longer than this many median R-R intervals is searched again, for beats of this share of the level.
const GAP_INTERVALS: f64 = 1.6;
const SMALL_BEAT_SHARE: f64 = 0.2;
/// With fewer beats than this there is no median R-R interval to speak of.
const FEW_BEATS: usize = 4;
/// Margin by which a small beat, where beats are few, must be clear of the beats beside it and of the median strength.
const CLEAR_AFTER_BEAT_MS: f64 = 400.0;
const CLEAR_BEFORE_BEAT_MS: f64 = 300.0;
const SMALL_BEAT_CONTRAST: f64 = 3.5;
/// So near the start of the strip a small hump may be the tail of a complex before it; as near its end as a P wave is
/// to its beat, it may be the P wave of a beat after it.
const TAIL_MS: f64 = 100.0;

/// One local maximum of the strength, with what it is measured against.
#[derive(Debug, Clone, Copy)]
struct Hump {
    at: usize,
    strength: f64,
    level: f64,
}

impl Hump {
    fn share(&self) -> f64 {
        self.strength / self.level
    }
}

/// Returns the grid points of the QRS complexes, rising; empty where nothing stands out.
pub(super) fn qrs_complexes(feature: &Feature) -> Vec<usize> {
    let Some(median_strength) = median(&feature.strength) else {
        return Vec::new();
    };
    let blocks = judged_blocks(feature);
    let mut humps: Vec<Hump> = separate_maxima(&feature.strength)
        .into_iter()
        .filter_map(|at| {
            let block = blocks.get(at * blocks.len() / feature.strength.len())?;
            block.has_beats.then_some(Hump { at, strength: feature.strength[at], level: block.level })
        })
        .collect();
    let strong: Vec<Hump> = humps.iter().copied().filter(|hump| hump.share() >= BEAT_SHARE).collect();
    let mut beats = without_p_waves(&without_t_waves(&strong));
    if beats.len() < FEW_BEATS {
        let end = feature.strength.len();
        let unsure_at_the_ends = |hump: &Hump| grid_ms(hump.at) < TAIL_MS || grid_ms(end - hump.at) < P_WAVE_MS;
        humps.retain(|hump| !unsure_at_the_ends(hump));
        add_lone_small_beats(&mut beats, &humps, median_strength);
    } else {
        add_beats_in_gaps(&mut beats, &humps);
    }
    beats.into_iter().map(|hump| hump.at).collect()
}

/// Statistics of a stretch of the strip.
struct Block {
    /// The usual strength of a beat there.
    level: f64,
    /// True if anything stands out of the noise there.
    has_beats: bool,
}

/// Returns the strip in equal blocks, each judged with its neighbors.
fn judged_blocks(feature: &Feature) -> Vec<Block> {
    let length = feature.strength.len();
    let count = (length as f64 * GRID_STEP_MS / BLOCK_MS).floor().max(1.0) as usize;
    let span = |block: usize| block * length / count..(block + 1) * length / count;
    let swing: Vec<f64> = feature.band.iter().map(|value| value.abs()).collect();
    let largest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    (0..count)
        .map(|block| {
            let first = block.saturating_sub(NEIGHBOR_BLOCKS);
            let end = (block + NEIGHBOR_BLOCKS + 1).min(count);
            let levels: Vec<f64> = (first..end).map(|near| largest(&feature.strength[span(near)])).collect();
            let swings: Vec<f64> = (first..end).map(|near| largest(&swing[span(near)])).collect();
            let near = span(first).start..span(end - 1).end;
            let median_swing = median(&swing[near]).unwrap_or_default();
            let usual_swing = median(&swings).unwrap_or_default();
            Block { level: median(&levels).unwrap_or_default(), has_beats: usual_swing > MIN_CONTRAST * median_swing }
        })
        .collect()
}

/// Local maxima, of two within the refractory time only the larger.
fn separate_maxima(strength: &[f64]) -> Vec<usize> {
    let refractory = (REFRACTORY_MS / GRID_STEP_MS) as usize;
    let rises = |at: usize| at == 0 || strength[at] > strength[at - 1];
    let falls = |at: usize| at + 1 == strength.len() || strength[at] >= strength[at + 1];
    let mut maxima: Vec<usize> =
        (0..strength.len()).filter(|&at| strength[at] > 0.0 && rises(at) && falls(at)).collect();
    maxima.sort_by(|&a, &b| strength[b].total_cmp(&strength[a]));
    let mut kept = std::collections::BTreeSet::new();
    for at in maxima {
        let around = at.saturating_sub(refractory)..=at + refractory;
        if kept.range(around).next().is_none() {
            kept.insert(at);
        }
    }
    kept.into_iter().collect()
}

fn without_t_waves(humps: &[Hump]) -> Vec<Hump> {
    let mut kept: Vec<Hump> = Vec::with_capacity(humps.len());
    for hump in humps {
        let is_t_wave = kept
            .last()
            .is_some_and(|beat| apart_ms(beat, hump) < T_WAVE_MS && hump.strength < T_WAVE_SHARE * beat.strength);
        if !is_t_wave {
            kept.push(*hump);
        }
    }
    kept
}

fn without_p_waves(humps: &[Hump]) -> Vec<Hump> {
    let is_p_wave =
        |hump: &Hump, next: &Hump| apart_ms(hump, next) < P_WAVE_MS && hump.strength < P_WAVE_SHARE * next.strength;
    humps
        .iter()
        .enumerate()
        .filter(|(at, hump)| !humps.get(at + 1).is_some_and(|next| is_p_wave(hump, next)))
        .map(|(_, hump)| *hump)
        .collect()
}

/// In a strip of a few beats one large ectopic beat sets the level; what is small beside it but alone in its stretch
/// and far above the rest is a beat too.
fn add_lone_small_beats(beats: &mut Vec<Hump>, humps: &[Hump], median_strength: f64) {
    let mut largest_first = humps.to_vec();
    largest_first.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    for hump in largest_first {
        let alone = beats.iter().all(|beat| {
            let clear_ms = match beat.at < hump.at {
                true => CLEAR_AFTER_BEAT_MS,
                false => CLEAR_BEFORE_BEAT_MS,
            };
            apart_ms(beat, &hump) > clear_ms
        });
        let stands_out = hump.strength > SMALL_BEAT_CONTRAST * median_strength;
        if alone && stands_out && hump.share() > SMALL_BEAT_SHARE {
            beats.push(hump);
        }
    }
    beats.sort_by_key(|hump| hump.at);
}

/// Searches gaps that are long for this strip again, for the largest hump that is no T wave.
fn add_beats_in_gaps(beats: &mut Vec<Hump>, humps: &[Hump]) {
    let intervals_ms: Vec<f64> = beats.windows(2).map(|pair| apart_ms(&pair[0], &pair[1])).collect();
    let Some(median_ms) = median(&intervals_ms) else {
        return;
    };
    let missed: Vec<Hump> = beats
        .windows(2)
        .filter(|pair| apart_ms(&pair[0], &pair[1]) > GAP_INTERVALS * median_ms)
        .filter_map(|pair| {
            let first = humps.partition_point(|hump| hump.at <= pair[0].at);
            let end = humps.partition_point(|hump| hump.at < pair[1].at);
            humps[first..end]
                .iter()
                .filter(|hump| apart_ms(&pair[0], hump) > T_WAVE_MS)
                .max_by(|a, b| a.strength.total_cmp(&b.strength))
        })
        .filter(|hump| hump.share() > SMALL_BEAT_SHARE)
        .copied()
        .collect();
    beats.extend(missed);
    beats.sort_by_key(|hump| hump.at);
}

fn apart_ms(a: &Hump, b: &Hump) -> f64 {
    grid_ms(a.at.abs_diff(b.at))
}

fn grid_ms(points: usize) -> f64 {
    points as f64 * GRID_STEP_MS
}

/// Returns the middle value, the lower of two.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}
