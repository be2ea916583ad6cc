//! R peaks on a trace measured in pixels.
//!
//! The crate's detector for sampled ECGs needs a known sampling rate; a burned-in trace has 40 to 300 columns a beat,
//! whole rows for values, and often no time scale, so here the steepness of the line itself decides.

/// Shortest time between two beats in seconds.
const REFRACTORY_S: f64 = 0.25;
/// A T wave peaks at most so long after its R peak in seconds.
const T_WAVE_WITHIN_S: f64 = 0.42;
/// Columns a second that are assumed where nothing is known: between the 40 and 220 seen in practice.
const USUAL_COLUMNS_PER_SECOND: f64 = 110.0;
/// An R peak lower than this many rows cannot be distinguished from line jitter.
const MIN_PEAK_ROWS: f32 = 3.5;

/// Part of the usual height that a peak at the very end must have.
const MIN_RISEN: f32 = 0.85;

/// An R peak of a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RPeak {
    /// Position on the signal, fractional.
    pub position: f64,
    /// Height above (or, for an inverted trace, below) its surroundings in rows.
    pub height: f32,
    /// Greatest change over a few columns within the complex, in rows.
    pub steepness: f32,
}

/// Finds the R peaks of a signal (one value a column, rows, upwards positive; NaN where nothing is known), rising.
///
/// Two steps: columns where the signal changes steeply are grouped into QRS complexes; in each the point farthest from
/// the surroundings is the R peak, up or down as most complexes point.
pub(super) fn find_r_peaks(signal: &[f32], columns_per_second: Option<f64>) -> Vec<RPeak> {
    let filled = fill_gaps(signal);
    if filled.len() < 8 {
        return Vec::new();
    }
    let rate = columns_per_second
        .filter(|rate| rate.is_finite() && (8.0..=2000.0).contains(rate))
        .unwrap_or(USUAL_COLUMNS_PER_SECOND);
    let lag = (0.02 * rate).round().clamp(1.0, 12.0) as usize;
    let steepness = steepness(&filled, lag);
    let groups = steep_groups(&steepness, rate);
    let baseline = running_median(&filled, (0.45 * rate).max(8.0) as usize);
    let away: Vec<f32> = filled.iter().zip(&baseline).map(|(v, b)| v - b).collect();
    let reach = (0.04 * rate).round().max(2.0) as usize;
    let extremes: Vec<Extremes> =
        groups.iter().map(|(from, to)| Extremes::within(&away, from.saturating_sub(reach), to + reach)).collect();
    let up: f32 = extremes.iter().map(|e| e.highest).sum();
    let down: f32 = extremes.iter().map(|e| -e.lowest).sum();
    let upright = up >= 0.8 * down;
    let noise = usual_deviation(&away);
    let lowest = MIN_PEAK_ROWS.max(3.0 * noise);
    let mut peaks: Vec<RPeak> = extremes
        .iter()
        .zip(&groups)
        .map(|(e, (from, to))| RPeak { steepness: top(&steepness, *from, *to), ..e.peak(upright) })
        .filter(|peak| peak.height >= lowest)
        .collect();
    let usual = median(peaks.iter().map(|p| p.height).collect());
    let newest = filled.len() as f64 - 1.5;
    // A stroke that still rises where the trace ends peaks later unless it is about as high as others are.
    let is_whole = |peak: &RPeak| peak.position < newest || peak.height >= MIN_RISEN * usual;
    peaks.retain(|peak| peak.height >= 0.3 * usual && is_whole(peak));
    drop_t_waves(drop_too_close(peaks, REFRACTORY_S * rate), T_WAVE_WITHIN_S * rate)
}

