//! Butterworth filters as second-order sections, run forwards and backwards so that nothing is delayed.

use std::f64::consts::PI;

/// One second-order section; coefficients are divided by `a0`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    b: [f64; 3],
    a: [f64; 2],
}

/// Returns a Butterworth low pass of even `order` with its -3 dB point at `cutoff_hz`, for signals of `rate_hz`.
///
/// Bilinear transform of the analog pole pairs, with the cutoff pre-warped (Oppenheim and Schafer, ch. 7).
/// `cutoff_hz` must be below half of `rate_hz`.
pub(super) fn low_pass(order: usize, cutoff_hz: f64, rate_hz: f64) -> Vec<Section> {
    sections(order, cutoff_hz, rate_hz, |warped| {
        let square = warped * warped;
        [square, 2.0 * square, square]
    })
}

/// Returns a Butterworth high pass; see [`low_pass`].
pub(super) fn high_pass(order: usize, cutoff_hz: f64, rate_hz: f64) -> Vec<Section> {
    sections(order, cutoff_hz, rate_hz, |_| [1.0, -2.0, 1.0])
}

fn sections(order: usize, cutoff_hz: f64, rate_hz: f64, numerator: impl Fn(f64) -> [f64; 3]) -> Vec<Section> {
    let warped = (PI * cutoff_hz / rate_hz).tan();
    (0..order / 2)
        .map(|pair| {
            let angle = PI * (2 * pair + 1) as f64 / (2 * order) as f64;
            let damping = 2.0 * angle.sin();
            let a0 = 1.0 + damping * warped + warped * warped;
            Section {
                b: numerator(warped).map(|coefficient| coefficient / a0),
                a: [2.0 * (warped * warped - 1.0) / a0, (1.0 - damping * warped + warped * warped) / a0],
            }
        })
        .collect()
}

/// Runs the sections forwards and backwards over the signal; the result has its length and no delay.
///
/// Both ends are mirrored for `padding` samples, so that half an R wave at the edge looks like a whole one.
pub(super) fn filter_both_ways(sections: &[Section], signal: &[f64], padding: usize) -> Vec<f64> {
    if signal.is_empty() {
        return Vec::new();
    }
    let mut padded: Vec<f64> = (0..signal.len() + 2 * padding)
        .map(|position| signal[mirrored(position as i64 - padding as i64, signal.len())])
        .collect();
    for section in sections {
        run(section, &mut padded);
    }
    padded.reverse();
    for section in sections {
        run(section, &mut padded);
    }
    padded.reverse();
    padded[padding..padding + signal.len()].to_vec()
}

/// Returns the index inside `0..length` that a position outside falls on when the signal is mirrored at its ends.
fn mirrored(position: i64, length: usize) -> usize {
    let last = length as i64 - 1;
    if last == 0 {
        return 0;
    }
    let folded = position.rem_euclid(2 * last);
    folded.min(2 * last - folded) as usize
}

/// Filters in one pass, from the steady state that a constant signal of the first value would have left.
fn run(section: &Section, signal: &mut [f64]) {
    let [b0, b1, b2] = section.b;
    let [a1, a2] = section.a;
    let first = signal.first().copied().unwrap_or_default();
    let steady = first * (b0 + b1 + b2) / (1.0 + a1 + a2);
    let mut later = b2 * first - a2 * steady;
    let mut sooner = b1 * first - a1 * steady + later;
    for value in signal {
        let input = *value;
        let output = b0 * input + sooner;
        sooner = b1 * input - a1 * output + later;
        later = b2 * input - a2 * output;
        *value = output;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: f64 = 200.0;

    fn gain(sections: &[Section], frequency_hz: f64) -> f64 {
        let wave: Vec<f64> = (0..2000).map(|n| (2.0 * PI * frequency_hz * f64::from(n) / RATE_HZ).sin()).collect();
        let out = filter_both_ways(sections, &wave, 200);
        let power = |signal: &[f64]| signal[500..1500].iter().map(|v| v * v).sum::<f64>();
        (power(&out) / power(&wave)).sqrt()
    }

    #[test]
    fn the_cutoff_halves_the_amplitude_when_run_both_ways() {
        for order in [2, 4] {
            assert!((gain(&low_pass(order, 20.0, RATE_HZ), 20.0) - 0.5).abs() < 0.01);
            assert!((gain(&high_pass(order, 5.0, RATE_HZ), 5.0) - 0.5).abs() < 0.01);
        }
    }

    #[test]
    fn far_from_the_cutoff_the_band_is_open_or_shut() {
        let low = low_pass(4, 20.0, RATE_HZ);
        assert!((gain(&low, 5.0) - 1.0).abs() < 0.01);
        assert!(gain(&low, 60.0) < 0.01);
        assert!(gain(&high_pass(2, 5.0, RATE_HZ), 0.5) < 0.02);
    }

    #[test]
    fn a_constant_passes_a_low_pass_unchanged_and_a_high_pass_not_at_all() {
        let flat = vec![3.0; 50];
        for value in filter_both_ways(&low_pass(4, 20.0, RATE_HZ), &flat, 20) {
            assert!((value - 3.0).abs() < 1e-9);
        }
        for value in filter_both_ways(&high_pass(2, 5.0, RATE_HZ), &flat, 20) {
            assert!(value.abs() < 1e-9);
        }
    }

    #[test]
    fn mirroring_works_for_any_length() {
        assert_eq!(mirrored(-3, 1), 0);
        assert_eq!((-3..7).map(|p| mirrored(p, 3)).collect::<Vec<_>>(), [1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
    }
}