/// Fills the gaps by straight lines; the ends are held.
fn fill_gaps(signal: &[f32]) -> Vec<f32> {
    let mut filled = signal.to_vec();
    let mut last: Option<usize> = None;
    for index in 0..filled.len() {
        if !filled[index].is_finite() {
            continue;
        }
        let (from, start) = last.map_or((0, filled[index]), |l| (l + 1, filled[l]));
        let steps = (index - from + 1) as f32;
        for gap in from..index {
            filled[gap] = start + (filled[index] - start) * (gap + 1 - from) as f32 / steps;
        }
        last = Some(index);
    }
    match last {
        Some(l) => {
            let end = filled[l];
            filled[l + 1..].fill(end);
            filled
        }
        None => Vec::new(),
    }
}

/// Returns the change over `2 * lag` columns at each column.
fn steepness(signal: &[f32], lag: usize) -> Vec<f32> {
    let last = signal.len() - 1;
    (0..signal.len()).map(|i| (signal[(i + lag).min(last)] - signal[i.saturating_sub(lag)]).abs()).collect()
}

/// Returns groups of steep columns (first, last), those nearer than a QRS is wide joined.
fn steep_groups(steepness: &[f32], rate: f64) -> Vec<(usize, usize)> {
    let greatest = steepness.iter().copied().fold(0.0f32, f32::max);
    let usual = median(steepness.to_vec());
    let floor = (2.5 * usual + 1.0).max(2.5);
    let join = (0.1 * rate).max(3.0) as usize;
    let first = join_above(steepness, (0.35 * greatest).max(floor), join);
    let mut tops: Vec<f32> = first.iter().map(|(a, b)| top(steepness, *a, *b)).collect();
    tops.sort_unstable_by(f32::total_cmp);
    // One very tall beat must not hide the others, nor steep T waves pass for beats: a usual beat among the steeper ones.
    let usual_beat = tops.get(7 * tops.len() / 10).copied().unwrap_or(0.0);
    join_above(steepness, (0.42 * usual_beat).max(floor), join)
}

fn top(values: &[f32], from: usize, to: usize) -> f32 {
    values[from..=to].iter().copied().fold(0.0, f32::max)
}

fn join_above(values: &[f32], threshold: f32, join: usize) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if *value < threshold {
            continue;
        }
        match groups.last_mut() {
            Some((_, last)) if index - *last <= join => *last = index,
            _ => groups.push((index, index)),
        }
    }
    groups
}

/// Highest and lowest point of a stretch, with their positions.
struct Extremes {
    highest: f32,
    highest_at: f64,
    lowest: f32,
    lowest_at: f64,
}

impl Extremes {
    fn within(away: &[f32], from: usize, to: usize) -> Self {
        let to = to.min(away.len() - 1);
        let stretch = &away[from..=to];
        let highest = stretch.iter().copied().fold(f32::MIN, f32::max);
        let lowest = stretch.iter().copied().fold(f32::MAX, f32::min);
        // The middle of the plateau: lines are drawn in whole rows, so a peak is often several columns wide.
        let middle = |near: &dyn Fn(f32) -> bool| {
            let first = stretch.iter().position(|v| near(*v)).unwrap_or(0);
            let run = stretch[first..].iter().take_while(|v| near(**v)).count();
            (from + first) as f64 + (run.max(1) - 1) as f64 / 2.0
        };
        Self { highest, highest_at: middle(&|v| v >= highest - 0.6), lowest, lowest_at: middle(&|v| v <= lowest + 0.6) }
    }

    /// Returns the R peak of this complex in a trace that is mostly upright or mostly inverted; a single beat that
    /// clearly points the other way (an ectopic one) goes by its own direction.
    fn peak(&self, upright: bool) -> RPeak {
        let (up, down) = (self.highest, -self.lowest);
        let takes_up = if upright { up >= 0.4 * down } else { up > 2.5 * down };
        let (position, height) = if takes_up { (self.highest_at, up) } else { (self.lowest_at, down) };
        RPeak { position, height, steepness: 0.0 }
    }
}

/// Keeps the higher of peaks that are closer together than a heart can beat.
fn drop_too_close(peaks: Vec<RPeak>, closest: f64) -> Vec<RPeak> {
    let mut kept: Vec<RPeak> = Vec::new();
    for peak in peaks {
        match kept.last_mut() {
            Some(last) if peak.position - last.position < closest => {
                if peak.height > last.height {
                    *last = peak;
                }
            }
            _ => kept.push(peak),
        }
    }
    kept
}

/// Drops T waves: a peak soon after another and much less steep is the T wave of that beat.
fn drop_t_waves(peaks: Vec<RPeak>, within: f64) -> Vec<RPeak> {
    let mut kept: Vec<RPeak> = Vec::new();
    for peak in peaks {
        let is_t_wave = kept
            .last()
            .is_some_and(|last| peak.position - last.position < within && peak.steepness < 0.65 * last.steepness);
        if !is_t_wave {
            kept.push(peak);
        }
    }
    kept
}

/// Returns the median over a window of `2 * reach + 1` columns.
fn running_median(signal: &[f32], reach: usize) -> Vec<f32> {
    // Every few columns is enough for something that changes slowly.
    let step = (reach / 8).max(1);
    let last = signal.len() - 1;
    let mut knots = Vec::new();
    let mut at = 0;
    while at < last + step {
        let middle = at.min(last);
        let window = &signal[middle.saturating_sub(reach)..=(middle + reach).min(last)];
        knots.push(median(window.to_vec()));
        at += step;
    }
    (0..signal.len())
        .map(|i| {
            let (left, part) = (i / step, (i % step) as f32 / step as f32);
            let right = (left + 1).min(knots.len() - 1);
            knots[left] + (knots[right] - knots[left]) * part
        })
        .collect()
}

/// Returns the usual deviation: half of the values are nearer to zero.
fn usual_deviation(away: &[f32]) -> f32 {
    median(away.iter().map(|v| v.abs()).collect())
}

pub(super) fn median(mut values: Vec<f32>) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let (_, value, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    *value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns beats of a height at some columns with P and T waves, rows upwards.
    fn trace(length: usize, beats: &[f64], height: f32, t_wave: f32) -> Vec<f32> {
        let bump = |at: f64, x: usize, width: f64| (-0.5 * ((x as f64 - at) / width).powi(2)).exp() as f32;
        let value = |x: usize| -> f32 {
            let waves = beats
                .iter()
                .map(|r| height * (bump(*r, x, 1.5) + 0.1 * bump(r - 16.0, x, 3.0) + t_wave * bump(r + 28.0, x, 6.0)));
            waves.sum::<f32>().round()
        };
        (0..length).map(value).collect()
    }

    fn positions(signal: &[f32]) -> Vec<f64> {
        find_r_peaks(signal, Some(110.0)).iter().map(|peak| peak.position).collect()
    }

    fn assert_near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() <= 1.0, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn upright_inverted_and_tall_t_waves() {
        let beats = [40.0, 130.0, 221.0, 310.0];
        assert_near(&positions(&trace(360, &beats, 30.0, 0.3)), &beats);
        assert_near(&positions(&trace(360, &beats, -30.0, 0.3)), &beats);
        assert_near(&positions(&trace(360, &beats, 30.0, 0.8)), &beats);
    }

    #[test]
    fn gaps_are_bridged_and_a_wandering_baseline_is_followed() {
        let beats = [40.0, 130.0, 221.0];
        let mut signal = trace(260, &beats, 25.0, 0.2);
        for (column, value) in signal.iter_mut().enumerate() {
            *value += 12.0 * (column as f32 / 60.0).sin();
        }
        signal[90..96].fill(f32::NAN);
        assert_near(&positions(&signal), &beats);
    }

    #[test]
    fn flat_noisy_short_and_empty_signals_have_no_beats() {
        let noisy: Vec<f32> = (0..300).map(|i| ((i * 7919) % 3) as f32).collect();
        for signal in [vec![5.0; 300], noisy, vec![1.0; 3], vec![f32::NAN; 50], Vec::new()] {
            assert_eq!(positions(&signal), Vec::<f64>::new());
        }
    }
}
